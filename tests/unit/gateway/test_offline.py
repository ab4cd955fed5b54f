"""Signables from their bytes: the flow over two gateways, one of which never sees a key."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_pb2

from medfab_gateway import (
    AsyncGateway,
    AsyncProposal,
    Endpoint,
    Hash,
    SignableError,
    SigningError,
    private_key_signer,
)
from unit.gateway.fake_gateway import FakeGateway, make_identity, serve
from unit.gateway.forms import Connect

IDENTITY, KEY = make_identity()
OTHER_IDENTITY, _ = make_identity("OtherMSP")
SIGN = private_key_signer(KEY)


@pytest.fixture
async def fake() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
async def endpoint(fake: FakeGateway) -> AsyncIterator[Endpoint]:
    async with serve(fake) as endpoint:
        yield endpoint


@pytest.fixture
async def unsigned(endpoint: Endpoint, connect: Connect) -> AsyncIterator[AsyncGateway]:
    """A gateway without a signer."""
    async with connect(endpoint, IDENTITY) as gateway:
        yield gateway


def propose(gateway: AsyncGateway) -> AsyncProposal:
    return (
        gateway.network("care")
        .contract("ehr", "audit")
        .proposal("Log", "x", endorsing_organizations=["A", "B"])
    )


async def test_signed_elsewhere_step_by_step(fake: FakeGateway, unsigned: AsyncGateway) -> None:
    proposal = propose(unsigned)
    signed = unsigned.offline.proposal(proposal.bytes, SIGN(proposal.digest))
    assert (signed.transaction_id, signed.digest) == (proposal.transaction_id, proposal.digest)
    assert await signed.evaluate() == b"result"
    transaction = await signed.endorse()
    transaction = unsigned.offline.transaction(transaction.bytes, SIGN(transaction.digest))
    assert transaction.result == b"result"
    commit = await transaction.submit()
    with pytest.raises(SigningError, match=r"gateway\.offline"):
        await commit.status()
    commit = unsigned.offline.commit(commit.bytes, SIGN(commit.digest))
    status = await commit.status()
    assert status.successful
    assert status.transaction_id == commit.transaction_id == proposal.transaction_id
    # The fake has verified each signature.
    assert fake.calls == ["Evaluate", "Endorse", "Submit", "CommitStatus"]
    assert list(fake.requests[1].endorsing_organizations) == ["A", "B"]
    assert fake.requests[1].channel_id == "care"


async def test_nothing_is_sent_without_a_signature(
    fake: FakeGateway, endpoint: Endpoint, unsigned: AsyncGateway, connect: Connect
) -> None:
    async with connect(endpoint, IDENTITY, SIGN) as signing:
        transaction = (await propose(signing).endorse()).bytes  # not yet signed
    fake.calls.clear()
    commit = unsigned.network("care").commit("00" * 32)
    for send in (
        propose(unsigned).evaluate,
        propose(unsigned).endorse,
        unsigned.offline.transaction(transaction).submit,
        unsigned.offline.commit(commit.bytes).status,
    ):
        with pytest.raises(SigningError, match="has no signer"):
            await send()
    assert fake.calls == []


async def test_a_signature_in_the_bytes_is_kept(
    fake: FakeGateway, endpoint: Endpoint, connect: Connect
) -> None:
    def never(digest: bytes) -> bytes:
        raise AssertionError("signed again")

    async with (
        connect(endpoint, IDENTITY, SIGN) as signing,
        connect(endpoint, IDENTITY, never) as gateway,
    ):
        proposal = propose(signing)
        transaction = await proposal.endorse()
        commit = await transaction.submit()
        await gateway.offline.proposal(proposal.bytes).endorse()
        await gateway.offline.commit(commit.bytes).status()
        kept = gateway.offline.transaction(transaction.bytes)
        assert kept.bytes == transaction.bytes


async def test_without_a_signature_the_gateways_own_signer_signs(
    fake: FakeGateway, endpoint: Endpoint, unsigned: AsyncGateway, connect: Connect
) -> None:
    proposal = propose(unsigned)
    async with connect(endpoint, IDENTITY, SIGN) as signing:
        rebuilt = signing.offline.proposal(proposal.bytes)
        assert rebuilt.bytes == proposal.bytes
        await rebuilt.endorse()
    assert fake.requests[0].transaction_id == proposal.transaction_id


@pytest.mark.parametrize("hash", list(Hash))
async def test_the_digest_follows_the_gateways_hash(
    endpoint: Endpoint, connect: Connect, hash: Hash
) -> None:
    async with connect(endpoint, IDENTITY, hash=hash) as gateway:
        proposal = propose(gateway)
        message = gateway_pb2.ProposedTransaction.FromString(proposal.bytes)
        expected = hash.digest(message.proposal.proposal_bytes)
        assert gateway.offline.proposal(proposal.bytes).digest == proposal.digest == expected


async def test_bytes_of_another_kind(
    endpoint: Endpoint, unsigned: AsyncGateway, connect: Connect
) -> None:
    async with connect(endpoint, IDENTITY, SIGN) as signing:
        proposal = propose(signing)
        transaction = await proposal.endorse()
        commit = await transaction.submit()
    readers = {
        "proposal": unsigned.offline.proposal,
        "transaction": unsigned.offline.transaction,
        "commit": unsigned.offline.commit,
    }
    messages = {"proposal": proposal, "transaction": transaction, "commit": commit}
    for kind, read in readers.items():
        assert read(messages[kind].bytes).bytes == messages[kind].bytes
        others = [message.bytes for name, message in messages.items() if name != kind]
        for data in (*others, b"", b"no message", b"\x00" * 100):
            with pytest.raises(SignableError, match="The bytes are not"):
                read(data)


async def test_every_truncation_is_refused(
    endpoint: Endpoint, unsigned: AsyncGateway, connect: Connect
) -> None:
    """But for the list of organisations and the signature, which stand at the end."""
    async with connect(endpoint, IDENTITY, SIGN) as signing:
        proposal = signing.network("care").contract("ehr").proposal("Log")
        transaction = await proposal.endorse()
        commit = await transaction.submit()
    data = gateway_pb2.ProposedTransaction.FromString(proposal.bytes)
    data.proposal.signature = b""
    for read, whole in (
        (unsigned.offline.proposal, data.SerializeToString()),
        (unsigned.offline.transaction, transaction.bytes),
        (unsigned.offline.commit, commit.bytes),
    ):
        read(whole)
        for length in range(len(whole) - 80):
            with pytest.raises(SignableError):
                read(whole[:length])


async def test_another_identitys_bytes(endpoint: Endpoint, connect: Connect) -> None:
    async with (
        connect(endpoint, IDENTITY, SIGN) as mine,
        connect(endpoint, OTHER_IDENTITY) as others,
    ):
        proposal = propose(mine)
        transaction = await proposal.endorse()
        commit = await transaction.submit()
        for read, data in (
            (others.offline.proposal, proposal.bytes),
            (others.offline.transaction, transaction.bytes),
            (others.offline.commit, commit.bytes),
        ):
            with pytest.raises(SignableError, match="OtherMSP identity"):
                read(data)


async def test_bytes_that_contradict_themselves(
    fake: FakeGateway, endpoint: Endpoint, unsigned: AsyncGateway, connect: Connect
) -> None:
    first, second = propose(unsigned), propose(unsigned)
    message = gateway_pb2.ProposedTransaction.FromString(first.bytes)
    message.transaction_id = second.transaction_id
    with pytest.raises(SignableError, match="transaction ids differ"):
        unsigned.offline.proposal(message.SerializeToString())

    message = gateway_pb2.ProposedTransaction.FromString(first.bytes)
    proposal = proposal_pb2.Proposal.FromString(message.proposal.proposal_bytes)
    header = common_pb2.Header.FromString(proposal.header)
    channel_header = common_pb2.ChannelHeader.FromString(header.channel_header)
    extension = proposal_pb2.ChaincodeHeaderExtension()
    extension.chaincode_id.name = "another"
    channel_header.extension = extension.SerializeToString()
    header.channel_header = channel_header.SerializeToString()
    proposal.header = header.SerializeToString()
    message.proposal.proposal_bytes = proposal.SerializeToString()
    with pytest.raises(SignableError, match="different chaincodes"):
        unsigned.offline.proposal(message.SerializeToString())

    async with connect(endpoint, IDENTITY, SIGN) as signing:
        transaction = await propose(signing).endorse()
    prepared = gateway_pb2.PreparedTransaction.FromString(transaction.bytes)
    prepared.transaction_id = second.transaction_id
    with pytest.raises(SignableError, match="transaction ids differ"):
        unsigned.offline.transaction(prepared.SerializeToString())


def test_an_empty_signature(unsigned: AsyncGateway) -> None:
    with pytest.raises(SignableError, match="signature is empty"):
        unsigned.offline.proposal(propose(unsigned).bytes, b"")


def test_no_arguments_in_errors(unsigned: AsyncGateway) -> None:
    proposal = unsigned.network("care").contract("ehr").proposal("File", "SECRET")
    with pytest.raises(SignableError) as caught:
        unsigned.offline.proposal(proposal.bytes[:-30])
    error: BaseException | None = caught.value
    while error is not None:
        assert "SECRET" not in repr(error)
        error = error.__cause__
