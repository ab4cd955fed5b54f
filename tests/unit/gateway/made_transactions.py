"""Transactions of a block, put together without signatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    chaincode_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)

from medfab_gateway import BlockTransaction


def made_transaction(
    transaction_id: str,
    *,
    args: Sequence[bytes] = (),
    status: int = 200,
    message: str = "",
    result: bytes = b"",
    event: tuple[str, bytes] | None = None,
    public: Any = None,
    hashed: Any = None,
    namespace: str = "ehr",
) -> BlockTransaction:
    """A valid one of the chaincode `ehr`. public: a `KVRWSet`; hashed: a `HashedRWSet`, of the
    implicit collection of HospitalMSP."""
    spec = chaincode_pb2.ChaincodeSpec(input=chaincode_pb2.ChaincodeInput(args=args))
    sets = rwset_pb2.NsReadWriteSet(
        namespace=namespace, rwset=(public or kv_rwset_pb2.KVRWSet()).SerializeToString()
    )
    if hashed is not None:
        sets.collection_hashed_rwset.add(
            collection_name="_implicit_org_HospitalMSP", hashed_rwset=hashed.SerializeToString()
        )
    emitted = chaincode_event_pb2.ChaincodeEvent()
    if event is not None:
        emitted.event_name, emitted.payload = event
    action = proposal_pb2.ChaincodeAction(
        chaincode_id=chaincode_pb2.ChaincodeID(name="ehr"),
        events=emitted.SerializeToString(),
        response=proposal_response_pb2.Response(status=status, message=message, payload=result),
        results=rwset_pb2.TxReadWriteSet(ns_rwset=[sets]).SerializeToString(),
    )
    payload = transaction_pb2.ChaincodeActionPayload(
        chaincode_proposal_payload=proposal_pb2.ChaincodeProposalPayload(
            input=chaincode_pb2.ChaincodeInvocationSpec(chaincode_spec=spec).SerializeToString()
        ).SerializeToString(),
        action=transaction_pb2.ChaincodeEndorsedAction(
            proposal_response_payload=proposal_response_pb2.ProposalResponsePayload(
                extension=action.SerializeToString()
            ).SerializeToString()
        ),
    )
    transaction = transaction_pb2.Transaction()
    transaction.actions.add(payload=payload.SerializeToString())
    return BlockTransaction(
        made_envelope(
            common_pb2.ENDORSER_TRANSACTION, transaction.SerializeToString(), transaction_id
        ),
        "VALID",
    )


def made_envelope(header_type: int, data: bytes, transaction_id: str = "") -> bytes:
    """A serialised `common.Envelope` of ClinicMSP on channel care."""
    header = common_pb2.ChannelHeader(type=header_type, channel_id="care", tx_id=transaction_id)
    creator = identities_pb2.SerializedIdentity(mspid="ClinicMSP").SerializeToString()
    payload = common_pb2.Payload(
        header=common_pb2.Header(
            channel_header=header.SerializeToString(),
            signature_header=common_pb2.SignatureHeader(creator=creator).SerializeToString(),
        ),
        data=data,
    )
    envelope: bytes = common_pb2.Envelope(payload=payload.SerializeToString()).SerializeToString()
    return envelope
