"""SoftHSM 2, a token without hardware: the one of this machine, or else Debian's, unpacked."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from debian import unpacked

PIN = "648219"
"""Of every token made here."""

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
    root = unpacked("softhsm", "libsofthsm2", "softhsm2")
    return None if root is None else _find_in(root)
