"""What an image holds of Python: one of our distributions as installed here, and all it needs.

The files are those of this environment, so an image runs what was tested, to the byte.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from medfab_network.errors import ImageError

_OURS = {"medfab-chaincode": "medfab_chaincode", "medfab-gateway": "medfab_gateway"}
"""Distribution → package."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """Files by their path below the folder for packages, and the text of the program."""

    files: dict[str, Path] = field(repr=False)
    program: str
    versions: dict[str, str]
    """Of others' distributions, by name."""


def chaincode_site() -> Site:
    """The chaincode distribution. Raises `ImageError` where it is not installed here."""
    return _site("medfab-chaincode", ("fast",), "medfab-chaincode")


def consumer_site() -> Site:
    """The gateway distribution, as event consumers into PostgreSQL need it."""
    return _site("medfab-gateway", ("cli", "consumers", "postgres"), "medfab")


def _site(root: str, extras: Sequence[str], program: str) -> Site:
    files: dict[str, Path] = {}
    versions = {}
    try:
        for found in _closure(root, extras):
            name = found.metadata["Name"].lower().replace("_", "-")
            if name in _OURS:
                files |= _own_files(found, _OURS[name])
                continue
            versions[name] = found.version
            for file in found.files or ():
                path = Path(str(file.locate()))
                if _is_content(path) and ".." not in file.parts:
                    files[str(file)] = path
        (entry,) = distribution(root).entry_points.select(group="console_scripts", name=program)
    except (PackageNotFoundError, ValueError) as error:
        raise ImageError(
            f"{root} is not whole in this environment ({error}): install it, for example with "
            "`pip install 'medfab-network[chaincode,docker]'`"
        ) from error
    text = f"import sys\nfrom {entry.module} import {entry.attr}\nsys.exit({entry.attr}())\n"
    return Site(files=files, program=text, versions=versions)


def _is_content(path: Path) -> bool:
    """Not what an installer notes of its own: two installations of the same would differ in it."""
    noted = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
    return path.suffix != ".pyc" and path.name not in noted and path.is_file()


def _own_files(found: Distribution, package: str) -> dict[str, Path]:
    """The package's folder: a checkout is installed by a link to it, of which `files` knows not."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise PackageNotFoundError(package)
    folder = Path(spec.submodule_search_locations[0])
    metadata = {
        str(file): Path(str(file.locate()))
        for file in found.files or ()
        if file.name in ("METADATA", "entry_points.txt")
    }
    return {
        **metadata,
        **{
            f"{package}/{path.relative_to(folder)}": path
            for path in folder.rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        },
    }


def _closure(root: str, extras: Sequence[str]) -> Iterator[Distribution]:
    """The distribution and those that it needs here, each once."""
    from packaging.requirements import Requirement

    seen: set[tuple[str, frozenset[str]]] = set()
    yielded: set[str] = set()
    waiting = [(root, frozenset(extras))]
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        found = distribution(name)
        if name not in yielded:
            yielded.add(name)
            yield found
        for text in found.requires or ():
            needed = Requirement(text)
            marker = needed.marker
            if marker is None or any(marker.evaluate({"extra": e}) for e in ("", *wanted)):
                waiting.append((needed.name.lower().replace("_", "-"), frozenset(needed.extras)))
