"""The helper in the containers, beside the shell scripts that do the same for processes."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from medfab_network._container_program import container_program
from medfab_network._progress import Silent

METADATA = {"type": "ccaas", "label": "ehr_1.0"}


@pytest.fixture(scope="session")
async def program() -> Path:
    return await container_program(Silent())


@pytest.fixture(params=["program", "script"])
def steps(request: pytest.FixtureRequest, program: Path, tmp_path: Path) -> Path:
    """A folder with detect, build and release: of the program, or the scripts."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for step in ("detect", "build", "release"):
        if request.param == "program":
            shutil.copy(program, folder / step)
        else:
            script = resources.files("medfab_network").joinpath(f"data/builder/{step}")
            (folder / step).write_bytes(script.read_bytes())
        (folder / step).chmod(0o755)
    return folder


def run(steps: Path, step: str, *folders: Path, connections: Path | None = None) -> int:
    environment = {"PATH": "/usr/bin:/bin", "MEDFAB_CONNECTIONS": str(connections or "/nowhere")}
    return subprocess.run([steps / step, *folders], env=environment, check=False).returncode


def package(folder: Path, metadata: dict[str, str], connection: str | None = None) -> Path:
    (folder / "metadata").mkdir(parents=True)
    (folder / "metadata" / "metadata.json").write_text(json.dumps(metadata))
    (folder / "source").mkdir()
    (folder / "output").mkdir()
    if connection is not None:
        (folder / "source" / "connection.json").write_text(connection)
    return folder


@pytest.mark.parametrize(("kind", "code"), [("ccaas", 0), ("golang", 1)])
def test_detect(steps: Path, tmp_path: Path, kind: str, code: int) -> None:
    folder = package(tmp_path / "p", {**METADATA, "type": kind})
    assert run(steps, "detect", folder / "source", folder / "metadata") == code


def test_build_prefers_the_organisation_s_own_connection(steps: Path, tmp_path: Path) -> None:
    folder = package(tmp_path / "p", METADATA, connection="theirs")
    connections = tmp_path / "connections"
    connections.mkdir()
    (connections / "ehr_1.0.json").write_text("own")
    folders = (folder / "source", folder / "metadata", folder / "output")
    assert run(steps, "build", *folders, connections=connections) == 0
    assert (folder / "output" / "connection.json").read_text() == "own"


def test_build_takes_that_of_the_package_else(steps: Path, tmp_path: Path) -> None:
    folder = package(tmp_path / "p", METADATA, connection="theirs")
    assert run(steps, "build", folder / "source", folder / "metadata", folder / "output") == 0
    assert (folder / "output" / "connection.json").read_text() == "theirs"


@pytest.mark.parametrize("label", ["ehr_1.0", "../../etc/passwd"])
def test_build_fails_without_a_connection(steps: Path, tmp_path: Path, label: str) -> None:
    folder = package(tmp_path / "p", {**METADATA, "label": label})
    assert run(steps, "build", folder / "source", folder / "metadata", folder / "output") == 1


def test_release(steps: Path, tmp_path: Path) -> None:
    folder = package(tmp_path / "p", METADATA)
    (folder / "output" / "connection.json").write_text("own")
    assert run(steps, "release", folder / "output", tmp_path / "released") == 0
    assert (tmp_path / "released" / "chaincode" / "server" / "connection.json").read_text() == "own"
