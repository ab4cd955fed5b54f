"""Our bytes against those of the official Node and Go clients, on the wire and off it.

The official clients choose nonce and time; ours are given the same. All sign with the same
function of the digest, so that equal messages mean equal digests. Every request is what arrived
at a gRPC server, unparsed.

Where the official clients differ from each other, ours does as said:

- the type in the chaincode's specification: Node says NODE, whatever the chaincode is; Go says
  nothing. Ours is Go's; Node's bytes are compared without the type.
- transient data: Go writes a map in a random order, Node in the order of UTF-16 code units; ours
  in the order of UTF-8, which is Node's but for characters beyond U+FFFF. With two entries or more
  Go's bytes are compared after bringing its map into order.
- the end of a block stream "without end": Go asks for 2⁶⁴-1, Node for 2⁵³-1, the largest integer
  it has. Ours is Go's; Node's bytes are compared with that number in its place.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc.aio
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2

from medfab_gateway import AsyncGateway, AsyncProposal, Hash
from medfab_gateway._signable_async import AsyncSignable
from unit.gateway.fake_gateway import make_identity
from unit.gateway.official_bytes import (
    Recorder,
    envelope_time,
    nonce_and_time,
    recorder,
    run,
    sign,
)
from unit.gateway.official_cases import EVENTS, TRANSACTIONS, TransactionCase

IDENTITY, _ = make_identity("HospitalMSP")
TLS_CERTIFICATE_HASH = bytes(range(32))
STREAMS = {
    "block_events": "Deliver",
    "filtered_block_events": "DeliverFiltered",
    "block_and_private_data_events": "DeliverWithPrivateData",
}


@dataclass(frozen=True, kw_only=True)
class Made:
    """What one official client made of all cases, and what of it arrived."""

    client: str
    transactions: list[Any]
    events: list[Any]
    requests: list[tuple[str, bytes]]

    def sent(self, number: int) -> list[tuple[str, bytes]]:
        """The requests of one transaction: evaluate, endorse, submit, commit status."""
        return self.requests[number * 4 : number * 4 + 4]


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Recorder]:
    async with recorder() as server:
        yield server


@pytest.fixture(scope="module", params=["node", "go"])
async def made(request: pytest.FixtureRequest, server: Recorder) -> Made:
    output = await run(
        request.param,
        server,
        IDENTITY,
        tls_certificate_hash=TLS_CERTIFICATE_HASH,
        transactions=[case.as_input() for case in TRANSACTIONS],
        events=[case.as_input() for case in EVENTS],
    )
    return Made(
        client=request.param,
        transactions=output["transactions"],
        events=output["events"],
        requests=server.take(),
    )


@pytest.fixture
async def gateway(server: Recorder) -> AsyncIterator[AsyncGateway]:
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield AsyncGateway.connect(
            channel, IDENTITY, sign, tls_certificate_hash=TLS_CERTIFICATE_HASH
        )


def propose(
    monkeypatch: pytest.MonkeyPatch,
    gateway: AsyncGateway,
    case: TransactionCase,
    *,
    nonce: bytes,
    timestamp_ns: int,
) -> AsyncProposal:
    """Ours, through the public door, with that nonce and time."""
    contract = gateway.network(case.channel).contract(case.chaincode, case.contract)
    with monkeypatch.context() as patched:
        patched.setattr(secrets, "token_bytes", lambda _: nonce)
        patched.setattr(time, "time_ns", lambda: timestamp_ns)
        return contract.proposal(
            case.function,
            *case.args,
            transient=dict(case.transient),
            endorsing_organizations=case.organizations,
        )


@pytest.mark.parametrize("number", range(len(TRANSACTIONS)))
async def test_transaction(
    monkeypatch: pytest.MonkeyPatch,
    server: Recorder,
    gateway: AsyncGateway,
    made: Made,
    number: int,
) -> None:
    case, theirs, sent = TRANSACTIONS[number], made.transactions[number], made.sent(number)
    nonce, timestamp_ns = nonce_and_time(theirs["proposal"]["bytes"])
    assert len(nonce) == 24
    proposal = propose(monkeypatch, gateway, case, nonce=nonce, timestamp_ns=timestamp_ns)
    assert proposal.transaction_id == theirs["transaction_id"]
    if made.client == "node":
        assert proposal.bytes == without_type(theirs["proposal"]["bytes"])
    elif len(case.transient) > 1:
        assert proposal.bytes == with_ordered_map(theirs["proposal"]["bytes"])
    else:
        assert proposal.bytes == theirs["proposal"]["bytes"]
    # From here on with the very bytes of theirs.
    proposal = gateway.offline.proposal(theirs["proposal"]["bytes"])
    assert proposal.digest == theirs["proposal"]["digest"]

    await proposal.evaluate()
    transaction = await proposal.endorse()
    assert transaction.bytes == theirs["transaction"]["bytes"]
    assert transaction.digest == theirs["transaction"]["digest"]
    commit = await transaction.submit()
    await commit.status()
    assert commit.bytes == theirs["commit"]["bytes"]
    assert commit.digest == theirs["commit"]["digest"]
    ours = server.take()
    assert [method for method, _ in ours] == ["Evaluate", "Endorse", "Submit", "CommitStatus"]
    assert ours == sent


def without_type(proposed: bytes) -> bytes:
    """A `gateway.ProposedTransaction` without Node's type; the transient map stays as it is."""
    message = gateway_pb2.ProposedTransaction.FromString(proposed)
    proposal = proposal_pb2.Proposal.FromString(message.proposal.proposal_bytes)
    payload = proposal_pb2.ChaincodeProposalPayload.FromString(proposal.payload)
    invocation = chaincode_pb2.ChaincodeInvocationSpec.FromString(payload.input)
    assert invocation.chaincode_spec.type == chaincode_pb2.ChaincodeSpec.NODE
    invocation.chaincode_spec.ClearField("type")
    before, after = (
        proposal_pb2.ChaincodeProposalPayload(input=data).SerializeToString()
        for data in (payload.input, invocation.SerializeToString())
    )
    assert proposal.payload.startswith(before)
    proposal.payload = after + proposal.payload.removeprefix(before)
    message.proposal.proposal_bytes = proposal.SerializeToString()
    changed: bytes = message.SerializeToString()
    return changed


def with_ordered_map(proposed: bytes) -> bytes:
    """A `gateway.ProposedTransaction`, with its transient map in order."""
    message = gateway_pb2.ProposedTransaction.FromString(proposed)
    proposal = proposal_pb2.Proposal.FromString(message.proposal.proposal_bytes)
    payload = proposal_pb2.ChaincodeProposalPayload.FromString(proposal.payload)
    entries = [
        proposal_pb2.ChaincodeProposalPayload(TransientMap={key: value}).SerializeToString()
        for key, value in sorted(payload.TransientMap.items())
    ]
    payload.ClearField("TransientMap")
    proposal.payload = payload.SerializeToString() + b"".join(entries)
    message.proposal.proposal_bytes = proposal.SerializeToString()
    ordered: bytes = message.SerializeToString()
    return ordered


@pytest.mark.parametrize("number", range(len(EVENTS)))
async def test_events(
    monkeypatch: pytest.MonkeyPatch,
    server: Recorder,
    gateway: AsyncGateway,
    made: Made,
    number: int,
) -> None:
    case, theirs = EVENTS[number], made.events[number]
    first = len(TRANSACTIONS) * 4 + number * 4
    sent = dict(made.requests[first : first + 4])
    network = gateway.network(case.channel)

    chaincode_events = network.chaincode_events_request(
        case.chaincode, case.start_block, after_transaction_id=case.after_transaction or None
    )
    assert await request_of(chaincode_events, server) == sent["ChaincodeEvents"]
    assert chaincode_events.bytes == theirs["chaincode_events"]["bytes"]
    assert chaincode_events.digest == theirs["chaincode_events"]["digest"]

    for kind, method in STREAMS.items():
        data = theirs[kind]["bytes"]
        with monkeypatch.context() as patched:
            patched.setattr(time, "time_ns", lambda data=data: envelope_time(data))
            request = getattr(network, f"{kind}_request")(case.start_block)
        if made.client == "node":
            assert request.bytes == with_our_end(data)
            request = getattr(gateway.offline, kind)(data)
        assert await request_of(request, server) == sent[method]
        assert request.bytes == data
        assert request.digest == theirs[kind]["digest"]


async def request_of(request: Any, server: Recorder) -> bytes:
    """What arrives when its stream is read."""
    async with request.events() as events:
        await anext(events)
    [(_, data)] = server.take()
    return data


def with_our_end(envelope: bytes) -> bytes:
    """Node's `common.Envelope`, without a signature and with the end that ours has."""
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(envelope).payload)
    seek = ab_pb2.SeekInfo.FromString(payload.data)
    assert seek.stop.specified.number == 2**53 - 1
    seek.stop.specified.number = 2**64 - 1
    payload.data = seek.SerializeToString()
    changed: bytes = common_pb2.Envelope(payload=payload.SerializeToString()).SerializeToString()
    return changed


@pytest.mark.parametrize("client", ["node", "go"])
async def test_our_bytes_in_their_hands(
    server: Recorder, gateway: AsyncGateway, client: str
) -> None:
    """They rebuild what ours made, with a signature of ours, and send it: the same requests."""
    contract = gateway.network("care").contract("ehr", "audit")
    proposal = contract.proposal(
        "Log", b"\x00\xff", transient={"a": b"1"}, endorsing_organizations=["A", "B"]
    )
    await proposal.evaluate()
    transaction = await proposal.endorse()
    commit = await transaction.submit()
    await commit.status()
    network = gateway.network("care")
    messages: dict[str, AsyncSignable] = {
        "proposal": proposal,
        "transaction": transaction,
        "commit": commit,
        "chaincode_events": network.chaincode_events_request("ehr", 3),
        "block_events": network.block_events_request(3),
        "filtered_block_events": network.filtered_block_events_request(3),
        "block_and_private_data_events": network.block_and_private_data_events_request(3),
    }
    expected = server.take()
    for kind, method in {"chaincode_events": "ChaincodeEvents", **STREAMS}.items():
        expected.append((method, await request_of(messages[kind], server)))
    output = await run(
        client,
        server,
        IDENTITY,
        rebuild=[
            {"kind": kind, "bytes": message.bytes, "signature": sign(message.digest)}
            for kind, message in messages.items()
        ],
    )
    for (kind, message), rebuilt in zip(messages.items(), output["rebuilt"], strict=True):
        ours = {"bytes": message.bytes, "digest": message.digest}
        assert rebuilt == {"signed": ours, "unsigned": ours}, kind
    assert server.take() == expected


async def test_their_bytes_in_our_hands(
    server: Recorder, gateway: AsyncGateway, made: Made
) -> None:
    theirs, sent = made.transactions[-1], made.sent(len(TRANSACTIONS) - 1)
    proposal = gateway.offline.proposal(
        theirs["proposal"]["bytes"], sign(theirs["proposal"]["digest"])
    )
    await proposal.evaluate()
    await proposal.endorse()
    transaction = gateway.offline.transaction(
        theirs["transaction"]["bytes"], sign(theirs["transaction"]["digest"])
    )
    await transaction.submit()
    await gateway.offline.commit(theirs["commit"]["bytes"]).status()
    assert server.take() == sent

    first = len(TRANSACTIONS) * 4
    for method, data in made.requests[first : first + 4]:
        kind = {method: kind for kind, method in STREAMS.items()}.get(method, "chaincode_events")
        rebuilt = getattr(gateway.offline, kind)(data, sign(made.events[0][kind]["digest"]))
        assert await request_of(rebuilt, server) == data


@pytest.mark.parametrize("client", ["node", "go"])
@pytest.mark.parametrize("hash", list(Hash))
async def test_digests_of_every_hash(server: Recorder, client: str, hash: Hash) -> None:
    identity, _ = make_identity("HospitalMSP", key=ec.generate_private_key(ec.SECP384R1()))
    case = TransactionCase(args=(b"one",))
    output = await run(client, server, identity, hash=hash, transactions=[case.as_input()])
    sent = server.take()
    [theirs] = output["transactions"]
    async with grpc.aio.insecure_channel(server.address) as channel:
        ours = AsyncGateway.connect(channel, identity, sign, hash=hash)
        proposal = ours.offline.proposal(theirs["proposal"]["bytes"])
        assert proposal.digest == theirs["proposal"]["digest"]
        await proposal.evaluate()
        transaction = await proposal.endorse()
        await (await transaction.submit()).status()
    assert server.take() == sent
