"""SoftHSM 2, a token without hardware: the one of this machine, or else Debian's, unpacked.

Debian's packages are fetched with `apt-get` as any user, into medfab's cache; nothing is installed.
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from medfab_network._binaries import cache_folder

PIN = "648219"
"""Of every token made here."""

_PACKAGES = ("libsofthsm2", "softhsm2")
_MODULES = ("usr/lib/*/softhsm/libsofthsm2.so", "usr/lib/softhsm/libsofthsm2.so")
_UTIL = "usr/bin/softhsm2-util"


@dataclass(frozen=True)
class SoftHsm:
    """The module, and the program that makes tokens."""

    module: Path
    util: Path

    def add_token(self, label: str) -> None:
        command: list[str | Path] = [self.util, "--module", self.module, "--init-token", "--free"]
        command += ["--label", label, "--so-pin", PIN, "--pin", PIN]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


@functools.cache
def soft_hsm() -> SoftHsm:
    """With an empty folder of tokens for this process. Skips the test where there is no Debian."""
    found = _find_in(Path("/")) or _unpacked()
    if found is None:
        pytest.skip("SoftHSM 2 is not installed, and there is no apt-get to fetch it with")
    folder = Path(tempfile.mkdtemp(prefix="medfab-softhsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(settings)  # the module reads it when it is loaded
    return found


def _find_in(root: Path) -> SoftHsm | None:
    modules = [path for pattern in _MODULES for path in sorted(root.glob(pattern))]
    util = root / _UTIL
    return SoftHsm(modules[0], util) if modules and util.exists() else None


def _unpacked() -> SoftHsm | None:
    if shutil.which("apt-get") is None:
        return None
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / "softhsm"
    with (cache / "softhsm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                _fetch(Path(folder))
                (Path(folder) / "root").rename(target)
    return _find_in(target)


def _fetch(folder: Path) -> None:
    """With package lists of its own, so that neither root nor an earlier update is needed."""
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    apt = ["apt-get", "-q", "-o", f"Dir::State::Lists={folder}/lists"]
    apt += ["-o", f"Dir::Cache={folder}/cache", "-o", "APT::Sandbox::User=root"]
    for arguments in (["update"], ["download", *_PACKAGES]):
        subprocess.run([*apt, *arguments], cwd=folder, check=True, capture_output=True, timeout=300)
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, folder / "root"], check=True, timeout=60)
