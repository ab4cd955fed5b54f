"""Proposals as no honest client makes them: any creator, any time, any bytes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from fabric_protos.gateway import gateway_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import proposal_pb2

from medfab_gateway import AsyncContract, AsyncProposal, Identity
from medfab_gateway._calls_async import AsyncClient
from medfab_gateway._messages.proposal import NONCE_BYTES, build_proposal


@dataclass(frozen=True, kw_only=True)
class Forged:
    """An identity of which nothing is checked."""

    msp_id: str
    pem: bytes

    @property
    def serialized(self) -> bytes:
        message = identities_pb2.SerializedIdentity(mspid=self.msp_id, id_bytes=self.pem)
        return cast(bytes, message.SerializeToString())


def client_of(contract: AsyncContract) -> AsyncClient:
    return contract._client


def certificate_of(contract: AsyncContract) -> bytes:
    return client_of(contract).identity.certificate


def propose(
    contract: AsyncContract,
    name: str,
    *args: str | bytes,
    transient: Mapping[str, bytes] | None = None,
    creator: Forged | None = None,
    minutes: float = 0,
    endorsers: tuple[str, ...] = (),
    chaincode: str = "ehr",
) -> AsyncProposal:
    """A proposal signed with the key of `contract`'s gateway, `minutes` off its clock."""
    client = client_of(contract)
    identity = cast(Identity, creator) if creator else client.identity
    unsigned = build_proposal(
        identity=identity,
        channel_id="care",
        chaincode_name=chaincode,
        args=[arg if isinstance(arg, bytes) else arg.encode() for arg in (name, *args)],
        transient=transient or {},
        nonce=secrets.token_bytes(NONCE_BYTES),
        timestamp_ns=time.time_ns() + int(minutes * 60e9),
    )
    proposed: Any = gateway_pb2.ProposedTransaction(
        transaction_id=unsigned.transaction_id,
        proposal=proposal_pb2.SignedProposal(proposal_bytes=unsigned.proposal_bytes),
        endorsing_organizations=endorsers,
    )
    return AsyncProposal(client, proposed, channel_name="care", description=name)


async def commit(proposal: AsyncProposal) -> str:
    """Endorse, submit and wait: the name of the validation code."""
    transaction = await proposal.endorse()
    return (await (await transaction.submit()).status()).code
