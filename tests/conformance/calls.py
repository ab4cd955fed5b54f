"""One call, made in the same way to every implementation."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_pb2

from conformance.consortium import CHANNEL, CLINIC, HOSPITAL
from conformance.observed import Names, Observed, answered, refused
from medfab_gateway import AsyncGateway, AsyncNetwork, BlockTransaction, Signer, decode_block
from medfab_gateway._messages.proposal import NONCE_BYTES, build_proposal
from medfab_gateway.errors import EndorseError


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call of `contract:function`; `call` and `submit` make it."""

    args: tuple[str | bytes, ...]
    transient: Mapping[str, bytes] = field(default_factory=dict)
    identity: str = "admin"
    endorsers: tuple[str, ...] = (HOSPITAL,)
    submitted: bool = False
    """Endorsed, ordered and read from its block; else endorsed alone."""


def call(*args: str | bytes, **options: Any) -> Call:
    """Endorsed by the hospital: that is enough to see the result and the read-write set."""
    return Call(args=args, **options)


def submit(*args: str | bytes, **options: Any) -> Call:
    """Endorsed by both organisations, and committed."""
    return Call(args=args, endorsers=(HOSPITAL, CLINIC), submitted=True, **options)


@dataclass(frozen=True, kw_only=True)
class Client:
    """A gateway, and the signer that it has: the signatures here are to be known."""

    gateway: AsyncGateway
    signer: Signer


def _nonce() -> bytes:
    return secrets.token_bytes(NONCE_BYTES)


class Caller:
    """Makes calls on one channel, as several identities of the hospital."""

    def __init__(self, clients: Mapping[str, Client], chaincodes: Mapping[str, str]) -> None:
        """clients: by identity. chaincodes: the chaincode of each implementation."""
        self._clients = clients
        self._chaincodes = chaincodes
        self._names = {
            implementation: Names({name: "<chaincode>"})
            for implementation, name in chaincodes.items()
        }
        self._submissions = 0
        self._began = time.time_ns()
        self._calls = 0

    async def make(self, wanted: Call, implementations: Sequence[str]) -> dict[str, Observed]:
        """The call at each implementation, with the same time and, unless it is submitted, the
        same nonce: so the transaction id, the binding and so on are the same as well."""
        self._calls += 1
        self._submissions += wanted.submitted
        if wanted.submitted:
            made = [self._make(wanted, each, _nonce()) for each in implementations]
            return dict(zip(implementations, await asyncio.gather(*made), strict=True))
        nonce = _nonce()
        return {each: await self._make(wanted, each, nonce) for each in implementations}

    async def _make(self, wanted: Call, implementation: str, nonce: bytes) -> Observed:
        names = self._names[implementation]
        client = self._clients[wanted.identity]
        gateway, identity = client.gateway, client.gateway.identity
        unsigned = build_proposal(
            identity=identity,
            channel_id=CHANNEL,
            chaincode_name=self._chaincodes[implementation],
            args=[arg if isinstance(arg, bytes) else arg.encode() for arg in wanted.args],
            transient=wanted.transient,
            nonce=nonce,
            timestamp_ns=self._began + self._calls * 1_000_000,
        )
        signature = client.signer(identity.default_hash().digest(unsigned.proposal_bytes))
        names.texts[signature.hex()] = "<signature>"
        names.texts[hashlib.sha256(unsigned.proposal_bytes).hexdigest()] = "<proposal>"
        proposed: Any = gateway_pb2.ProposedTransaction(
            transaction_id=unsigned.transaction_id,
            proposal=proposal_pb2.SignedProposal(proposal_bytes=unsigned.proposal_bytes),
            endorsing_organizations=wanted.endorsers,
        )
        proposal = gateway.offline.proposal(proposed.SerializeToString(), signature)
        try:
            transaction = await proposal.endorse()
        except EndorseError as error:
            return refused(error, names)
        if not wanted.submitted:
            prepared = gateway_pb2.PreparedTransaction.FromString(transaction.bytes)
            block = common_pb2.Block()
            block.data.data.append(prepared.envelope.SerializeToString())
            return answered(decode_block(block).transactions[0], names)
        names.texts[unsigned.transaction_id] = f"<transaction {self._submissions}>"
        status = await (await transaction.submit()).status()
        committed = await self._committed(
            gateway.network(CHANNEL), status.block_number, unsigned.transaction_id
        )
        return answered(committed, names)

    async def _committed(
        self, network: AsyncNetwork, number: int, transaction_id: str
    ) -> BlockTransaction:
        """The transaction as the block has it; other calls may then name what it has written."""
        async with network.block_events(start_block=number, stop_block=number) as blocks:
            block = await anext(blocks)
        for index, transaction in enumerate(block.transactions):
            if transaction.transaction_id == transaction_id:
                for names in self._names.values():
                    names.versions[number, index] = f"submission {self._submissions}"
                return transaction
        raise AssertionError(f"block {number} has no transaction {transaction_id}")
