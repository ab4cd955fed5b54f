"""What distributions and Fabric builds are made of: read from what is installed and built."""

from __future__ import annotations

import asyncio
import functools
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distributions
from pathlib import Path

from medfab_network._binaries import FABRIC, FABRIC_CA, ensure_binaries
from medfab_network._progress import Silent

ROOT = Path(__file__).parents[1]
UV = ROOT / ".uv" / "bin" / "uv"
RUNTIME = ROOT / ".release" / "runtime"
_LICENCE_FILE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|UNLICENSE)", re.IGNORECASE)
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


@dataclass(frozen=True, kw_only=True)
class Component:
    """One package or module, with what its licence files say."""

    name: str
    version: str
    licence: str
    """An SPDX expression, as far as it is known; else what the package says."""
    texts: dict[str, str] = field(repr=False)
    checksum: str = ""
    """Go: the module's checksum, as in go.sum."""


def python_components() -> list[Component]:
    """What `install_runtime` has installed, but for medfab itself."""
    (site,) = RUNTIME.glob("lib/python3.*/site-packages")
    found = [_of(item) for item in distributions(path=[str(site)])]
    return sorted(
        (item for item in found if not item.name.startswith("medfab-")), key=lambda item: item.name
    )


def install_runtime(dist: Path) -> Path:
    """The wheels in that folder with every extra but `go`, as uv.lock pins the rest; its Python."""
    wanted = [f"medfab-{name}[{','.join(_extras(name))}]" for name in _distributions()]
    pinned = RUNTIME.parent / "pinned.txt"
    options = ["--no-hashes", "--no-emit-workspace", "--all-packages", "--all-extras", "--frozen"]
    _uv("export", *options, "--no-default-groups", "--output-file", str(pinned))
    _uv("venv", "--clear", str(RUNTIME))
    python = RUNTIME / "bin" / "python"
    where = ["--python", str(python), "--find-links", str(dist), "--constraints", str(pinned)]
    _uv("pip", "install", *where, "--refresh-package", "medfab-gateway", *wanted)
    return python


def go_components(program: Path) -> list[Component]:
    """The module of a program that Go built, and all that is linked into it."""
    listing = subprocess.run(
        [go(), "version", "-m", program], capture_output=True, text=True, check=True
    ).stdout
    return [_module(*found) for found in _linked(listing)]


def fabric_builds() -> dict[tuple[str, str], list[Component]]:
    """What is linked into the programs of each build, by the name and version of the build."""
    binaries = asyncio.run(ensure_binaries(Silent()))
    return {
        (build.name, build.version): _together(
            go_components(binaries.programs[program]) for program in build.programs
        )
        for build in (FABRIC, FABRIC_CA)
    }


def _together(lists: Iterable[list[Component]]) -> list[Component]:
    every = {(item.name, item.version): item for items in lists for item in items}
    return [every[key] for key in sorted(every)]


def go() -> str:
    found = shutil.which("go", path=f"{os.environ['PATH']}:/usr/local/go/bin")
    if found is None:
        raise SystemExit("Go is needed to look into the Fabric builds; there is none on PATH")
    return found


def _linked(listing: str) -> Iterator[tuple[str, str, str]]:
    """Name, version and checksum; of a module that is replaced, those of what replaces it."""
    rows = [line.split("\t")[1:] for line in listing.splitlines()[1:]]
    for at, row in enumerate(rows):
        if row[0] not in ("mod", "dep"):
            continue
        if at + 1 < len(rows) and rows[at + 1][0] == "=>":
            row = rows[at + 1]
        yield row[1], row[2], row[3] if len(row) > 3 else ""


@functools.cache
def _module(name: str, version: str, checksum: str) -> Component:
    texts = _texts(_module_folder(name, version))
    licences = sorted({found for text in texts.values() if (found := recognise(text))})
    return Component(
        name=name,
        version=version,
        licence=" AND ".join(licences) or "see its licence file",
        texts=texts,
        checksum=checksum,
    )


def _module_folder(name: str, version: str) -> Path:
    """In Go's cache of modules, fetched where it is missing."""
    cache = subprocess.run(
        [go(), "env", "GOMODCACHE"], capture_output=True, text=True, check=True
    ).stdout.strip()
    escaped = re.sub("[A-Z]", lambda letter: f"!{letter[0].lower()}", f"{name}@{version}")
    folder = Path(cache) / escaped
    if not folder.is_dir():
        subprocess.run([go(), "mod", "download", f"{name}@{version}"], cwd="/", check=True)
    return folder


def _texts(folder: Path) -> dict[str, str]:
    return {
        path.name: path.read_text("utf-8", errors="replace")
        for path in sorted(folder.iterdir())
        if path.is_file() and _LICENCE_FILE.match(path.name)
    }


def recognise(text: str) -> str | None:
    """The SPDX name of a licence by the words that only it has; None: another, or a notice."""
    plain = " ".join(text.split())
    if "Apache License" in plain and "Version 2.0" in plain and "TERMS AND CONDITIONS" in plain:
        return "Apache-2.0"
    if "Mozilla Public License" in plain and "2.0" in plain[:400]:
        return "MPL-2.0"
    if "Redistribution and use in source and binary forms" in plain:
        return "BSD-3-Clause" if "endorse or promote" in plain else "BSD-2-Clause"
    if "Permission to use, copy, modify, and/or distribute" in plain:
        return "ISC"
    if "Permission to use, copy, modify, and distribute this software" in plain:
        return "ISC"
    if "Permission is hereby granted, free of charge" in plain:
        return "MIT"
    if "This is free and unencumbered software released into the public domain" in plain:
        return "Unlicense"
    return None


def _of(found: Distribution) -> Component:
    texts = {
        file.name: file.locate().read_text("utf-8", errors="replace")  # type: ignore[attr-defined]
        for file in found.files or ()
        if ".dist-info" in file.parts[0] and _LICENCE_FILE.match(file.name)
    }
    name = re.sub(r"[-_.]+", "-", found.name).lower()
    return Component(name=name, version=found.version, licence=_licence(found, texts), texts=texts)


def _licence(found: Distribution, texts: dict[str, str]) -> str:
    metadata = found.metadata
    if expression := metadata["License-Expression"]:
        return str(expression)
    said = [
        line.rpartition(" :: ")[2]
        for line in metadata.get_all("Classifier") or ()
        if line.startswith("License :: ")
    ]
    named = sorted({_CLASSIFIERS[line] for line in said if line in _CLASSIFIERS})
    if named == ["BSD"]:  # which of them, the text says
        named = sorted({known for text in texts.values() if (known := recognise(text))})
    if named:
        return " AND ".join(named)
    short = metadata["License"] or ""
    if short and len(short) < 40:
        return {"Apache 2.0": "Apache-2.0", "Apache License 2.0": "Apache-2.0"}.get(short, short)
    read = sorted({spdx for text in texts.values() if (spdx := recognise(text))})
    return " AND ".join(read) or "unknown"


def _distributions() -> tuple[str, ...]:
    return ("gateway", "chaincode", "network")


def _extras(name: str) -> list[str]:
    text = (ROOT / name / "pyproject.toml").read_text("utf-8")
    return sorted(set(tomllib.loads(text)["project"]["optional-dependencies"]) - {"go"})


def _uv(*arguments: str) -> None:
    subprocess.run([UV, *arguments, "--quiet"], cwd=ROOT, check=True)
