"""Container images made of what is on this machine: no registry is asked for any of them.

Fabric's programs alone (peer and orderer are static), or upon Debian's libraries and Python
(certificate authority, chaincode). Where packages cannot be had, upon a base image.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import IO, TYPE_CHECKING

from medfab_network import _debian
from medfab_network._binaries import FABRIC, FABRIC_CA, Binaries
from medfab_network._image_archive import Recipe, content, write
from medfab_network._image_lock import program_differences, python_differences
from medfab_network._place import CONTAINER_DATA
from medfab_network._profile_services import DATA_FOLDERS, EXTRA_IMAGES, OWN_NAMES
from medfab_network._progress import Progress
from medfab_network._python_site import Site, chaincode_site, consumer_site
from medfab_network._services import IMAGES, USER, Image
from medfab_network.errors import ImageError

if TYPE_CHECKING:
    from docker import DockerClient

BASE_VARIABLE = "MEDFAB_BASE_IMAGE"
_CONTENT = "medfab.content"
"""Label of our images: the digest of what went in."""
_AS_LOCKED = "medfab.locked"
"""Label: whether all that went in is what `images.lock` says."""
_SITE = "/opt/medfab/site"
_WHICH_PYTHON = """
import json, sys, sysconfig
print(json.dumps([sys.executable, sysconfig.get_config_var("SOABI")]))
"""
_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, kw_only=True)
class Made:
    """An image that is there now."""

    name: str
    identifier: str
    differences: Sequence[str]
    """How what went in is not what `images.lock` says; empty: all of it is."""


@dataclass(frozen=True, kw_only=True)
class _Below:
    """What an image with Python stands upon."""

    python: str
    """The interpreter, in the image."""
    root: Path | None = None
    base: str | None = None
    base_id: str | None = None
    differences: Sequence[str] = ()


async def ensure_images(
    client: DockerClient,
    binaries: Binaries,
    progress: Progress,
    *,
    kinds: Sequence[str] = tuple(IMAGES),
    base_image: str | None = None,
    force: bool = False,
    locked: bool = False,
) -> list[Made]:
    """Make the images that are missing or made of something else; returns all that were asked for.

    An image that a variable of the environment names is taken as it is, and not returned.
    kinds: keys of `IMAGES` and `EXTRA_IMAGES`. base_image: upon which those with libraries are made
    (`MEDFAB_BASE_IMAGE`); None: upon Debian's packages. locked: other inputs than those of
    `images.lock` are an error. Raises `ImageError`.
    """
    wanted = [kind for kind in kinds if _image(kind).variable not in os.environ]
    made = []
    maker = _Maker(client, binaries, progress, base_image or os.environ.get(BASE_VARIABLE), locked)
    for kind in wanted:
        recipe, below, differences = await maker.recipe(kind)
        if differences and locked:
            raise ImageError(
                f"{recipe.name} would not be made of what images.lock says:\n  "
                + "\n  ".join(differences)
            )
        digest = await asyncio.to_thread(content, recipe, below.base_id if below else None)
        found = await asyncio.to_thread(_existing, client, recipe.name, digest)
        if found is None or force:
            began = time.monotonic()
            progress.step(f"making the image {recipe.name}")
            labels = {_CONTENT: digest, _AS_LOCKED: "false" if differences else "true"}
            found = await asyncio.to_thread(_make, client, replace(recipe, labels=labels))
            progress.done(f"made the image {recipe.name}", time.monotonic() - began)
        made.append(Made(name=recipe.name, identifier=found, differences=differences))
    return made


def _image(kind: str) -> Image:
    return IMAGES[kind] if kind in IMAGES else EXTRA_IMAGES[kind]


class _Maker:
    """Knows each kind's recipe, and looks up what they share once."""

    def __init__(
        self,
        client: DockerClient,
        binaries: Binaries,
        progress: Progress,
        base_image: str | None,
        locked: bool,
    ) -> None:
        self._client = client
        self._binaries = binaries
        self._progress = progress
        self._base_image = base_image
        self._locked = locked
        self._found: _Below | None = None

    async def recipe(self, kind: str) -> tuple[Recipe, _Below | None, list[str]]:
        """With what it stands upon, and how its inputs are not the locked ones."""
        if kind in ("peer", "orderer"):
            return self._program(kind, kind, None)
        below = await self._below()
        if kind == "ca":
            return self._program("ca", "fabric-ca-server", below)
        if kind == "chaincode":
            return self._python("chaincode", chaincode_site(), "medfab-chaincode", below)
        if kind == "consumer":
            return self._python("consumer", consumer_site(), "medfab", below)
        return await self._of_debian(kind)

    def _program(
        self, kind: str, program: str, below: _Below | None
    ) -> tuple[Recipe, _Below | None, list[str]]:
        tools = FABRIC_CA if kind == "ca" else FABRIC
        files = [*_files(below), (f"usr/local/bin/{program}", self._binaries[program])]
        differences = [
            *(below.differences if below else ()),
            *program_differences({tools.name: tools.checksum()}),
        ]
        if tools.key() not in str(self._binaries[program]):
            differences.append(f"{program} was not built here from its modules")
        return _recipe(_image(kind).default, files, below), below, differences

    def _python(
        self, kind: str, site: Site, program: str, below: _Below
    ) -> tuple[Recipe, _Below, list[str]]:
        files = [*_files(below), *((f"{_SITE[1:]}/{n}", path) for n, path in site.files.items())]
        recipe = _recipe(
            _image(kind).default,
            files,
            below,
            texts={f"usr/local/bin/{program}": f"#!{below.python}\n{site.program}"},
            environment={"PYTHONPATH": _SITE, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        return recipe, below, [*below.differences, *python_differences(site.versions)]

    async def _of_debian(self, kind: str) -> tuple[Recipe, None, list[str]]:
        """Prometheus and PostgreSQL: for who has no registry."""
        base = await _debian.unpacked("base", self._progress, locked=self._locked)
        own = await _debian.unpacked(kind, self._progress, locked=self._locked)
        texts, links = {}, {}
        if kind == "postgres":
            start = resources.files("medfab_network").joinpath("data/postgres_start.py").read_text()
            texts["usr/local/bin/docker-entrypoint.sh"] = f"#!{_own_python()}\n{start}"
            links["bin/sh"] = "dash"
            links["etc/passwd"] = "/tmp/passwd"  # noqa: S108 - of the container, which writes it
        recipe = _recipe(
            OWN_NAMES[kind],
            [("", base.root), ("", own.root)],
            None,
            texts=texts,
            links=links,
            writable=(DATA_FOLDERS[kind][1:],),
        )
        return recipe, None, [*base.differences, *own.differences]

    async def _below(self) -> _Below:
        if self._found is None:
            if self._base_image:
                self._found = await asyncio.to_thread(_look_into, self._client, self._base_image)
            else:
                base = await _debian.unpacked("base", self._progress, locked=self._locked)
                self._found = _Below(
                    python=_own_python(), root=base.root, differences=base.differences
                )
        return self._found


def _own_python() -> str:
    return f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"


def _files(below: _Below | None) -> list[tuple[str, Path]]:
    return [("", below.root)] if below and below.root else []


def _recipe(
    name: str,
    files: Sequence[tuple[str, Path]],
    below: _Below | None,
    *,
    texts: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    writable: Sequence[str] = (str(CONTAINER_DATA)[1:],),
) -> Recipe:
    account: dict[str, str] = {}
    path: dict[str, str] = {}
    if below is None or below.base is None:  # a base image has its own
        account = {
            "etc/passwd": f"root:x:0:0::/:/bin/false\nmedfab:x:{USER}:{USER}::/tmp:/bin/false\n",
            "etc/group": f"root:x:0:\nmedfab:x:{USER}:\n",
            "etc/nsswitch.conf": "hosts: files dns\n",
        }
        path = {"PATH": _PATH}
    for name_of_link in links or {}:
        account.pop(name_of_link, None)
    return Recipe(
        name=name,
        files=files,
        texts={**account, **(texts or {})},
        links=links or {},
        environment={**path, **(environment or {})},
        user=f"{USER}:{USER}",
        writable=writable,
        base=below.base if below else None,
    )


def _look_into(client: DockerClient, name: str) -> _Below:
    """A base image: here, or else from its registry; it must have this very kind of Python.

    The wheels of this environment go in, and they fit one version of Python and one C library.
    """
    import docker

    try:
        try:
            image = client.images.get(name)
        except docker.errors.ImageNotFound:
            image = client.images.pull(name)
        told = _ask(client, image.id)
    except docker.errors.APIError as error:
        raise ImageError(
            f"the base image {name} cannot be used: {error.explanation or error}. It must be here "
            "or in a registry that answers, and have `python3` on its PATH"
        ) from error
    python, kind = json.loads(told)
    own = sysconfig.get_config_var("SOABI")
    if kind != own:
        raise ImageError(
            f"the base image {name} has a Python of kind {kind}, and the packages of this "
            f"environment are for {own}: take an image with Python {sys.version_info.major}."
            f"{sys.version_info.minor}, for example python:{sys.version_info.major}."
            f"{sys.version_info.minor}-slim"
        )
    differences = [f"the base image {name} ({image.id}) is in no lock"]
    return _Below(python=python, base=name, base_id=str(image.id), differences=differences)


def _ask(client: DockerClient, image: str) -> str:
    """What the Python in an image says of itself."""
    asked = client.containers.create(
        image, ["-c", _WHICH_PYTHON], entrypoint="python3", network_disabled=True
    )
    try:
        asked.start()
        code = asked.wait(timeout=120)["StatusCode"]
        said: str = asked.logs(stderr=code != 0).decode(errors="replace").strip()
    finally:
        asked.remove(force=True)
    if code != 0:
        raise ImageError(f"the `python3` of the base image does not run: {said[-500:]}")
    return said


def _existing(client: DockerClient, name: str, digest: str) -> str | None:
    from docker.errors import ImageNotFound

    try:
        image = client.images.get(name)
    except ImageNotFound:
        return None
    return str(image.id) if (image.labels or {}).get(_CONTENT) == digest else None


def _make(client: DockerClient, recipe: Recipe) -> str:
    from docker.errors import DockerException

    with tempfile.TemporaryFile() as archive:
        try:
            if recipe.base is None:
                write(recipe, archive)
            else:
                with tempfile.TemporaryFile() as saved:
                    _save(client, recipe.base, saved)
                    write(recipe, archive, saved)
            archive.seek(0)
            (image,) = client.images.load(archive)
        except DockerException as error:
            raise ImageError(f"Docker did not take the image {recipe.name}: {error}") from error
    return str(image.id)


def _save(client: DockerClient, name: str, target: IO[bytes]) -> None:
    for piece in client.images.get(name).save():
        target.write(piece)
    target.seek(0)
