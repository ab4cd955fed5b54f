"""Where Fabric's programs come from. The only `go` here is a small shell script."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from medfab_network import BuildError
from medfab_network._binaries import FABRIC, FABRIC_CA, Binaries, ensure_binaries
from medfab_network._go import find_go

PROGRAMS = (*FABRIC.programs, *FABRIC_CA.programs)
TOOLS = ("sh", "sleep", "touch", "cat", "mkdir", "basename", "ls", "dirname")

# Counts its builds in a file, and makes in `out/bin/` what the module's folder name says.
GO = """#!/bin/sh
case "$1 $2" in
"env GOVERSION") echo {version};;
"list -deps") echo "go: downloading example.org/a v1" >&2; echo a; echo b;;
"list -m") echo {samples};;
"build -v")
    echo building >> {count}
    sleep {seconds}
    {failure}
    for program in $( [ -e fabric-ca ] && echo {ca} || echo {fabric} ); do
        touch out/bin/$program
    done;;
*) echo "unexpected: $*" >&2; exit 9;;
esac
"""


class Records:
    """A `Progress` that remembers."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def step(self, text: str) -> None:
        self.steps.append(text)

    def advance(self, text: str, done: int, total: int | None) -> None: ...

    def done(self, text: str, seconds: float) -> None: ...


class Machine:
    """PATH with nothing but what a test puts there, and an empty cache."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.path = folder / "path"
        self.cache = folder / "cache"
        self.count = folder / "count"
        self.progress = Records()
        samples = folder / "module" / "sampleconfig"
        for made in (self.path, samples):
            made.mkdir(parents=True)
        for name in ("core.yaml", "orderer.yaml"):
            (samples / name).write_text(name)
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found is not None
            (self.path / tool).symlink_to(found)
        monkeypatch.setenv("PATH", str(self.path))
        monkeypatch.setenv("MEDFAB_CACHE", str(self.cache))
        monkeypatch.delenv("MEDFAB_BIN_DIR", raising=False)
        monkeypatch.delenv("CC", raising=False)
        monkeypatch.setattr("sys.prefix", str(folder / "no-environment"))

    def program(self, name: str, script: str = "#!/bin/sh\n", folder: Path | None = None) -> None:
        target = (folder or self.path) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(script)
        target.chmod(0o755)

    def go(self, version: str = "go1.25.3", *, failure: str = ":", seconds: float = 0.05) -> None:
        self.program(
            "go",
            GO.format(
                version=version,
                samples=self.folder / "module",
                count=self.count,
                seconds=seconds,
                failure=failure,
                ca=" ".join(FABRIC_CA.programs),
                fabric=" ".join(FABRIC.programs),
            ).replace("[ -e fabric-ca ]", "case $PWD in *fabric-ca*) true;; *) false;; esac"),
        )

    def compiler(self) -> None:
        self.program("cc")

    def builds(self) -> int:
        return len(self.count.read_text().splitlines()) if self.count.exists() else 0

    async def ensure(self, bin_dir: Path | None = None) -> Binaries:
        return await ensure_binaries(self.progress, bin_dir)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def all_there(binaries: Binaries) -> bool:
    samples = (binaries.config / "core.yaml", binaries.config / "orderer.yaml")
    return all(path.is_file() for path in (*binaries.programs.values(), *samples))


async def test_built_once_then_cached(machine: Machine) -> None:
    machine.go()
    machine.compiler()
    first = await machine.ensure()
    assert first.built
    assert all_there(first)
    assert set(first.programs) == set(PROGRAMS)
    assert [step.split(" (")[0] for step in machine.progress.steps] == [
        "building fabric 3.1.1",
        "building fabric-ca 1.5.21",
    ]
    (machine.path / "go").unlink()  # the cache needs neither Go nor a compiler
    (machine.path / "cc").unlink()
    second = await machine.ensure()
    assert not second.built
    assert second.programs == first.programs
    assert machine.builds() == 2
    assert not list(machine.cache.glob(".build*"))


async def test_two_at_once_build_once(machine: Machine) -> None:
    machine.go(seconds=0.3)
    machine.compiler()
    results = await asyncio.gather(machine.ensure(), machine.ensure())
    assert machine.builds() == 2
    assert sorted(result.built for result in results) == [False, True]
    assert all(map(all_there, results))
    assert any("another process is building" in step for step in machine.progress.steps)


async def test_a_killed_build_leaves_no_trouble(machine: Machine) -> None:
    """Leavings in the cache, and a target folder that was never completed."""
    machine.go()
    machine.compiler()
    left = machine.cache / ".build.fabric.abc" / "out"
    left.mkdir(parents=True)
    for tools in (FABRIC, FABRIC_CA):
        (machine.cache / tools.key() / "bin").mkdir(parents=True)
        (machine.cache / tools.key() / "bin" / "half").touch()
    assert all_there(await machine.ensure())
    assert not list(machine.cache.glob(".build*"))


async def test_a_cancelled_build_ends_the_compilers(machine: Machine) -> None:
    machine.go(seconds=30)
    machine.compiler()
    building = asyncio.create_task(machine.ensure())
    while not machine.builds():
        await asyncio.sleep(0.01)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(building, 5)
    assert not list(machine.cache.glob(".build*"))
    machine.go()
    assert (await machine.ensure()).built


async def test_a_failed_build_shows_the_last_lines(machine: Machine) -> None:
    machine.go(failure="echo 'proxy refused' >&2; exit 1")
    machine.compiler()
    with pytest.raises(BuildError, match=r"(?s)`go build` for fabric failed.*GOPROXY.*refused"):
        await machine.ensure()
    assert not list(machine.cache.glob(".build*"))


async def test_no_compiler(machine: Machine) -> None:
    machine.go()
    with pytest.raises(BuildError, match=r"C compiler is needed.*apt install gcc"):
        await machine.ensure()
    assert machine.builds() == 1  # Fabric itself needs none, and stays built


async def test_no_go(machine: Machine) -> None:
    with pytest.raises(BuildError, match=r"Go 1\.25 or newer.*none found.*medfab-network\[go\]"):
        await machine.ensure()


@pytest.mark.parametrize(
    ("version", "told"),
    [("go1.24.2", r"is 1\.24\.2"), ("devel", "is unusable"), ("go1.9", r"is 1\.9\.0")],
)
async def test_go_is_too_old(machine: Machine, version: str, told: str) -> None:
    machine.go(version)
    with pytest.raises(BuildError, match=rf"Go 1\.25 or newer.*{told}"):
        await machine.ensure()


@pytest.mark.parametrize("version", ["go1.25.0", "go1.25rc1", "go1.26.1", "go2.0"])
async def test_go_is_new_enough(machine: Machine, version: str) -> None:
    machine.go(version)
    assert await find_go() == machine.path / "go"


async def test_the_environments_go_is_taken_where_the_one_on_path_is_old(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.go("go1.25.1")
    environment = machine.folder / "environment" / "bin"
    environment.mkdir(parents=True)
    (machine.path / "go").rename(environment / "go")
    machine.go("go1.22.0")
    monkeypatch.setattr("sys.prefix", str(environment.parent))
    assert await find_go() == environment / "go"


async def test_a_named_folder_goes_first(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release archive of Fabric: bin/ and config/ side by side. No Go is needed."""
    release = machine.folder / "release"
    for program in PROGRAMS:
        machine.program(program, folder=release / "bin")
    (release / "config").mkdir()
    for name in ("core.yaml", "orderer.yaml"):
        (release / "config" / name).touch()
    by_option = await machine.ensure(release / "bin")
    monkeypatch.setenv("MEDFAB_BIN_DIR", str(release / "bin"))
    by_environment = await machine.ensure()
    for binaries in (by_option, by_environment):
        assert binaries["peer"] == release / "bin" / "peer"
        assert binaries.config == release / "config"
        assert not binaries.built


async def test_a_named_folder_without_samples_takes_them_from_the_module(
    machine: Machine,
) -> None:
    for program in PROGRAMS:
        machine.program(program, folder=machine.folder / "bin")
    with pytest.raises(BuildError, match=r"Go 1\.25 or newer"):
        await machine.ensure(machine.folder / "bin")
    machine.go()
    assert all_there(await machine.ensure(machine.folder / "bin"))
    machine.compiler()
    assert (await machine.ensure()).built  # and what it kept is not in the way of a build


async def test_a_named_folder_that_is_incomplete(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = machine.folder / "bin"
    for program in set(PROGRAMS) - {"orderer"}:
        machine.program(program, folder=folder)
    monkeypatch.setenv("MEDFAB_BIN_DIR", str(folder))
    with pytest.raises(BuildError, match=rf"{folder} holds no orderer$"):
        await machine.ensure()


async def test_tools_that_only_people_use_may_be_missing(machine: Machine) -> None:
    machine.go()
    folder = machine.folder / "bin"
    for program in ("peer", "orderer", "configtxgen", "fabric-ca-server"):
        machine.program(program, folder=folder)
    assert set((await machine.ensure(folder)).programs) == {
        *("peer", "orderer", "configtxgen", "fabric-ca-server")
    }


def on_path(machine: Machine, version: str) -> None:
    for program in FABRIC.programs:
        machine.program(program, f"#!/bin/sh\necho 'peer:'\necho ' Version: {version}'\n")


async def test_programs_on_path_of_the_right_version(machine: Machine) -> None:
    machine.go()
    machine.compiler()
    on_path(machine, "v3.1.1")
    binaries = await machine.ensure()
    assert binaries["peer"] == machine.path / "peer"
    assert machine.builds() == 1  # the CA


@pytest.mark.parametrize("version", ["2.5.4", "3.1.10", "3.1.1-rc1"])
async def test_programs_on_path_of_another_version_are_not_taken(
    machine: Machine, version: str
) -> None:
    machine.go()
    machine.compiler()
    on_path(machine, version)
    assert (await machine.ensure())["peer"].is_relative_to(machine.cache)


async def test_a_mixture_on_path_is_not_taken(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.go()
    machine.compiler()
    on_path(machine, "v3.1.1")
    other = machine.folder / "other"
    other.mkdir()
    (machine.path / "orderer").rename(other / "orderer")
    monkeypatch.setenv("PATH", f"{machine.path}{os.pathsep}{other}")
    assert (await machine.ensure())["peer"].is_relative_to(machine.cache)


def test_the_key_covers_checksums_and_flags() -> None:
    keys = {FABRIC.key(), FABRIC_CA.key()}
    assert len(keys) == 2
    assert FABRIC.key() == FABRIC.key()
    assert FABRIC.key().startswith("fabric-3.1.1-")
