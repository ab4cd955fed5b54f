"""bash, zsh and fish: those of this machine, or else Debian's, unpacked."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from debian import unpacked

_PACKAGES = {
    "zsh": ("zsh", "zsh-common"),
    "fish": ("fish", "fish-common", "libpcre2-32-0"),
}


@dataclass(frozen=True)
class Shell:
    """A shell without anybody's settings."""

    name: str
    program: Path
    root: Path | None
    """Where it is unpacked; None: it is installed."""

    def run(
        self, script: str, *, cwd: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        if self.name == "zsh" and self.root is not None:
            (modules,) = self.root.glob("usr/lib/*/zsh/*/zsh/..")
            script = f"module_path=({modules})\n{script}"
        # Neither the user's start-up files nor their history.
        home = {"HOME": str(cwd), "XDG_CONFIG_HOME": str(cwd), "XDG_DATA_HOME": str(cwd)}
        return self._call(["-c", script], cwd=cwd, environment={**environment, **home})

    def check(self, script: Path) -> subprocess.CompletedProcess[str]:
        """Reads the script without running it."""
        return self._call(["-n", str(script)], cwd=script.parent, environment=os.environ)

    def _call(
        self, arguments: list[str], *, cwd: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        options = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[self.name]
        libraries = {}
        if self.root is not None:
            # What medfab is started with must not see them: Python has libraries of its own.
            libraries = {"LD_LIBRARY_PATH": str(next(self.root.glob("usr/lib/*-linux-gnu")))}
        return subprocess.run(
            [self.program, *options, *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            env={**environment, **libraries},
            check=False,
        )


@functools.cache
def shell(name: str) -> Shell:
    """Skips the test where the shell is missing and there is no apt-get to fetch it with."""
    installed = shutil.which(name)
    if installed is not None:
        return Shell(name, Path(installed), None)
    root = unpacked(name, *_PACKAGES[name])
    if root is None:
        pytest.skip(f"{name} is not installed, and there is no apt-get to fetch it with")
    for program in (root / "bin" / name, root / "usr" / "bin" / name):
        if program.exists():
            return Shell(name, program, root)
    raise FileNotFoundError(f"{root} has no {name}")
