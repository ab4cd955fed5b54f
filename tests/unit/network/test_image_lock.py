"""`images.lock` names all that images are made of, and is that of this version."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from medfab_network._debian import PACKAGES, _differences
from medfab_network._image_lock import (
    Package,
    locked_packages,
    program_differences,
    python_differences,
)
from medfab_network._python_site import chaincode_site, consumer_site

REPOSITORY = Path(__file__).parents[3]


def test_it_agrees_with_uv_lock_and_go_sum() -> None:
    command = [sys.executable, str(REPOSITORY / "scripts" / "make_image_lock.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_every_package_of_debian_is_locked() -> None:
    locked = locked_packages("bookworm", "x86_64")
    assert set(locked) == {name for group in PACKAGES.values() for name in group}
    assert all(len(package.sha256) == 64 for package in locked.values())
    assert locked_packages("bookworm", "riscv64") == {}


def test_what_differs_is_said() -> None:
    wanted = {"libc6": Package(version="1", sha256="a"), "dash": Package(version="1", sha256="b")}
    found = {
        "libc6": Package(version="2", sha256="c"),
        "dash": Package(version="1", sha256="d"),
        "zlib1g": Package(version="3", sha256="e"),
    }
    assert _differences(found, wanted) == [
        "dash 1 has the SHA-256 d, not the lock's",
        "libc6 is 2, locked is 1",
        "zlib1g 3 is in no lock for this kind of machine",
    ]
    assert _differences(wanted, wanted) == []


def test_python_and_programs_too() -> None:
    versions = {**chaincode_site().versions, **consumer_site().versions}
    assert python_differences(versions) == []
    assert python_differences({"grpcio": "0"})[0].startswith("grpcio is 0, locked is ")
    assert python_differences({"left-pad": "1"}) == ["left-pad is 1, locked is none"]
    assert program_differences({"fabric": "0"}) == [
        "fabric is built of other modules than the locked ones"
    ]
