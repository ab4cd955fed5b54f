"""The one program of ours in the containers: external builder and health check (`tools/container`).

Static, so that it runs in any image, also in Fabric's own.
"""

from __future__ import annotations

import hashlib
import platform
import tempfile
import time
from pathlib import Path

from medfab_network._binaries import CONTAINER_TOOLS, cache_folder, run_go
from medfab_network._files import write_atomically
from medfab_network._go import find_go
from medfab_network._layout import Layout
from medfab_network._progress import Progress

_BUILDER_STEPS = ("detect", "build", "release")


async def container_program(progress: Progress) -> Path:
    """The program, built first where it is not in the cache. Raises `BuildError`."""
    source = CONTAINER_TOOLS.source() / "main.go"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    target = cache_folder() / f"container-{platform.machine()}-{digest}"
    if not target.is_file():
        began = time.monotonic()
        progress.step("building the containers' helper")
        go = await find_go()
        cache_folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache_folder()) as folder:
            work = Path(folder)
            for name in ("go.mod", "main.go"):
                (work / name).write_bytes(source.with_name(name).read_bytes())
            build = ["build", "-ldflags", "-s -w", "-o", "out", "."]
            await run_go(go, build, CONTAINER_TOOLS, work)
            (work / "out").replace(target)
        progress.done("built the containers' helper", time.monotonic() - began)
    return target


def install(program: Path, layout: Layout) -> None:
    """Put it where the containers of a directory look for it, under each of its names."""
    content = program.read_bytes()
    write_atomically(layout.root / "bin" / "medfab-health", content, 0o755)
    for step in _BUILDER_STEPS:
        write_atomically(layout.builder / "bin" / step, content, 0o755)
