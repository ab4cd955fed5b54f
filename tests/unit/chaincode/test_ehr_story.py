"""The contract on a ledger in memory: the story of one record, and what the rest rests on."""

import pytest

from unit.chaincode.ehr_ledger import (
    CONDITION,
    DAY,
    HOSPITAL,
    LAB,
    VITAL,
    World,
    refused,
)


@pytest.fixture
async def world() -> World:
    world = World()
    await world.register()
    await world.file(LAB, VITAL, CONDITION)
    return world


async def test_the_whole_story(world: World) -> None:
    denied = await world.ask()
    assert (denied["decision"], denied["reason"], denied["expires_at"]) == (
        "deny", "no-consent", None,
    )  # fmt: skip

    consent = await world.grant()
    permit = await world.ask()
    assert (permit["decision"], permit["expires_at"]) == ("permit", world.now + 3_600_000)
    released = await world.read(permit["request_id"])
    assert [each["resource"] for each in released["records"]] == [LAB["resource"]]
    assert released["withheld"] == 2
    assert released["withheld_by"] == [{"reason": "not-requested", "records": 2}]
    assert released["permitted_by"] == [{"consent_id": consent, "version": 1, "records": 1}]
    assert released["obligations"] == ["NORDSLCD"]

    assert (await world.patient.submit("RevokeConsent", consent))["version"] == 2
    with refused("CONSENT_REVOKED"):
        await world.read(permit["request_id"])
    assert (await world.ask())["decision"] == "deny"

    accesses = await world.patient.evaluate("ListAccess")
    assert sorted(each["reason"] for each in accesses) == [
        "consent-revoked", "no-consent", "permitted",
    ]  # fmt: skip
    (listed,) = await world.patient.evaluate("ListConsents")
    assert (listed["status"], listed["version"]) == ("revoked", 2)
    log = await world.patient.evaluate(
        "ReadLog", world.patient.identity.attributes["medfab.patient"], "0", str(world.now + DAY)
    )
    assert {row["kind"] for row in log} == {
        "patient-registered", "access-denied", "consent-granted", "access-permitted",
        "consent-revoked",
    }  # fmt: skip
    assert await world.patient.evaluate("ListHolders") == [
        {"holder_msp": HOSPITAL, "status": "live", "since": world.now, "open_alerts": 0}
    ]
