"""The distributions as a user gets them: built from a commit, installed outside this repository."""

from __future__ import annotations

import functools
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = ROOT / ".uv" / "bin" / "uv"
FULL = bool(os.environ.get("MEDFAB_RELEASE_FULL"))
"""Set by `make test-release`: every extra by itself, plain pip, source distributions."""

_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "tests"), ("EMAIL", "tests@medfab.invalid"))
}


@dataclass(frozen=True)
class Clean:
    """An environment with what was asked for, in a folder outside this repository."""

    folder: Path

    @property
    def bin(self) -> Path:
        return self.folder / "env" / "bin"

    def run(
        self, program: str, *arguments: str, timeout: float = 300, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """A program of the environment, with nothing of this test run's environment."""
        done = subprocess.run(
            [self.bin / program, *arguments],
            cwd=self.folder,
            env=environment(self.bin),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done

    def python(self, code: str, *arguments: str) -> str:
        script = self.folder / "script.py"
        script.write_text(code)
        return self.run("python", "-I", "-W", "error", str(script), *arguments).stdout


def environment(programs: Path) -> dict[str, str]:
    kept = ("HOME", "LANG", "TMPDIR", "MEDFAB_CACHE", "MEDFAB_BIN_DIR", "GOPROXY", "GOFLAGS")
    settings = {name: os.environ[name] for name in kept if name in os.environ}
    return {**settings, "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin"}


@functools.cache
def commit() -> str:
    """HEAD, or a commit of the working tree where something is changed."""
    made = subprocess.run(
        ["git", "stash", "create"],
        cwd=ROOT,
        env={**os.environ, **_IDENTITY},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip() or "HEAD"


def build(out: Path, **settings: str) -> Path:
    """All that `make dist` builds."""
    done = subprocess.run(
        [ROOT / "scripts" / "dist", out],
        env={**os.environ, "COMMIT": commit(), **settings},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out
