"""What is built and installed once for all tests of a release."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from release.built import ROOT, UV, Clean, build


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with three wheels and three source distributions."""
    return build(tmp_path_factory.mktemp("built") / "dist")


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What uv.lock pins, so that tomorrow's release of something else decides no test."""
    path = tmp_path_factory.mktemp("versions") / "constraints.txt"
    options = ["--no-hashes", "--no-emit-workspace", "--all-packages", "--all-extras", "--frozen"]
    subprocess.run([UV, "export", "--quiet", *options, "-o", path], cwd=ROOT, check=True)
    return path


@pytest.fixture(scope="session")
def installed(
    dist: Path, versions: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Clean]:
    """Makes environments: `installed("medfab-gateway[cli]")`."""

    def install(*requirements: str) -> Clean:
        folder = tmp_path_factory.mktemp("clean")
        target = folder / "env"
        subprocess.run([UV, "venv", "--quiet", target, "--python", "python3"], check=True)
        done = subprocess.run(
            [
                *(str(UV), "pip", "install", "--quiet"),
                *("--python", str(target / "bin" / "python")),
                *("--find-links", str(dist), "--constraints", str(versions)),
                *requirements,
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return Clean(folder)

    return install


@pytest.fixture(scope="session")
def release_tools() -> Path:
    """The programs that make and check a release, as uv.lock pins them."""
    subprocess.run(["make", "-s", ".release/.ready"], cwd=ROOT, check=True, timeout=600)
    assert shutil.which("twine", path=str(ROOT / ".release" / "bin"))
    return ROOT / ".release" / "bin"
