"""What is in the wheels and source distributions: what is committed, all of it and nothing else."""

from __future__ import annotations

import email
import email.message
import os
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from release.built import ROOT, UV, build

DISTRIBUTIONS = ("gateway", "chaincode", "network")
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{20}")


def wheel(dist: Path, name: str) -> zipfile.ZipFile:
    (path,) = dist.glob(f"medfab_{name}-*.whl")
    return zipfile.ZipFile(path)


def tracked(folder: str) -> set[str]:
    run = subprocess.run(
        ["git", "ls-files", "--cached", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.removeprefix(f"{folder}/") for line in run.stdout.splitlines()}


def metadata(dist: Path, name: str) -> email.message.Message:
    with wheel(dist, name) as archive:
        (path,) = (entry for entry in archive.namelist() if entry.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(path))


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_wheel_holds_the_package_as_committed_and_its_licences(dist: Path, name: str) -> None:
    with wheel(dist, name) as archive:
        files = set(archive.namelist())
    committed = tracked(name)
    package = {path.removeprefix("src/") for path in committed if path.startswith("src/")}
    tools = {f"medfab_network/_tools/{p[6:]}" for p in committed if p.startswith("tools/")}
    information = {path.partition("/")[2] for path in files - package - tools}
    assert package | tools <= files
    assert information == {
        *("METADATA", "WHEEL", "RECORD", "entry_points.txt"),
        *("licenses/LICENSE", "licenses/NOTICE"),
    }
    assert f"medfab_{name}/py.typed" in files


def test_the_network_carries_what_it_builds_and_starts_fabric_with(dist: Path) -> None:
    with wheel(dist, "network") as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    for script in ("detect", "build", "release"):
        assert modes[f"medfab_network/data/builder/{script}"] & 0o111, script
    assert "medfab_network/data/consortium.yaml" in modes
    assert {"fabric/go.mod", "fabric/go.sum", "fabric-ca/go.sum", "container/main.go"} <= {
        path.partition("_tools/")[2] for path in modes
    }


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_source_distribution_holds_the_folder_as_committed(dist: Path, name: str) -> None:
    (path,) = dist.glob(f"medfab_{name}-*.tar.gz")
    with tarfile.open(path) as archive:
        files = {entry.name.partition("/")[2] for entry in archive.getmembers() if entry.isfile()}
    assert files == tracked(name) | {"PKG-INFO", ".gitignore"}


def test_nothing_of_tests_and_no_private_key_is_in_them(dist: Path) -> None:
    contents: dict[str, bytes] = {}
    for path in dist.glob("*.whl"):
        with zipfile.ZipFile(path) as archive:
            contents |= {f"{path.name}/{name}": archive.read(name) for name in archive.namelist()}
    assert len(contents) > 400
    for name, content in contents.items():
        parts = Path(name).parts
        assert not any(re.match(r"tests?$|test_|conftest", part) for part in parts), name
        assert not PRIVATE_KEY.search(content), name
        assert Path(name).suffix not in {".key", ".p12", ".pfx", ".env"}, name


def test_the_search_for_private_keys_finds_one() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = ec.generate_private_key(ec.SECP256R1())
    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        assert PRIVATE_KEY.search(key.private_bytes(Encoding.PEM, form, NoEncryption()))


def test_the_same_commit_gives_the_same_bytes_anywhere(dist: Path, tmp_path: Path) -> None:
    again = build(tmp_path / "again", TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="7")
    assert (again / "SHA256SUMS").read_text() == (dist / "SHA256SUMS").read_text()


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_source_distribution_gives_the_wheel_that_the_folder_gives(
    dist: Path, tmp_path: Path, name: str
) -> None:
    (path,) = dist.glob(f"medfab_{name}-*.tar.gz")
    with tarfile.open(path) as archive:
        time = max(entry.mtime for entry in archive.getmembers())
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    subprocess.run(
        [UV, "build", "--quiet", "--wheel", "--out-dir", tmp_path / "out", source],
        env={**os.environ, "SOURCE_DATE_EPOCH": str(int(time))},
        check=True,
        timeout=300,
    )
    (built,) = (tmp_path / "out").glob("*.whl")
    assert built.read_bytes() == (dist / built.name).read_bytes()


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_metadata_is_complete(dist: Path, name: str) -> None:
    found = metadata(dist, name)
    assert found["Name"] == f"medfab-{name}"
    assert found["License-Expression"] == "Apache-2.0"
    assert found.get_all("License-File") == ["LICENSE", "NOTICE"]
    assert found["Author"]
    assert found["Requires-Python"] == ">=3.11"
    assert found["Description-Content-Type"] == "text/markdown"
    assert str(found.get_payload()).startswith(f"# medfab-{name}")
    assert len(found["Keywords"].split(",")) >= 5
    classifiers = found.get_all("Classifier") or []
    assert "Typing :: Typed" in classifiers
    assert not any(line.startswith("License ::") for line in classifiers)  # PEP 639 forbids both


def test_one_version_and_requirements_on_each_other_that_admit_it(dist: Path) -> None:
    from packaging.requirements import Requirement

    versions = {metadata(dist, name)["Version"] for name in DISTRIBUTIONS}
    assert len(versions) == 1
    (version,) = versions
    needed = [
        Requirement(text) for text in metadata(dist, "network").get_all("Requires-Dist") or []
    ]
    ours = {item.name: item for item in needed if item.name.startswith("medfab-")}
    assert set(ours) == {"medfab-gateway", "medfab-chaincode"}
    for requirement in ours.values():
        assert requirement.specifier.contains(version)
        assert not requirement.specifier.contains("99.0.0")


def test_twine_finds_nothing_to_complain_of(dist: Path, release_tools: Path) -> None:
    files = [path for path in dist.iterdir() if path.suffix in {".whl", ".gz"}]
    run = subprocess.run(
        [release_tools / "twine", "check", "--strict", *files],
        env={"PATH": "/usr/bin:/bin", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("PASSED") == 6


def test_the_licence_is_the_same_everywhere() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert {(ROOT / name / "LICENSE").read_text() for name in DISTRIBUTIONS} == {text}
