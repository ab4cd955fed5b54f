"""The role × function matrix on the ledger in memory, and the page that shows it."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from medfab_chaincode._definition import definition_of
from medfab_chaincode.pharma import PharmaContract
from medfab_chaincode.testing import EvaluateError
from pharma_roles import EVALUATES, PAGE, SUBMITS, matrix, page
from pharma_world import AUDITOR, MAKER, OPERATOR, InMemory, Person, Refused, identity
from unit.chaincode.pharma_chain import channel

__all__ = ["channel"]


def test_the_matrix_has_every_function() -> None:
    declared = {
        definition.wire_name: definition.intent
        for name in dir(PharmaContract)
        if (definition := definition_of(getattr(PharmaContract, name)))
    }
    known = dict.fromkeys(SUBMITS, "submit") | dict.fromkeys(EVALUATES, "evaluate")
    assert declared == known


async def test_who_may_call_what(channel: InMemory) -> None:
    async def ask(who: Person, function: str, given: dict[str, Any] | None, *args: str) -> str:
        transient = {} if given is None else {"input": json.dumps(given).encode()}
        try:
            await channel.ledger.evaluate(
                function, *args, caller=identity(who), transient=transient
            )
        except EvaluateError as error:
            refusal = error.chaincode
        else:
            return "ok"
        assert refusal is not None
        assert refusal.code != "INTERNAL", (function, who)
        return str(refusal.code)

    found = page(await matrix(ask))
    if os.environ.get("WRITE_PAGES"):
        PAGE.write_text(found)
    assert PAGE.read_text() == found, "run this test with WRITE_PAGES=1"


async def test_nothing_works_before_the_channel_is_established() -> None:
    empty = InMemory()
    for function, given in SUBMITS.items():
        if function in ("Establish", "KeepEvent"):
            continue
        for who in (OPERATOR[MAKER], AUDITOR):
            with pytest.raises(Refused) as caught:
                await empty.submit(who, function, given)
            assert caught.value.code in ("NOT_ESTABLISHED", "ACCESS_DENIED")
