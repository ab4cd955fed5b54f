"""`medfab-chaincode metadata`: what `GetMetadata` answers, without a network."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from medfab_chaincode._cli import main
from medfab_chaincode._router import Router
from medfab_chaincode.ehr import EhrContract


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def metadata(*contracts: str) -> Result:
    return CliRunner().invoke(main, ["metadata", *contracts])


def test_it_prints_what_a_client_would_get() -> None:
    result = metadata("medfab_chaincode.ehr:EhrContract")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads(Router([EhrContract()]).metadata)


def test_contracts_in_the_working_directory_are_found(working_directory: Path) -> None:
    (working_directory / "bad_notes.py").write_text(
        "from medfab_chaincode import Context, Contract, submit\n"
        "class Notes(Contract):\n"
        "    @submit\n"
        "    async def write(self, context: Context, rate: float) -> None: ...\n"
    )
    result = metadata("bad_notes:Notes")
    assert result.exit_code == 1
    assert "Notes.write: 'rate': <class 'float'> has no form on the wire" in result.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nowhere:Notes", "No module named 'nowhere' (is its folder in PYTHONPATH?)"),
        ("json:Notes", "json has no class 'Notes'"),
        ("json:JSONDecoder", "is not a subclass of medfab_chaincode.Contract"),
    ],
)
def test_what_is_no_contract(name: str, text: str) -> None:
    result = metadata(name)
    assert result.exit_code == 1
    assert text in result.stderr
