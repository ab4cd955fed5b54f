"""Container images made of what is on this machine: no registry is asked for any of them.

An image is a tree of files and a few settings, imported as it is: Fabric's programs alone (peer and
orderer are static), or upon Debian's libraries and Python (certificate authority, chaincode).
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import platform
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from medfab_network._binaries import Binaries, cache_folder
from medfab_network._chaincode_site import chaincode_site
from medfab_network._progress import Progress
from medfab_network._services import IMAGES, USER
from medfab_network.errors import ImageError

if TYPE_CHECKING:
    from docker import DockerClient

_CONTENT = "medfab.content"
"""Label of our images: the digest of what went in."""
_SITE = "/opt/medfab/site"
_PACKAGES = {
    "bookworm": (
        *("libc6", "libcrypt1", "libgcc-s1", "libstdc++6", "zlib1g", "libexpat1", "libssl3"),
        *("libffi8", "libsqlite3-0", "libbz2-1.0", "liblzma5", "libuuid1", "media-types"),
        *("ca-certificates", "python3.11-minimal", "libpython3.11-minimal"),
        "libpython3.11-stdlib",
    )
}
"""Of the Debian releases from which images can be made: all that Python and Fabric CA load."""


@dataclass(frozen=True, kw_only=True)
class _Recipe:
    """What an image is made of."""

    name: str
    files: Mapping[str, Path]
    """Path in the image → file or folder here."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Path in the image → content."""
    settings: Sequence[str] = ()
    """As in a Dockerfile."""

    def digest(self) -> str:
        digest = hashlib.sha256(repr((sorted(self.texts.items()), self.settings)).encode())
        for target, source in sorted(self.files.items()):
            digest.update(f"\0{target}\0".encode())
            for path in _files(source):
                digest.update(f"\0{path.relative_to(source)}\0".encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()


async def ensure_images(
    client: DockerClient, binaries: Binaries, progress: Progress, *, force: bool = False
) -> dict[str, str]:
    """Make the images that are missing or made of something else; returns name → id of all.

    An image that a variable of the environment names is taken as it is.
    Raises `ImageError`.
    """
    if all(image.variable in os.environ for image in IMAGES.values()):
        return {}
    base = await debian_base(progress)
    made: dict[str, str] = {}
    taken = {image.default for image in IMAGES.values() if image.variable in os.environ}
    for recipe in _recipes(binaries, base):
        if recipe.name in taken:
            continue  # from elsewhere
        content = await asyncio.to_thread(recipe.digest)
        found = await asyncio.to_thread(_existing, client, recipe.name, content)
        if found is None or force:
            began = time.monotonic()
            progress.step(f"making the image {recipe.name}")
            found = await asyncio.to_thread(_make, client, recipe, content)
            progress.done(f"made the image {recipe.name}", time.monotonic() - began)
        made[recipe.name] = found
    return made


def _recipes(binaries: Binaries, base: Path) -> list[_Recipe]:
    account = {
        "etc/passwd": f"root:x:0:0::/:/bin/false\nmedfab:x:{USER}:{USER}::/tmp:/bin/false\n",
        "etc/group": f"root:x:0:\nmedfab:x:{USER}:\n",
        "etc/nsswitch.conf": "hosts: files dns\n",
    }
    settings = ("ENV PATH=/usr/local/bin:/usr/bin:/bin", f"USER {USER}:{USER}")

    def of(program: str, kind: str, *extra: tuple[str, Path]) -> _Recipe:
        return _Recipe(
            name=IMAGES[kind].default,
            files={f"usr/local/bin/{program}": binaries[program], **dict(extra)},
            texts=account,
            settings=settings,
        )

    site = chaincode_site()
    python = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    return [
        of("peer", "peer"),
        of("orderer", "orderer"),
        of("fabric-ca-server", "ca", ("", base)),
        _Recipe(
            name=IMAGES["chaincode"].default,
            files={"": base, **{f"{_SITE[1:]}/{n}": path for n, path in site.files.items()}},
            texts={
                **account,
                "usr/local/bin/medfab-chaincode": f"#!{python}\n{site.program}",
            },
            settings=(*settings, f"ENV PYTHONPATH={_SITE} PYTHONDONTWRITEBYTECODE=1"),
        ),
    ]


def _existing(client: DockerClient, name: str, content: str) -> str | None:
    from docker.errors import ImageNotFound

    try:
        image = client.images.get(name)
    except ImageNotFound:
        return None
    return str(image.id) if (image.labels or {}).get(_CONTENT) == content else None


def _make(client: DockerClient, recipe: _Recipe, content: str) -> str:
    from docker.errors import DockerException

    repository, _, tag = recipe.name.partition(":")
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            _fill(archive, recipe)
        file.flush()
        try:
            client.api.import_image_from_file(
                file.name,
                repository=repository,
                tag=tag,
                changes=[*recipe.settings, f"LABEL {_CONTENT}={content}"],
            )
            return str(client.images.get(recipe.name).id)
        except DockerException as error:
            raise ImageError(f"Docker did not take the image {recipe.name}: {error}") from error


def _fill(archive: tarfile.TarFile, recipe: _Recipe) -> None:
    # Whoever runs the container can write there; each has a volume or a tmpfs of its own.
    for folder in ("tmp", "var/hyperledger/production"):
        entry = tarfile.TarInfo(folder)
        entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(entry)
    for target, source in recipe.files.items():
        archive.add(source, target or ".", filter=_of_root)
    for target, text in recipe.texts.items():
        entry = tarfile.TarInfo(target)
        entry.size, entry.mode = len(text.encode()), 0o755
        archive.addfile(entry, io.BytesIO(text.encode()))


def _of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if entry.name.endswith((".pyc", "__pycache__")):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    return sorted(p for p in source.rglob("*") if p.is_file() and p.suffix != ".pyc")


# --- Debian's libraries and Python ------------------------------------------------------------


async def debian_base(progress: Progress) -> Path:
    """A folder with what Fabric CA and Python need of Debian, fetched once with `apt-get`."""
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    packages = _PACKAGES.get(release)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}-minimal"
    if packages is None or version not in packages or shutil.which("apt-get") is None:
        known = ", ".join(f"Debian {name} with its own Python" for name in _PACKAGES)
        raise ImageError(
            f"images can be made on {known}, not on this machine. Take images from a registry "
            f"instead: set {', '.join(image.variable for image in IMAGES.values())}"
        )
    key = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    target = cache_folder() / f"debian-{release}-{platform.machine()}-{key}"
    if not target.exists():
        began = time.monotonic()
        progress.step("fetching Debian's packages for the images (once)")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            await _fetch(Path(folder), packages)
            (Path(folder) / "root").rename(target)
        progress.done("fetched Debian's packages", time.monotonic() - began)
    return target


async def _fetch(folder: Path, packages: Sequence[str]) -> None:
    """With package lists of its own, so that neither root nor an earlier update is needed."""
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    apt = ["apt-get", "-q", "-o", f"Dir::State::Lists={folder}/lists"]
    apt += ["-o", f"Dir::Cache={folder}/cache", "-o", "APT::Sandbox::User=root"]
    await _run([*apt, "update"], folder)
    await _run([*apt, "download", *packages], folder)
    for package in sorted(folder.glob("*.deb")):
        await _run(["dpkg-deb", "-x", str(package), str(folder / "root")], folder)
    for needless in ("usr/share/doc", "usr/share/man", "usr/share/locale"):
        shutil.rmtree(folder / "root" / needless, ignore_errors=True)


async def _run(command: list[str], folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        last = errors.decode(errors="replace").strip().splitlines()[-3:]
        raise ImageError(f"`{' '.join(command[:2])} …` failed:\n" + "\n".join(last))
