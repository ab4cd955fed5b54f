"""What the random sequences of `test_ledger_differential.py` seldom or never come to."""

from __future__ import annotations

from integration.differential_contract import encode
from integration.ledger_twins import (
    BRIEF,
    CLINIC,
    HOSPITAL,
    IMPLICIT,
    OWN,
    REGULATOR,
    SECRETS,
    Twins,
)

BOTH = [HOSPITAL, CLINIC]


async def long_ranges_and_pages(twins: Twins) -> None:
    """More than one of the peer's batches (100), and Merkle trees of one and of two levels."""
    assert await twins.submit([["fill", "f/", "2700"]]) == "VALID"
    for most in ("3", "100", "101", "1000", "3000"):
        read = ["range", "", "f/", "f/~", most]
        assert await twins.submit([read, ["put", "", "seen", most]]) == "VALID"
    twice = [["range", "", "f/", "f/0003", "9"], ["range", "", "f/", "f/0003", "9"]]
    assert await twins.submit([*twice, ["put", "", "seen", "twice"]]) == "VALID"
    for size, bookmark in (("7", ""), ("7", "f/0003"), ("2700", ""), ("3000", "")):
        page = ["page", "f/", "f/~", size, bookmark]
        assert await twins.submit([page, ["range", "", "f/", "f/0003", "9"]]) == "VALID"
    # A page cannot be written after; a private range neither.
    assert await twins.submit([["page", "f/", "", "1", ""], ["put", "", "x", "1"]]) is None
    assert await twins.submit([["range", SECRETS, "", "", "1"], ["put", "", "x", "1"]]) is None


async def conflicts_in_a_block(twins: Twins) -> None:
    """Each of the later transactions has read what the first one writes."""
    await twins.submit([["put", "", "c/b", "1"], ["put", SECRETS, "c/s", "1"]])
    codes = await _at_once(
        twins,
        [["put", "", "c/a", "1"], ["delete", "", "c/b"], ["put", SECRETS, "c/s", "2"]],
        [["get", "", "c/a"], ["put", "", "c/1", "1"]],
        [["get", "", "c/b"], ["put", "", "c/2", "1"]],
        [["range", "", "c/", "c/~", "100"], ["put", "", "c/3", "1"]],
        [["get_hash", SECRETS, "c/s"], ["put", "", "c/4", "1"]],
        [["put", "", "c/a", "blind"]],
    )
    mvcc = "MVCC_READ_CONFLICT"
    assert codes == ["VALID", mvcc, mvcc, "PHANTOM_READ_CONFLICT", mvcc, "VALID"]
    await twins.evaluate([["history", "c/a"], ["history", "c/b"], ["get", "", "c/a"]])


async def policies_of_keys(twins: Twins) -> None:
    """Of public and private keys; one that changes in a block stops later writes in it."""
    for where in ("", SECRETS, IMPLICIT):
        put, protect = ["put", where, "p", "1"], ["set_policy", where, "p"]
        assert await twins.submit([put, [*protect, *BOTH]], endorsers=BOTH) == "VALID"
        refused = await twins.submit([["put", where, "p", "2"]], endorsers=[HOSPITAL])
        assert refused == "ENDORSEMENT_POLICY_FAILURE"
        # The value is not written, but its version moves on; it must still be readable.
        assert await twins.submit([[*protect, HOSPITAL]], endorsers=BOTH) == "VALID"
        await twins.evaluate([["get", where, "p"], ["get_policy", where, "p"]])
        assert await twins.submit([["put", where, "p", "3"]], endorsers=[HOSPITAL]) == "VALID"
        assert await twins.submit([["delete", where, "p"]], endorsers=[HOSPITAL]) == "VALID"
        await twins.evaluate([["get_policy", where, "p"]])
    await twins.submit([["put", "", "p", "1"]])
    changed = [["set_policy", "", "p", REGULATOR]], [["put", "", "p", "2"]]
    assert await _at_once(twins, *changed) == ["VALID", "ENDORSEMENT_POLICY_FAILURE"]


async def policies_of_keys_taken_away(twins: Twins) -> None:
    """Peers go by the chaincode's policy again; a gateway finds no plan, unless it is named."""
    for where in ("", SECRETS):
        put = ["put", where, "e", "1"]
        assert await twins.submit([put, ["set_policy", where, "e", *BOTH]], endorsers=BOTH)
        emptied = await twins.submit([["set_policy", where, "e"]], endorsers=BOTH)
        assert emptied == "VALID"
        assert await twins.submit([put]) is None
        assert await twins.submit([put], endorsers=BOTH) == "VALID"


async def private_data_goes_away(twins: Twins) -> None:
    """Deleted, purged, and expired: `BRIEF` outlives two blocks."""
    for where in (SECRETS, BRIEF):
        await twins.submit([["put", where, f"g/{each}", "1"] for each in "abc"])
        await twins.submit([["delete", where, "g/a"], ["purge", where, "g/b"]])
        for _ in range(4):
            await _look(twins, [["get", where, "g/c"], ["get_hash", where, "g/c"]])
            await twins.submit([["put", "", "g", "1"]])
        await _look(twins, [["range", where, "g/", "g/~", "9"], ["get_hash", where, "g/b"]])


async def transient_data(twins: Twins) -> None:
    """Which organisations get to see it, where the caller names none."""
    transient = {"value": b"transient"}
    for caller in (HOSPITAL, CLINIC):
        for where in (SECRETS, BRIEF, IMPLICIT):
            put = [["put_transient", where, "t"]]
            assert await twins.submit(put, caller=caller, transient=transient) == "VALID"
    put = [["put_transient", OWN, "t"]]
    assert await twins.submit(put, transient=transient) is None
    assert await twins.submit(put, transient=transient, endorsers=BOTH) == "VALID"
    assert await twins.submit([["put", OWN, "t", "1"]]) == "VALID"
    # Only members can take part in what reads it, and they are too few.
    assert await twins.submit([["get", OWN, "t"], ["put", "", "t", "1"]]) is None
    await _look(twins, [["get", where, "t"] for where in (SECRETS, BRIEF, IMPLICIT, OWN)])


async def other_chaincodes(twins: Twins) -> None:
    get, put = encode([["get", "", "o"]]), encode([["put", "", "o", "1"]])
    for chaincode, channel in (
        ("other", ""),
        ("remote", "alone"),
        ("nobody", ""),
        ("nobody", "alone"),
        ("remote", "nowhere"),
        ("everything", ""),
    ):
        ask = [["call", chaincode, channel, each] for each in (get, put, encode([]))]
        for caller, peer in ((HOSPITAL, HOSPITAL), (CLINIC, HOSPITAL), (HOSPITAL, CLINIC)):
            await twins.evaluate(ask, caller=caller, peer=peer)
    back = encode([["call", "everything", "", get]])
    await twins.evaluate([["call", "other", "", back]])
    refused = encode([["put", "", "o", "2"], ["refuse", "400"]])
    assert await twins.submit([["call", "other", "", put]], endorsers=BOTH) == "VALID"
    call_and_write = [["call", "other", "", refused], ["put", "", "o", "1"]]
    assert await twins.submit(call_and_write, endorsers=BOTH) == "VALID"
    assert await twins.submit([["call", "other", "", encode([])]]) == "VALID"


async def refusals(twins: Twins) -> None:
    unknown = ["nope", "_implicit_org_X"]
    for name in unknown:
        await twins.evaluate([[each, name, "k"] for each in ("get", "get_hash", "get_policy")])
        await twins.evaluate([["range", name, "a", "b", "1"], ["query", name]])
        assert await twins.submit([["put", name, "k", "1"]]) is None
    for peer in (HOSPITAL, REGULATOR):
        everything = [[each, SECRETS, "k"] for each in ("get", "get_hash", "get_policy")]
        await twins.evaluate(everything, caller=REGULATOR, peer=peer)
    assert await twins.submit([["put", SECRETS, "k", "1"]], caller=REGULATOR) is None
    for endorsers in (None, BOTH):
        for ending in (["refuse", "409"], ["fail"]):
            told = [["put", "", "never", "1"], ending]
            assert await twins.submit(told, endorsers=endorsers) is None
            await twins.evaluate([ending])


async def _look(twins: Twins, operations: list[list[str]]) -> None:
    for peer in (HOSPITAL, CLINIC, REGULATOR):
        await twins.evaluate(operations, peer=peer)


async def _at_once(twins: Twins, *several: list[list[str]]) -> list[str]:
    endorsed = [await twins.endorse(operations, endorsers=BOTH) for operations in several]
    return await twins.commit(*(each for each in endorsed if each is not None))


CASES = [
    long_ranges_and_pages,
    conflicts_in_a_block,
    policies_of_keys,
    policies_of_keys_taken_away,
    private_data_goes_away,
    transient_data,
    other_chaincodes,
    refusals,
]
