"""The determinism check: each defect is found, and nothing that is right."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from medfab_chaincode._check import check_modules, check_source
from medfab_chaincode._check._rules import RULES

CASES = Path(__file__).with_name("check_cases")
COMMAND = Path(sys.executable).with_name("medfab-chaincode")


def found(text: str) -> list[tuple[int, str]]:
    return [(finding.line, finding.rule) for finding in check_source(text, path=Path("x.py"))]


def test_every_defect_is_found_where_it_is_and_only_there() -> None:
    text = (CASES / "bad.py.txt").read_text()
    expected = [
        (number, rule)
        for number, line in enumerate(text.splitlines(), 1)
        for rule in re.findall(r"# finds: (\w+)", line)
    ]
    assert found(text) == expected
    assert {rule for _, rule in expected} == RULES.keys() - {"allow"}


def test_what_a_contract_may_do_is_not_found() -> None:
    assert found((CASES / "good.py.txt").read_text()) == []


def test_the_health_record_contract_passes() -> None:
    assert check_modules(["medfab_chaincode.ehr"]) == []


def test_a_finding_says_where_what_why_and_what_instead() -> None:
    (finding,) = check_source("import time\n\nNOW = time.time()\n", path=Path("notes.py"))
    assert str(finding) == (
        "notes.py:3: clock: `time.time`: every endorsing peer reads another time; "
        "use context.timestamp, which is the proposal's"
    )


@pytest.mark.parametrize(
    ("lines", "findings"),
    [
        (["RATE = 0.5  # medfab: allow[float] a constant of the law"], []),
        (["# medfab: allow[float] a constant of the law", "RATE = 0.5"], []),
        (["RATE = 0.5 + id(1)  # medfab: allow[float, hash] both"], []),
        (["RATE = 0.5 + id(1)  # medfab: allow[float] one"], [(1, "hash")]),
        (["RATE = 0.5  # medfab: allow[float]"], [(1, "allow")]),
        (["RATE = 0.5  # medfab: allow[flaot] why"], [(1, "allow"), (1, "float")]),
        (["RATE = 1  # medfab: allow[float] why"], [(1, "allow")]),
        (["RATE = 0.5", "# medfab: allow[float] why"], [(1, "float"), (3, "allow")]),
        (["TEXT = '# medfab: allow[float] why'", "RATE = 0.5"], [(2, "float")]),
    ],
)
def test_allowing(lines: list[str], findings: list[tuple[int, str]]) -> None:
    assert found("\n".join(lines)) == findings


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import datetime\ndef f(datetime): return datetime.now()",
        "def f(id): return id('x')",
        "def hash(x): ...\nhash(1)",
        "def f():\n    names = {}\n    return list(names)",
        "def f(a):\n    a = a | a\n    return list(a)",
        "def f(x):\n    names = set(x)\n    names = sorted(names)\n    return list(names)",
        "class Box:\n    def put(self):\n        self.x = 1",
        "def f(x):\n    x.append(1)",
    ],
)
def test_a_name_means_what_its_scope_says(text: str) -> None:
    assert found(text) == []


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A contract in a package, and one beside it, each with a module it imports."""
    files = {
        "clinic/__init__.py": "raise RuntimeError('the check ran the package')",
        "clinic/contracts/ward.py": "from .. import rules\nfrom medfab_chaincode import Contract",
        "clinic/rules.py": "import random\nfrom clinic import deep\nX = random.random()",
        "clinic/deep/__init__.py": "import clinic.contracts.ward\nX = 0.5",
        "clinic/unused.py": "X = 0.5",
        "notes.py": "import helper, clinic.rules, json",
        "helper.py": "X = hash('x')",
        "broken.py": "def",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_what_a_contract_imports_of_its_own_is_checked_too(package: Path) -> None:
    findings = check_modules(["clinic.contracts.ward"])
    assert [(str(finding.path.relative_to(package)), finding.rule) for finding in findings] == [
        ("clinic/rules.py", "random"),
        ("clinic/deep/__init__.py", "float"),
    ]
    (finding,) = check_modules(["notes"])
    assert (finding.path, finding.rule) == (package / "helper.py", "hash")


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "check", *arguments], cwd=folder, capture_output=True, text=True, timeout=30
    )


def test_the_command(package: Path) -> None:
    done = check(package, "notes:Notes")
    assert done.returncode == 1
    assert re.fullmatch(r"\S+helper.py:1: hash: `hash`: .*; use hashlib.*\n", done.stdout)
    done = check(package, "--json", "notes")
    assert done.returncode == 1
    assert json.loads(done.stdout) == [
        {"file": str(package / "helper.py"), "line": 1, "rule": "hash", "what": "`hash`"}
        | {"why": RULES["hash"].why, "instead": RULES["hash"].instead}
    ]
    done = check(package, "medfab_chaincode.ehr:EhrContract")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nowhere", "no source file of the module 'nowhere'"),
        ("clinic.nothing", "no source file of the module 'clinic.nothing'"),
        ("broken", "invalid syntax (broken.py, line 1)"),
    ],
)
def test_what_cannot_be_checked(package: Path, name: str, text: str) -> None:
    done = check(package, name)
    assert done.returncode == 2
    assert text in done.stderr
