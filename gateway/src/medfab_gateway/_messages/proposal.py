"""Transaction proposals: the question that peers are asked to answer and endorse."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fabric_protos.common import common_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2

from medfab_gateway._messages.headers import build_header
from medfab_gateway.identity import Identity

NONCE_BYTES = 24
"""How long a nonce is in all of Fabric's clients."""


@dataclass(frozen=True, kw_only=True)
class UnsignedProposal:
    """A `protos.Proposal`, serialised once; these very bytes are what is signed and sent."""

    transaction_id: str
    """Lower-case hexadecimal, 64 characters."""

    proposal_bytes: bytes = field(repr=False)
    """Holds the arguments and the transient data: for the endorsing peers alone."""


def build_proposal(
    *,
    identity: Identity,
    channel_id: str,
    chaincode_name: str,
    args: Sequence[bytes],
    transient: Mapping[str, bytes],
    nonce: bytes,
    timestamp_ns: int,
) -> UnsignedProposal:
    """A proposal to call a chaincode.

    `args[0]` is the name of the function. `channel_id` is empty for the system chaincodes of a
    peer (cscc, installing with _lifecycle). `nonce`: 24 random bytes, new for each proposal,
    because the transaction id is made of it. `timestamp_ns`: nanoseconds since 1970 (UTC).
    """
    transaction_id = hashlib.sha256(nonce + identity.serialized).hexdigest()
    chaincode_id = chaincode_pb2.ChaincodeID(name=chaincode_name)
    header = build_header(
        header_type=common_pb2.ENDORSER_TRANSACTION,
        channel_id=channel_id,
        creator=identity.serialized,
        timestamp_ns=timestamp_ns,
        nonce=nonce,
        transaction_id=transaction_id,
        extension=proposal_pb2.ChaincodeHeaderExtension(
            chaincode_id=chaincode_id
        ).SerializeToString(),
    )
    invocation = chaincode_pb2.ChaincodeInvocationSpec(
        chaincode_spec=chaincode_pb2.ChaincodeSpec(
            chaincode_id=chaincode_id, input=chaincode_pb2.ChaincodeInput(args=args)
        )
    )
    payload = proposal_pb2.ChaincodeProposalPayload(input=invocation.SerializeToString())
    # One entry after the other, in the order of their keys: protobuf promises no order by itself,
    # and so the same proposal has the same bytes here and in the official clients.
    entries = (
        proposal_pb2.ChaincodeProposalPayload(TransientMap={key: transient[key]})
        for key in sorted(transient)
    )
    proposal = proposal_pb2.Proposal(
        header=header.SerializeToString(),
        payload=b"".join(part.SerializeToString() for part in (payload, *entries)),
    )
    return UnsignedProposal(
        transaction_id=transaction_id, proposal_bytes=proposal.SerializeToString()
    )
