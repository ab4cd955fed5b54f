"""Every public class says what it is; those that do something show how, or say where it is shown.

The examples themselves are run by tests/integration/test_docstring_examples.py and the tests of
the pages.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import re
from dataclasses import is_dataclass
from typing import Any

import pytest

from pages import ROOT
from unit.docs.test_site import DOCUMENTED

# What is made for the caller, or handed on: where its use is shown, and by which words.
SHOWN_IN = {
    "Attribute": ("docs/contracts.md", "Attribute("),
    "AsyncCustodian": ("gateway/src/medfab_gateway/ehr/_recovery_async.py", "AsyncKeyRecovery("),
    "ClientIdentity": ("docs/contracts.md", "`context.client_identity` has"),
    "Context": ("docs/contracts.md", "class CountingContext(Context)"),
    "Contract": ("docs/contracts.md", "class Prices(Contract)"),
    "Custodian": ("gateway/src/medfab_gateway/ehr/_recovery.py", "KeyRecovery("),
    "Database": ("docs/consumers.md", "Database"),
    "DocumentStore": ("gateway/src/medfab_gateway/cli/ehr/_shared.py", "DocumentStore("),
    "Explorer": ("docs/consumers.md", "Explorer()"),
    "FilingKey": ("docs/integration-tutorial.md", "FilingKey.load_or_create("),
    "HistoryIterator": ("chaincode/README.md", "`get_history_for_key`"),
    "HsmSigner": ("docs/signing.md", "token.signer(identity)"),
    "HsmToken": ("docs/signing.md", "HsmToken.open("),
    "KeyValueIterator": ("docs/contracts.md", "get_state_by_range("),
    "LotKeys": ("docs/pharma.md", "LotKeys"),
    "Network": ("network/README.md", "Network("),
    "Organisation": ("docs/contracts.md", "Organisation("),
    "PostgresStore": ("docs/consumers.md", "postgresql://"),
    "Role": ("docs/contracts.md", "Role("),
    "Sink": ("docs/consumers.md", "webhook"),
    "SqliteStore": ("docs/consumers.md", "SqliteStore("),
    "Stub": ("docs/contracts.md", "context.stub.get_state("),
}


def public_classes() -> list[Any]:
    return [
        pytest.param(getattr(module, name), id=f"{module.__name__}.{name}")
        for module in map(importlib.import_module, DOCUMENTED)
        for name in module.__all__
        if inspect.isclass(getattr(module, name))
    ]


@pytest.mark.parametrize("documented", public_classes())
def test_it_says_what_it_is(documented: type) -> None:
    text = inspect.cleandoc(documented.__doc__ or "")
    # The signature that dataclasses write by themselves is no docstring.
    assert text
    assert not text.startswith(f"{documented.__name__}(")
    if issubclass(documented, Exception | enum.Enum) or is_dataclass(documented):
        return  # caught, chosen or given back
    if issubclass(documented, tuple):
        return  # given back
    if getattr(documented, "_is_protocol", False) or inspect.isabstract(documented):
        return  # implemented by the caller
    if re.search(r"^(?: {4}|```)", text, re.MULTILINE):
        return
    assert documented.__name__ in SHOWN_IN, "it has no example: show how it is used"


def test_no_place_is_named_in_vain() -> None:
    names = {each.values[0].__name__ for each in public_classes()}
    assert SHOWN_IN.keys() <= names
    for name, (place, words) in SHOWN_IN.items():
        assert words in (ROOT / place).read_text("utf-8"), name
