"""A decision costs the same whatever is on the ledger; bench/ehr_costs.py goes to a million."""

from bench.ehr_costs import costs, filled

from unit.chaincode.ehr_ledger import DAY, PATIENT, World, permit, refused


async def test_others_and_the_past_cost_nothing() -> None:
    few = await costs(filled(100, 100))
    assert await costs(filled(20_000, 20_000)) == few
    assert await costs(filled(100, 100, ended=5_000)) == few
    decision, _ = few
    assert decision.messages <= 8


async def test_ended_consents_are_put_aside_and_still_listed() -> None:
    world = World()
    await world.register()
    first = await world.grant()
    await world.patient.submit("RevokeConsent", first)
    assert "consent-ended" not in "".join(world.ledger.state())
    world.pass_time(31 * DAY)
    second = await world.grant()
    (aside,) = [key for key in world.ledger.state() if "consent-ended" in key]
    assert first in aside
    listed = await world.patient.evaluate("ListConsents")
    assert [each["consent_id"] for each in listed] == [second, first]
    assert (await world.patient.evaluate("ReadConsent", first))["status"] == "revoked"
    with refused("ALREADY_REVOKED"):
        await world.patient.submit("RevokeConsent", first)
    # One that has run out, and was put aside, comes back when it is amended.
    world.pass_time(31 * DAY)
    await world.grant(categories=["imaging"])
    assert sum("consent-ended" in key for key in world.ledger.state()) == 2
    amended = permit(world.now, categories=["vital-signs"])
    await world.patient.submit("AmendConsent", second, consent=amended)
    assert (await world.ask(categories=["vital-signs"]))["decision"] == "permit"


async def test_there_is_a_most_of_consents_in_force() -> None:
    world = World()
    await world.register()
    for number in range(199):
        await world.grant(categories=[f"c-{number}"])
    spare = await world.grant(categories=["spare"])
    with refused("TOO_MANY_CONSENTS"):
        await world.grant(categories=["one-more"])
    await world.patient.submit("RevokeConsent", spare)
    await world.grant(categories=["one-more"])
    assert PATIENT in "".join(world.ledger.state())
