"""A channel's blocks, put together from Fabric's own messages: chained, validated, not signed.

What a transaction weighs is like the network's: two endorsements and certificates of usual size.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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

from medfab_gateway import Block, PrivateWrites, decode_block
from medfab_gateway.consumers import LedgerBlock

CERTIFICATE = b"-----BEGIN CERTIFICATE-----\n" + b"MIIC" * 200 + b"\n-----END CERTIFICATE-----\n"


@dataclass(frozen=True, kw_only=True)
class Tx:
    """One transaction. Values are bytes, or what becomes JSON; None deletes."""

    chaincode: str = "ehr"
    function: str = "Do"
    writes: Mapping[str, Any] = field(default_factory=dict)
    private: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    """By collection and key; None deletes, PURGE purges."""

    event: tuple[str, Any] | None = None
    code: str = "VALID"
    msp_id: str = "HospitalMSP"


PURGE = object()


class Ledger:
    """Blocks of one channel, one after another."""

    def __init__(self, channel: str = "care", *, seed: str = "") -> None:
        self.channel = channel
        self.blocks: list[LedgerBlock] = []
        self._previous = b""
        self._seed = seed
        self._count = 0

    def add(self, *transactions: Tx) -> LedgerBlock:
        """The next block, decoded as from a peer; with the private values in it."""
        number = len(self.blocks)
        envelopes, private = [], []
        for index, transaction in enumerate(transactions):
            envelopes.append(self._envelope(transaction))
            private += _private_writes(index, transaction)
        raw = self._block(number, envelopes, [each.code for each in transactions])
        block = decode_block(raw)
        self._previous = block.hash
        made = LedgerBlock(block=block, private_data=tuple(private))
        self.blocks.append(made)
        return made

    def without_private(self) -> list[LedgerBlock]:
        return [LedgerBlock(block=each.block) for each in self.blocks]

    def _block(self, number: int, envelopes: Sequence[bytes], codes: Sequence[str]) -> bytes:
        block = common_pb2.Block()
        block.header.number = number
        block.header.previous_hash = self._previous
        block.data.data.extend(envelopes)
        block.header.data_hash = hashlib.sha256(b"".join(envelopes)).digest()
        flags = bytes(transaction_pb2.TxValidationCode.Value(code) for code in codes)
        block.metadata.metadata.extend([b"", b"", flags, b"", b""])
        raw: bytes = block.SerializeToString()
        return raw

    def _envelope(self, transaction: Tx) -> bytes:
        self._count += 1
        transaction_id = hashlib.sha256(f"{self._seed}/{self._count}".encode()).hexdigest()
        header = common_pb2.ChannelHeader(
            type=common_pb2.ENDORSER_TRANSACTION, channel_id=self.channel, tx_id=transaction_id
        )
        header.timestamp.FromMilliseconds(1_700_000_000_000 + self._count)
        creator = identities_pb2.SerializedIdentity(
            mspid=transaction.msp_id, id_bytes=CERTIFICATE
        ).SerializeToString()
        payload = common_pb2.Payload(
            header=common_pb2.Header(
                channel_header=header.SerializeToString(),
                signature_header=common_pb2.SignatureHeader(
                    creator=creator, nonce=bytes(24)
                ).SerializeToString(),
            ),
            data=_data(transaction),
        )
        envelope: bytes = common_pb2.Envelope(
            payload=payload.SerializeToString(), signature=bytes(71)
        ).SerializeToString()
        return envelope


def _data(transaction: Tx) -> bytes:
    sets = rwset_pb2.NsReadWriteSet(
        namespace=transaction.chaincode, rwset=_public(transaction).SerializeToString()
    )
    for collection in dict.fromkeys(name for name, _ in transaction.private):
        hashed = kv_rwset_pb2.HashedRWSet()
        for (name, key), value in transaction.private.items():
            if name == collection:
                hashed.hashed_writes.add(
                    key_hash=hashlib.sha256(key.encode()).digest(),
                    value_hash=b"" if _is_gone(value) else hashlib.sha256(_bytes(value)).digest(),
                    is_delete=_is_gone(value),
                    is_purge=value is PURGE,
                )
        sets.collection_hashed_rwset.add(
            collection_name=collection, hashed_rwset=hashed.SerializeToString()
        )
    emitted = chaincode_event_pb2.ChaincodeEvent()
    if transaction.event is not None:
        emitted.chaincode_id = transaction.chaincode
        emitted.event_name, emitted.payload = transaction.event[0], _bytes(transaction.event[1])
    action = proposal_pb2.ChaincodeAction(
        chaincode_id=chaincode_pb2.ChaincodeID(name=transaction.chaincode),
        events=emitted.SerializeToString(),
        response=proposal_response_pb2.Response(status=200),
        results=rwset_pb2.TxReadWriteSet(ns_rwset=[sets]).SerializeToString(),
    )
    endorsed = transaction_pb2.ChaincodeEndorsedAction(
        proposal_response_payload=proposal_response_pb2.ProposalResponsePayload(
            proposal_hash=bytes(32), extension=action.SerializeToString()
        ).SerializeToString()
    )
    for msp_id in ("HospitalMSP", "ClinicMSP"):
        endorser = identities_pb2.SerializedIdentity(mspid=msp_id, id_bytes=CERTIFICATE)
        endorsed.endorsements.add(endorser=endorser.SerializeToString(), signature=bytes(71))
    spec = chaincode_pb2.ChaincodeSpec(
        chaincode_id=chaincode_pb2.ChaincodeID(name=transaction.chaincode),
        input=chaincode_pb2.ChaincodeInput(args=[transaction.function.encode()]),
    )
    whole = transaction_pb2.Transaction()
    whole.actions.add(
        payload=transaction_pb2.ChaincodeActionPayload(
            chaincode_proposal_payload=proposal_pb2.ChaincodeProposalPayload(
                input=chaincode_pb2.ChaincodeInvocationSpec(chaincode_spec=spec).SerializeToString()
            ).SerializeToString(),
            action=endorsed,
        ).SerializeToString()
    )
    data: bytes = whole.SerializeToString()
    return data


def _public(transaction: Tx) -> Any:
    public = kv_rwset_pb2.KVRWSet()
    for key, value in transaction.writes.items():
        public.writes.add(
            key=key, is_delete=value is None, value=b"" if value is None else _bytes(value)
        )
    return public


def _private_writes(index: int, transaction: Tx) -> list[PrivateWrites]:
    found = []
    for (collection, key), value in transaction.private.items():
        written = kv_rwset_pb2.KVRWSet()
        written.writes.add(
            key=key, is_delete=_is_gone(value), value=b"" if _is_gone(value) else _bytes(value)
        )
        found.append(
            PrivateWrites(
                transaction_number=index,
                namespace=transaction.chaincode,
                collection=collection,
                message=written,
            )
        )
    return found


def _is_gone(value: Any) -> bool:
    return value is None or value is PURGE


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value, sort_keys=True).encode()


def decoded(ledger: Ledger) -> list[Block]:
    return [each.block for each in ledger.blocks]
