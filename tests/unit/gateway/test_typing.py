"""What programs see of the types of medfab_gateway: mypy and pyright, both strict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
CONSUMER = ROOT / "tests" / "typing" / "gateway_consumer.py"
SECONDS = 300


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        # Of newer versions: the lock file decides.
        "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",
        # Where `pyright --verifytypes` looks for the interpreter that has the package.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def test_mypy_accepts_the_consumer() -> None:
    done = run("mypy", "--strict", CONSUMER)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pyright_accepts_the_consumer() -> None:
    """The consumer itself asks for strictness."""
    done = run("pyright", "--pythonpath", sys.executable, CONSUMER)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_public_type_is_known() -> None:
    """Fabric's messages have no types: none of them may show in ours."""
    done = run("pyright", "--ignoreexternal", "--outputjson", "--verifytypes", "medfab_gateway")
    report = json.loads(done.stdout)["typeCompleteness"]
    unknown = [
        symbol["name"]
        for symbol in report["symbols"]
        if symbol["isExported"] and not symbol["isTypeKnown"]
    ]
    assert unknown == []
    assert report["completenessScore"] == 1
