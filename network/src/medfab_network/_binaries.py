"""Fabric's programs: found, or built once from the pinned Go modules into a cache.

Order: the directory that the caller (or `MEDFAB_BIN_DIR`) names; the cache; programs of the right
version on PATH; a build. The cache key covers the modules' checksums and all build flags, so that
raising a version is a change of `tools/*/go.mod` and of the constants here.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from medfab_network._files import write_atomically
from medfab_network._go import find_go
from medfab_network._progress import Progress
from medfab_network.errors import BuildError

FABRIC_VERSION = "3.1.1"
FABRIC_CA_VERSION = "1.5.21"
_SAMPLES = ("core.yaml", "orderer.yaml")


@dataclass(frozen=True, kw_only=True)
class _Tools:
    """One Go tool module and what is built from it."""

    name: str
    version: str
    programs: tuple[str, ...]
    module: str
    version_variable: str
    cgo: bool

    @property
    def linker_flags(self) -> str:
        return f"-s -w -X {self.version_variable}={self.version}"

    def source(self) -> Path:
        """The folder with go.mod: inside the wheel, or beside `src/` in a checkout."""
        package = Path(__file__).parent
        for folder in (package / "_tools", package.parent.parent / "tools"):
            if (folder / self.name / "go.mod").is_file():
                return folder / self.name
        raise BuildError(f"tools/{self.name}/go.mod did not come with this installation")

    def checksum(self) -> str:
        """Of all modules that are built, by go.sum."""
        return hashlib.sha256((self.source() / "go.sum").read_bytes()).hexdigest()

    def key(self) -> str:
        digest = hashlib.sha256()
        for file in ("go.mod", "go.sum"):
            digest.update((self.source() / file).read_bytes())
        facts = (self.linker_flags, self.cgo, self.programs, platform.system(), platform.machine())
        digest.update(repr(facts).encode())
        return f"{self.name}-{self.version}-{digest.hexdigest()[:12]}"


FABRIC = _Tools(
    name="fabric",
    version=FABRIC_VERSION,
    programs=(
        "configtxgen",
        "configtxlator",
        "cryptogen",
        "discover",
        "ledgerutil",
        "orderer",
        "osnadmin",
        "peer",
    ),
    module="github.com/hyperledger/fabric",
    version_variable="github.com/hyperledger/fabric/common/metadata.Version",
    cgo=False,
)
FABRIC_CA = _Tools(
    name="fabric-ca",
    version=FABRIC_CA_VERSION,
    programs=("fabric-ca-client", "fabric-ca-server"),
    module="github.com/hyperledger/fabric-ca",
    version_variable="github.com/hyperledger/fabric-ca/lib/metadata.Version",
    cgo=True,  # for SQLite
)
CONTAINER_TOOLS = _Tools(
    name="container",
    version="1",
    programs=(),
    module="medfab/container",
    version_variable="",
    cgo=False,
)
"""Built by `_container_program` where containers are asked for."""


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """Where the programs are. `config` holds Fabric's own `core.yaml` and `orderer.yaml`."""

    programs: Mapping[str, Path]
    config: Path
    built: bool
    """Whether this call has built something."""

    def __getitem__(self, program: str) -> Path:
        return self.programs[program]


def cache_folder() -> Path:
    """`MEDFAB_CACHE`, else `medfab` in the user's cache folder."""
    named = os.environ.get("MEDFAB_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "medfab"


async def ensure_binaries(progress: Progress, bin_dir: Path | None = None) -> Binaries:
    """Fabric's programs, built if need be (a few minutes, once). Raises `BuildError`."""
    named = bin_dir or os.environ.get("MEDFAB_BIN_DIR")
    programs: dict[str, Path] = {}
    built = False
    for tools in (FABRIC, FABRIC_CA):
        if named:
            folder = Path(named)
        else:
            folder = cache_folder() / tools.key() / "bin"
            if not _complete(folder, tools):
                on_path = await _on_path(tools)
                if on_path is not None:
                    folder = on_path
                else:
                    built |= await _build(tools, folder.parent, progress)
        missing = [p for p in tools.programs if not (folder / p).is_file()]
        if missing and {"peer", "orderer", "configtxgen", "fabric-ca-server"} & set(missing):
            raise BuildError(f"{folder} holds no {', '.join(missing)}")
        programs |= {p: folder / p for p in tools.programs if p not in missing}
    config = programs["peer"].parent.parent / "config"  # as in Fabric's own release archives
    if not _has_samples(config):
        config = cache_folder() / f"{FABRIC.key()}-config"
        if not _has_samples(config):
            await _copy_sample_config(config)
    return Binaries(programs=programs, config=config, built=built)


def _has_samples(config: Path) -> bool:
    return all((config / name).is_file() for name in _SAMPLES)


def _complete(folder: Path, tools: _Tools) -> bool:
    return all((folder / program).is_file() for program in tools.programs)


async def _on_path(tools: _Tools) -> Path | None:
    """The folder on PATH that holds all programs in the right version, if any."""
    found = {shutil.which(program) for program in tools.programs}
    folders = {Path(path).parent for path in found if path}
    if None in found or len(folders) != 1:
        return None
    probe = "peer" if tools is FABRIC else "fabric-ca-server"
    process = await asyncio.create_subprocess_exec(
        probe, "version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate()
    right = any(
        line.strip().removeprefix("Version:").strip().lstrip("v") == tools.version
        for line in output.decode(errors="replace").splitlines()
    )
    return folders.pop() if right else None


async def _build(tools: _Tools, target: Path, progress: Progress) -> bool:
    """Build into `target`; False when another process has done so meanwhile."""
    target.parent.mkdir(parents=True, exist_ok=True)
    async with _lock(target.parent / f"{tools.name}.lock", tools, progress):
        if _complete(target / "bin", tools):
            return False
        began = time.monotonic()
        go = await find_go()
        if tools.cgo and not (shutil.which("cc") or shutil.which("gcc") or os.environ.get("CC")):
            raise BuildError(
                "a C compiler is needed to build Fabric CA (it embeds SQLite); install one, "
                "for example with `apt install gcc libc6-dev`"
            )
        progress.step(f"building {tools.name} {tools.version} (once, into {target})")
        work_prefix = f".build.{tools.name}."
        for killed_build in target.parent.glob(f"{work_prefix}*"):
            shutil.rmtree(killed_build, ignore_errors=True)
        shutil.rmtree(target, ignore_errors=True)  # incomplete, or it would have been taken
        # A folder of its own: `go` wants to write beside go.mod, and an installation is read-only.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=work_prefix) as folder:
            work = Path(folder)
            for file in ("go.mod", "go.sum"):
                shutil.copy(tools.source() / file, work / file)
            total = await _download(go, tools, work, progress)
            (work / "out" / "bin").mkdir(parents=True)
            await _compile(go, tools, work, total, progress)
            if tools is FABRIC:
                await _copy_sample_config(work / "out" / "config", go=go, module_folder=work)
            (work / "out").replace(target)
        progress.done(f"built {tools.name} {tools.version}", time.monotonic() - began)
    return True


def _go_environment(tools: _Tools) -> dict[str, str]:
    return {
        **os.environ,
        "CGO_ENABLED": "1" if tools.cgo else "0",
        "GOFLAGS": "-mod=readonly -buildvcs=false -trimpath",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


async def _download(go: Path, tools: _Tools, work: Path, progress: Progress) -> int:
    """Fetch the modules that the build needs; returns the number of packages to compile."""
    downloaded = 0

    def count(line: str) -> None:
        nonlocal downloaded
        if line.startswith("go: downloading"):
            downloaded += 1
            progress.advance("modules fetched", downloaded, None)

    output = await run_go(
        go, ["list", "-deps", "-f", "{{.ImportPath}}", "tool"], tools, work, count
    )
    return len(output.splitlines())


async def _compile(go: Path, tools: _Tools, work: Path, total: int, progress: Progress) -> None:
    compiled = 0

    def count(line: str) -> None:
        nonlocal compiled
        compiled += 1
        if compiled % 10 == 0:
            progress.advance("packages compiled", min(compiled, total), total)

    arguments = ["build", "-v", "-ldflags", tools.linker_flags, "-o", "out/bin/", "tool"]
    await run_go(go, arguments, tools, work, count)


async def run_go(
    go: Path,
    arguments: list[str],
    tools: _Tools,
    work: Path,
    on_line: Callable[[str], None] | None = None,
) -> str:
    # Shielded: cancelled in the middle of a start, asyncio would end `go` alone, not its compilers.
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            go,
            *arguments,
            cwd=work,
            env=_go_environment(tools),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    )
    last: list[str] = []

    async def read_errors(stream: asyncio.StreamReader) -> None:
        async for raw in stream:
            line = raw.decode(errors="replace").rstrip()
            last[:] = [*last[-14:], line]
            if on_line is not None:
                on_line(line)

    try:
        process = await asyncio.shield(starting)
        if process.stdout is None or process.stderr is None:
            raise BuildError("go was started without pipes")
        output, _ = await asyncio.gather(process.stdout.read(), read_errors(process.stderr))
        status = await process.wait()
    except BaseException:
        process = await starting
        # Ctrl-C: the compilers that `go` has started are in its session.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        await process.wait()
        raise
    if status != 0:
        detail = "\n".join(last)
        raise BuildError(
            f"`go {arguments[0]}` for {tools.name} failed. If modules could not be fetched, check "
            f"the network and GOPROXY and try again; what is fetched stays fetched.\n{detail}"
        )
    return output.decode(errors="replace")


async def _copy_sample_config(
    target: Path, *, go: Path | None = None, module_folder: Path | None = None
) -> None:
    """Copy Fabric's sample `core.yaml` and `orderer.yaml` out of the module."""
    go = go or await find_go()
    output = await run_go(
        go,
        ["list", "-m", "-f", "{{.Dir}}", FABRIC.module],
        FABRIC,
        module_folder or FABRIC.source(),
    )
    samples = Path(output.strip()) / "sampleconfig"
    for name in _SAMPLES:
        if not (samples / name).is_file():
            raise BuildError(f"{samples} holds no {name}")
        write_atomically(target / name, (samples / name).read_bytes())


@contextlib.asynccontextmanager
async def _lock(path: Path, tools: _Tools, progress: Progress) -> AsyncIterator[None]:
    """Only one build of one kind at a time on this machine; the others wait for it."""
    with path.open("w") as file:
        waiting = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waiting:
                    progress.step(f"another process is building {tools.name}; waiting for it")
                    waiting = True
                await asyncio.sleep(0.2)
        yield
