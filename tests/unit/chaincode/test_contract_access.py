"""Access rules: who is let in, and what the others are told."""

import pytest

from medfab_chaincode import (
    AccessDeniedError,
    Attribute,
    Context,
    Contract,
    DefinitionError,
    Organisation,
    Role,
    evaluate,
)
from medfab_chaincode._access import AccessRule
from medfab_chaincode._router import Router
from medfab_chaincode.testing import Identity
from unit.chaincode.contract_help import router_of, run, stub_of

NURSE = Identity(
    "A", "nurse", {"role": "nurse", "ward": ""}, organizational_units=("ward 7",)
).serialized


class Guarded(Contract):
    name = "guarded"

    async def before_transaction(self, context: Context) -> None:
        raise AssertionError("a hook ran before the access rules")

    @evaluate("Read", access=[Organisation("A"), Attribute("role", "doctor")])
    async def read(self, context: Context, number: int) -> None:
        raise AssertionError("the function ran")


@pytest.mark.parametrize(
    ("rule", "admitted"),
    [
        (Organisation("A"), True),
        (Organisation("B", "A"), True),
        (Organisation("B"), False),
        (Organisation("a"), False),
        (Role("client"), True),
        (Role("admin", "client"), True),
        (Role("admin"), False),
        (Attribute("role"), True),
        (Attribute("role", "nurse"), True),
        (Attribute("role", "doctor", "nurse"), True),
        (Attribute("role", "doctor"), False),
        (Attribute("ward"), False),
        (Attribute("ward", "7"), False),
        (Attribute("none"), False),
    ],
    ids=str,
)
async def test_rules(rule: AccessRule, admitted: bool) -> None:
    async def function(self: Contract, context: Context) -> str:
        return "admitted"

    router = router_of(evaluate(access=[rule])(function))
    asked = run(router, stub_of("function", creator=NURSE))
    if admitted:
        assert await asked == b"admitted"
    else:
        with pytest.raises(AccessDeniedError) as caught:
            await asked
        assert (caught.value.code, caught.value.status) == ("ACCESS_DENIED", 403)
        assert caught.value.message == f"only clients with {rule} may call this function"


async def test_the_refusal_names_the_first_rule_that_fails_and_nothing_of_the_client() -> None:
    # Refused before the argument is looked at, which is wrong, too.
    with pytest.raises(AccessDeniedError) as caught:
        await run(Router([Guarded()]), stub_of("Read", "x", creator=NURSE))
    assert (
        caught.value.message == "only clients with attribute role = doctor may call this function"
    )


@pytest.mark.parametrize(
    "make", [Organisation, Role, lambda: Organisation(""), lambda: Attribute("")]
)
def test_rules_that_would_let_nobody_in(make: type[Organisation]) -> None:
    with pytest.raises(DefinitionError):
        make()
