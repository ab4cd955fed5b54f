"""The external builder: three small programs that a peer runs."""

from __future__ import annotations

import json
import subprocess
from importlib import resources
from pathlib import Path

import pytest

BUILDER = resources.files("medfab_network").joinpath("data/builder")


def run(
    program: str, *folders: Path, connections: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin"}
    if connections is not None:
        environment["MEDFAB_CONNECTIONS"] = str(connections)
    return subprocess.run(
        ["sh", str(BUILDER / program), *map(str, folders)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=10,
    )


class Package:
    """An unpacked chaincode package, as a peer hands it to the builder."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "source"
        self.metadata = folder / "metadata"
        self.output = folder / "output"
        self.release = folder / "release"
        self.connections = folder / "connections of ours"
        for path in (self.source, self.metadata, self.output, self.release, self.connections):
            path.mkdir()
        self.describe({"type": "ccaas", "label": "ehr_1.0"})

    def describe(self, metadata: dict[str, str], *, indent: int | None = None) -> None:
        text = json.dumps(metadata, indent=indent)
        (self.metadata / "metadata.json").write_text(text)

    def build(self) -> subprocess.CompletedProcess[str]:
        return run("build", self.source, self.metadata, self.output, connections=self.connections)

    @property
    def built(self) -> str:
        return (self.output / "connection.json").read_text()


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return Package(tmp_path)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    ("kind", "ours"), [("ccaas", True), ("golang", False), ("ccaas2", False), ("external", False)]
)
def test_detect(package: Package, kind: str, ours: bool, indent: int | None) -> None:
    package.describe({"type": kind, "label": "ccaas"}, indent=indent)
    assert (run("detect", package.source, package.metadata).returncode == 0) is ours


@pytest.mark.parametrize("indent", [None, 2])
def test_build_takes_the_organisations_own_connection(package: Package, indent: int | None) -> None:
    package.describe({"type": "ccaas", "label": "ehr_1.0"}, indent=indent)
    (package.connections / "ehr_1.0.json").write_text("ours")
    (package.connections / "ehr_1.1.json").write_text("another version")
    (package.source / "connection.json").write_text("of the package")
    assert package.build().returncode == 0
    assert package.built == "ours"


def test_build_falls_back_to_the_package(package: Package) -> None:
    (package.connections / "ehr_2.0.json").write_text("another version")
    (package.source / "connection.json").write_text("of the package")
    assert package.build().returncode == 0
    assert package.built == "of the package"


def test_build_without_any_connection_tells_where_it_looked(package: Package) -> None:
    result = package.build()
    assert result.returncode == 1
    assert f"{package.connections}/ehr_1.0.json" in result.stderr
    assert not (package.output / "connection.json").exists()


@pytest.mark.parametrize("label", ["../secret", "a/b", "$(touch x)", ""])
def test_build_reads_no_file_by_a_foreign_name(package: Package, label: str) -> None:
    (package.connections.parent / "secret.json").write_text("secret")
    package.describe({"type": "ccaas", "label": label})
    assert package.build().returncode == 1
    assert not (package.output / "connection.json").exists()


def test_release_puts_the_connection_where_the_peer_looks(package: Package) -> None:
    (package.output / "connection.json").write_text("ours")
    assert run("release", package.output, package.release).returncode == 0
    released = package.release / "chaincode" / "server" / "connection.json"
    assert released.read_text() == "ours"


def test_release_of_nothing_fails(package: Package) -> None:
    assert run("release", package.output, package.release).returncode != 0
