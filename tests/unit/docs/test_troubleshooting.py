"""docs/troubleshooting.md has every error, code, status and command that there is, and no other."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from types import ModuleType

import click
import grpc
import pytest
from fabric_protos.peer import transaction_pb2

import medfab_chaincode
import medfab_gateway
import medfab_network
from medfab_chaincode import ChaincodeError
from medfab_chaincode.ehr._codes import Code as EhrCode
from medfab_chaincode.ehr._codes import Reason
from medfab_chaincode.pharma._codes import Code as PharmaCode
from medfab_gateway.cli._exit_codes import ExitCode
from medfab_gateway.cli._main import medfab
from medfab_gateway.errors import MedfabError
from medfab_network import NetworkError
from pages import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
ROOTS = (MedfabError, ChaincodeError, NetworkError)


def rows(heading: str) -> set[str]:
    """The names in the first column of all tables from a heading to the next of its level."""
    level, _, title = heading.partition(" ")
    text = PAGE.split(f"\n{level} {title}\n")[1]
    text = re.split(rf"^#{{2,{len(level)}}} ", text, maxsplit=1, flags=re.MULTILINE)[0]
    cells = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def modules(package: ModuleType) -> list[ModuleType]:
    found = [package]
    for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not each.name.endswith("__main__"):
            found.append(importlib.import_module(each.name))
    return found


def errors(*packages: ModuleType) -> set[type[Exception]]:
    """Every error that somebody may see: not those of the demo, nor private ones."""
    return {
        each
        for package in packages
        for module in modules(package)
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, ROOTS)
        and not each.__name__.startswith("_")
        and ".demo" not in each.__module__
    }


def test_every_error_is_on_the_page() -> None:
    known = {each.__name__ for each in errors(medfab_gateway, medfab_chaincode, medfab_network)}
    assert len(known) > 70
    described = set(re.findall(r"`(\w+Error)`", PAGE))
    assert known - described == set(), "say what it means, and what to do"
    assert described - known == set(), "there is no such error"


@pytest.mark.parametrize("code", [EhrCode, PharmaCode])
def test_every_code_of_a_contract(code: type[EhrCode | PharmaCode]) -> None:
    heading = "### Health records (`ehr`)" if code is EhrCode else "### Medicines (`pharma`)"
    base = rows("### Any contract")
    described = rows(heading) - {reason.value for reason in Reason}
    assert {each.value for each in code} - base == described


def test_codes_of_the_contract_api() -> None:
    source = (ROOT / "chaincode/src/medfab_chaincode/errors.py").read_text("utf-8")
    known = set(re.findall(r'code(?:: str)? ?= ?"(\w+)"', source)) | {"INTERNAL"}
    assert known == rows("### Any contract")


def test_every_public_reason() -> None:
    public = {reason.value for reason in Reason if reason.public is reason}
    assert public <= rows("### Health records (`ehr`)")


def test_every_validation_code() -> None:
    known = set(transaction_pb2.TxValidationCode.keys())
    assert known == rows("### Validation codes")


def test_grpc_codes_exist() -> None:
    assert rows("### gRPC codes") <= {code.name for code in grpc.StatusCode}


def test_every_exit_code() -> None:
    assert rows("## Exit codes of `medfab`") == {str(code.value) for code in ExitCode}


def test_the_commands_exist() -> None:
    for text in set(re.findall(r"`medfab ([a-z -]+?)(?: [A-Z]+[^`]*)?`", PAGE)):
        command: click.Command = medfab
        for word in text.split():
            if word.startswith("-"):
                break
            assert isinstance(command, click.Group), text
            found = command.get_command(click.Context(command), word)
            assert found is not None, f"medfab {text}"
            command = found
