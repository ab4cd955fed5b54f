"""Signables from their bytes: the flow over two gateways, one of which never sees a key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_pb2

from medfab_gateway import (
    AsyncGateway,
    AsyncNetwork,
    AsyncProposal,
    Endpoint,
    Hash,
    SignableError,
    SigningError,
    private_key_signer,
)
from unit.gateway.fake_gateway import FakeGateway, make_identity, serve
from unit.gateway.forms import Connect
from unit.gateway.official_bytes import recorder

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


EVENTS: dict[str, Callable[[AsyncNetwork], Any]] = {
    "chaincode_events": lambda network: network.chaincode_events_request("ehr", 3),
    "block_events": lambda network: network.block_events_request(3),
    "filtered_block_events": lambda network: network.filtered_block_events_request(3),
    "block_and_private_data_events": lambda network: network.block_and_private_data_events_request(
        3
    ),
}


@pytest.mark.parametrize("kind", EVENTS)
async def test_events_requested_with_a_signature_made_elsewhere(
    connect: Connect, kind: str
) -> None:
    async with (
        recorder() as server,
        connect(Endpoint(server.address, insecure=True), IDENTITY) as gateway,
    ):
        request = EVENTS[kind](gateway.network("care"))
        rebuild = getattr(gateway.offline, kind)
        with pytest.raises(SigningError, match="has no signer"):
            await anext(aiter(rebuild(request.bytes).events()))
        assert server.take() == []
        signed = rebuild(request.bytes, SIGN(request.digest))
        assert signed.digest == request.digest
        async with signed.events() as events:
            event = await anext(aiter(events))
        assert (
            type(event).__name__
            == {
                "chaincode_events": "CommittedEvent",
                "block_events": "Block",
                "filtered_block_events": "FilteredBlock",
                "block_and_private_data_events": "BlockAndPrivateData",
            }[kind]
        )
        [(_, sent)] = server.take()
        assert sent == signed.bytes == rebuild(signed.bytes).bytes


async def messages_of_every_kind(gateway: AsyncGateway) -> dict[str, bytes]:
    """Of a gateway with a signer. All blocks requests have the same form: one stands for them."""
    proposal = gateway.network("care").contract("ehr").proposal("Log")
    transaction = await proposal.endorse()
    commit = await transaction.submit()
    events = {kind: EVENTS[kind](gateway.network("care")) for kind in EVENTS}
    unsigned = gateway_pb2.ProposedTransaction.FromString(proposal.bytes)
    unsigned.proposal.signature = b""  # so that nothing stands at its end that may be missing
    return {
        "proposal": unsigned.SerializeToString(),
        "transaction": transaction.bytes,
        "commit": commit.bytes,
        "chaincode_events": events["chaincode_events"].bytes,
        "block_events": events["block_events"].bytes,
    }


async def test_bytes_of_another_kind(
    endpoint: Endpoint, unsigned: AsyncGateway, connect: Connect
) -> None:
    async with connect(endpoint, IDENTITY, SIGN) as signing:
        messages = await messages_of_every_kind(signing)
    for kind, whole in messages.items():
        read = getattr(unsigned.offline, kind)
        assert read(whole).bytes == whole
        others = [data for name, data in messages.items() if name != kind]
        for data in (*others, b"", b"no message", b"\x00" * 100):
            with pytest.raises(SignableError, match="The bytes are not"):
                read(data)


async def test_every_truncation_is_refused(
    endpoint: Endpoint, unsigned: AsyncGateway, connect: Connect
) -> None:
    """But within the signature, whose end no one but the peer can know."""
    async with connect(endpoint, IDENTITY, SIGN) as signing:
        messages = await messages_of_every_kind(signing)
    signed = {"transaction", "commit"}
    for kind, whole in messages.items():
        for length in range(len(whole) - (80 if kind in signed else 0)):
            with pytest.raises(SignableError):
                getattr(unsigned.offline, kind)(whole[:length])


async def test_another_identitys_bytes(endpoint: Endpoint, connect: Connect) -> None:
    async with (
        connect(endpoint, IDENTITY, SIGN) as mine,
        connect(endpoint, OTHER_IDENTITY) as others,
    ):
        for kind, data in (await messages_of_every_kind(mine)).items():
            with pytest.raises(SignableError, match="OtherMSP identity"):
                getattr(others.offline, kind)(data)


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
