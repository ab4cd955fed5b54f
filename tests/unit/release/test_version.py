"""scripts/version.py: one version, and what notices that something says another."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = (
    *("pyproject.toml", "gateway/pyproject.toml", "chaincode/pyproject.toml"),
    *("network/pyproject.toml", "CHANGELOG.md", "scripts/version.py"),
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def check(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, tree / "scripts/version.py", "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_everything_says_the_same_version(tree: Path) -> None:
    done = check(tree)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("gateway/pyproject.toml", 'version = "', 'version = "9', "gateway/pyproject.toml says"),
        ("network/pyproject.toml", "pharma]>=", "pharma]>=9", "requires medfab-gateway[cli,ehr"),
        ("network/pyproject.toml", "fast]>=", "fast]==", "requires medfab-chaincode[fast]=="),
        ("CHANGELOG.md", "\n## [", "\n## [9", "CHANGELOG.md has no section for"),
    ],
)
def test_what_says_another_is_named(tree: Path, name: str, old: str, new: str, said: str) -> None:
    path = tree / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    done = check(tree)
    assert done.returncode == 1
    assert said in done.stderr
