"""Transaction proposals, as a client would sign them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fabric_protos.common import common_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2

from medfab_chaincode.testing._identities import Identity


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A proposal and what a peer takes from it."""

    proposal_bytes: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    hash: bytes = field(repr=False)
    """Over everything but the transient data: what endorsers sign."""
    transaction_id: str
    chaincode: str
    args: tuple[bytes, ...] = field(repr=False)
    creator_msp_id: str
    timestamp: datetime
    has_transient_data: bool

    @classmethod
    def from_bytes(cls, proposal_bytes: bytes, signature: bytes) -> "Proposal":
        """Take a serialised `protos.Proposal` apart. Raises protobuf's `DecodeError`."""
        proposal = proposal_pb2.Proposal.FromString(proposal_bytes)
        header = common_pb2.Header.FromString(proposal.header)
        channel = common_pb2.ChannelHeader.FromString(header.channel_header)
        creator = common_pb2.SignatureHeader.FromString(header.signature_header).creator
        payload = proposal_pb2.ChaincodeProposalPayload.FromString(proposal.payload)
        spec = chaincode_pb2.ChaincodeInvocationSpec.FromString(payload.input).chaincode_spec
        visible = proposal_pb2.ChaincodeProposalPayload(input=payload.input).SerializeToString()
        signed = header.channel_header + header.signature_header + visible
        return cls(
            proposal_bytes=proposal_bytes,
            signature=signature,
            hash=hashlib.sha256(signed).digest(),
            transaction_id=channel.tx_id,
            chaincode=spec.chaincode_id.name,
            args=tuple(spec.input.args),
            creator_msp_id=identities_pb2.SerializedIdentity.FromString(creator).mspid,
            timestamp=channel.timestamp.ToDatetime(tzinfo=UTC),
            has_transient_data=bool(payload.TransientMap),
        )


def build_proposal(
    *,
    channel_id: str,
    chaincode: str,
    creator: Identity,
    args: Sequence[bytes],
    transient: Mapping[str, bytes],
    nonce: bytes,
    timestamp: datetime,
) -> Proposal:
    """Build a proposal; the transaction id is the hash of nonce and creator, as always."""
    chaincode_id = chaincode_pb2.ChaincodeID(name=chaincode)
    channel_header = common_pb2.ChannelHeader(
        type=common_pb2.ENDORSER_TRANSACTION,
        channel_id=channel_id,
        tx_id=hashlib.sha256(nonce + creator.serialized).hexdigest(),
        extension=proposal_pb2.ChaincodeHeaderExtension(
            chaincode_id=chaincode_id
        ).SerializeToString(),
    )
    channel_header.timestamp.FromDatetime(timestamp)
    header = common_pb2.Header(
        channel_header=channel_header.SerializeToString(),
        signature_header=common_pb2.SignatureHeader(
            creator=creator.serialized, nonce=nonce
        ).SerializeToString(),
    )
    invocation = chaincode_pb2.ChaincodeInvocationSpec(
        chaincode_spec=chaincode_pb2.ChaincodeSpec(
            chaincode_id=chaincode_id, input=chaincode_pb2.ChaincodeInput(args=args)
        )
    )
    payload = proposal_pb2.ChaincodeProposalPayload(
        input=invocation.SerializeToString(), TransientMap=transient
    )
    proposal = proposal_pb2.Proposal(
        header=header.SerializeToString(), payload=payload.SerializeToString()
    )
    serialized = proposal.SerializeToString()
    return Proposal.from_bytes(serialized, creator.sign(serialized))
