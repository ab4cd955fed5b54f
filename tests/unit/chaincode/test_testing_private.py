"""Private data on the ledger in memory: who holds it, who may touch it, how it goes away."""

import hashlib
from typing import Any

import pytest

from medfab_chaincode import Context, Contract, PeerError, evaluate, submit
from medfab_chaincode.testing import Collection, EndorseError, Identity, Ledger, any_of

A, B, C = "MspA", "MspB", "MspC"
ALICE, CAROL = Identity(A, "alice"), Identity(C, "carol")
IMPLICIT = f"_implicit_org_{A}"


class Vault(Contract):
    @submit("Put")
    def put(self, context: Context, collection: str, key: str) -> None:
        context.stub.put_private_data(collection, key, context.transient["value"])

    @submit("Delete")
    def delete(self, context: Context, collection: str, key: str) -> None:
        context.stub.delete_private_data(collection, key)

    @submit("Purge")
    def purge(self, context: Context, collection: str, key: str) -> None:
        context.stub.purge_private_data(collection, key)

    @submit("Touch")
    async def touch(self, context: Context, collection: str, key: str) -> None:
        await context.stub.get_private_data_hash(collection, key)
        context.stub.put_state("touched", b"1")

    @evaluate("Get")
    async def get(self, context: Context, collection: str, key: str) -> bytes | None:
        try:
            return await context.stub.get_private_data(collection, key)
        except PeerError as error:
            return error.reason.encode()

    @evaluate("Hash")
    async def hash(self, context: Context, collection: str, key: str) -> bytes | None:
        return await context.stub.get_private_data_hash(collection, key)

    @evaluate("Keys")
    async def keys(self, context: Context, collection: str) -> list[str]:
        results = context.stub.get_private_data_by_range(collection, "", "")
        return [item.key async for item in results]

    @submit("KeysAndPut")
    async def keys_and_put(self, context: Context, collection: str) -> None:
        await self.keys(context, collection)
        context.stub.put_state("k", b"1")


def vault(**changes: Any) -> Ledger:
    collections = [
        Collection(name="shared", members=[A, B], **changes),
        Collection(name="own", members=[A], endorsement_policy=any_of(A)),
    ]
    return Ledger(
        Vault,
        organizations=[A, B, C],
        collections=collections,
        private_state={"shared": {"old": b"there"}},
    )


async def put(ledger: Ledger, collection: str, key: str, value: bytes, **options: Any) -> None:
    await ledger.submit("Put", collection, key, caller=ALICE, transient={"value": value}, **options)


async def test_members_hold_values_and_everyone_the_hashes() -> None:
    ledger = vault()
    await put(ledger, "shared", "k", b"secret")
    for member in (A, B):
        assert ledger.private("shared", member) == {"old": b"there", "k": b"secret"}
    assert ledger.private("shared", C) == {}
    digest = hashlib.sha256(b"secret").digest()
    assert ledger.hashes("shared")[hashlib.sha256(b"k").digest()] == digest
    for peer in (A, B, C):
        asked = ledger.evaluate("Hash", "shared", "k", caller=CAROL, target_organizations=[peer])
        assert await asked == digest
    assert ledger.state() == {}
    assert await ledger.evaluate("Keys", "shared", caller=ALICE) == b'["k","old"]'


async def test_only_members_may_read_and_write() -> None:
    ledger = vault()
    said = await ledger.evaluate("Get", "shared", "old", caller=CAROL, target_organizations=[A])
    assert b"tx creator does not have read access permission" in said
    with pytest.raises(EndorseError) as caught:
        await ledger.submit(
            "Put", "shared", "k", caller=CAROL, transient={"value": b"1"},
            endorsing_organizations=[A, B],
        )  # fmt: skip
    assert caught.value.chaincode is not None
    assert caught.value.chaincode.status == 500

    opened = vault(member_only_read=False, member_only_write=False)
    asked = opened.evaluate("Get", "shared", "old", caller=CAROL, target_organizations=[A])
    assert await asked == b"there"


async def test_a_peer_without_the_data_says_so() -> None:
    ledger = vault()
    ledger.forget("shared", "old", B)
    said = await ledger.evaluate("Get", "shared", "old", caller=ALICE, target_organizations=[B])
    assert b"private data matching public hash version is not available" in said
    assert await ledger.evaluate("Get", "shared", "old", caller=ALICE) == b"there"
    with pytest.raises(KeyError):
        ledger.forget("shared", "old", B)


async def test_an_organisations_own_collection_needs_its_signature_alone() -> None:
    ledger = vault()
    await put(ledger, IMPLICIT, "k", b"1")
    assert [len(ledger.private(IMPLICIT, each)) for each in (A, B, C)] == [1, 0, 0]
    endorsed = await ledger.endorse(
        "Put", IMPLICIT, "k", caller=ALICE, transient={"value": b"2"},
        endorsing_organizations=[B, C],
    )  # fmt: skip
    assert ledger.commit(endorsed) == ("ENDORSEMENT_POLICY_FAILURE",)


async def test_transient_data_stays_with_the_members() -> None:
    ledger = vault()
    endorsed = await ledger.endorse("Put", "own", "k", caller=ALICE, transient={"value": b"secret"})
    assert endorsed.endorsers == (A,)
    with pytest.raises(EndorseError) as caught:  # A alone is no majority, and no other is a member
        await put(Ledger(
            Vault, organizations=[A, B, C], collections=[Collection(name="own", members=[A])]
        ), "own", "k", b"secret")  # fmt: skip
    assert caught.value.code == "FAILED_PRECONDITION"


@pytest.mark.parametrize("function", ["Delete", "Purge"])
async def test_values_and_hashes_go_together(function: str) -> None:
    ledger = vault()
    await ledger.submit(function, "shared", "old", caller=ALICE)
    assert (ledger.private("shared", A), ledger.private("shared", B)) == ({}, {})
    assert ledger.hashes("shared") == {}


async def test_a_private_read_is_checked_at_commit() -> None:
    ledger = vault()
    touched = await ledger.endorse("Touch", "shared", "old", caller=ALICE)
    await put(ledger, "shared", "old", b"new")
    assert ledger.commit(touched) == ("MVCC_READ_CONFLICT",)


async def test_a_private_range_goes_with_no_write() -> None:
    with pytest.raises(EndorseError):
        await vault().submit("KeysAndPut", "shared", caller=ALICE)


async def test_block_to_live() -> None:
    ledger = vault(block_to_live=2)
    await put(ledger, "shared", "k", b"1")
    await put(ledger, "shared", "k2", b"1")
    ledger.commit()
    assert "k" in ledger.private("shared", A)
    ledger.commit()
    assert list(ledger.private("shared", A)) == ["k2"]
    assert len(ledger.hashes("shared")) == 1
    ledger.commit()
    assert ledger.private("shared", B) == {}


async def test_what_is_no_collection() -> None:
    ledger = vault()
    assert b"could not be found" in await ledger.evaluate("Get", "none", "k", caller=ALICE)
    said = await ledger.evaluate("Get", "_implicit_org_Nobody", "k", caller=ALICE)
    assert b"not defined in the collection config" in said
