"""What a chaincode image holds of Python: the installed chaincode distribution and all it needs.

The files are those of this environment, so an image runs what was tested, to the byte.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from medfab_network.errors import ImageError

_ROOT = "medfab-chaincode"
_PACKAGE = "medfab_chaincode"
_EXTRAS = ("fast",)


@dataclass(frozen=True, kw_only=True)
class Site:
    """Files by their path below the folder for packages, and the text of the program."""

    files: dict[str, Path] = field(repr=False)
    program: str


def chaincode_site() -> Site:
    """Raises `ImageError` where the distribution is not installed here."""
    files: dict[str, Path] = {}
    try:
        for found in _closure():
            if found.metadata["Name"] == _ROOT:
                files |= _own_files(found)
                continue
            for file in found.files or ():
                path = Path(str(file.locate()))
                if ".." not in file.parts and path.suffix != ".pyc" and path.is_file():
                    files[str(file)] = path
        (entry,) = distribution(_ROOT).entry_points.select(group="console_scripts", name=_ROOT)
    except (PackageNotFoundError, ValueError) as error:
        raise ImageError(
            f"{_ROOT} is not whole in this environment ({error}): install it, for example with "
            "`pip install 'medfab-network[chaincode]'`"
        ) from error
    program = f"import sys\nfrom {entry.module} import {entry.attr}\nsys.exit({entry.attr}())\n"
    return Site(files=files, program=program)


def _own_files(found: Distribution) -> dict[str, Path]:
    """The package's folder: a checkout is installed by a link to it, of which `files` knows not."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise PackageNotFoundError(_PACKAGE)
    folder = Path(spec.submodule_search_locations[0])
    metadata = {
        str(file): Path(str(file.locate()))
        for file in found.files or ()
        if file.name in ("METADATA", "entry_points.txt")
    }
    return {
        **metadata,
        **{
            f"{_PACKAGE}/{path.relative_to(folder)}": path
            for path in folder.rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        },
    }


def _closure() -> Iterator[Distribution]:
    """The distribution and those that it needs here, each once."""
    from packaging.requirements import Requirement

    seen: set[tuple[str, frozenset[str]]] = set()
    yielded: set[str] = set()
    waiting = [(_ROOT, frozenset(_EXTRAS))]
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found = distribution(name)
        if name not in yielded:
            yielded.add(name)
            yield found
        for text in found.requires or ():
            needed = Requirement(text)
            marker = needed.marker
            if marker is None or any(marker.evaluate({"extra": e}) for e in ("", *extras)):
                waiting.append((needed.name.lower().replace("_", "-"), frozenset(needed.extras)))
