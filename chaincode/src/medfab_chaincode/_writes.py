"""The writes of one transaction: collected, the last one for each key wins, sent at the end."""

from collections.abc import Iterator
from typing import Any

from fabric_protos.peer import chaincode_shim_pb2

from medfab_chaincode import _keys
from medfab_chaincode._conversation import Conversation
from medfab_chaincode._metadata import VALIDATION_PARAMETER

WriteRecord = chaincode_shim_pb2.WriteRecord

BATCH_BYTES = 32 * 1024 * 1024
"""A batch is cut here, well under the 100 MiB that a message may have."""


class WriteSet:
    """What a transaction wants written, in the order of each key's first write."""

    def __init__(self) -> None:
        # A key's value and its metadata are written apart, neither replaces the other.
        self._records: dict[tuple[str, str, bool], Any] = {}

    def __len__(self) -> int:
        return len(self._records)

    def add(self, kind: str, collection: str, key: str, value: bytes = b"") -> None:
        """Collect one write; `collection` is empty for public state."""
        self._records[collection, key, False] = WriteRecord(
            key=_keys.checked_key(key), value=checked_value(value), collection=collection, type=kind
        )

    def add_validation_parameter(self, collection: str, key: str, parameter: bytes) -> None:
        """Collect the write of a key's endorsement policy; empty removes it."""
        self._records[collection, key, True] = WriteRecord(
            key=_keys.checked_key(key),
            collection=collection,
            metadata=chaincode_shim_pb2.StateMetadata(
                metakey=VALIDATION_PARAMETER, value=checked_value(parameter)
            ),
            type="PUT_STATE_METADATA",
        )

    async def flush(self, conversation: Conversation) -> None:
        """Send everything and wait for the acknowledgements.

        Raises `PeerError` if the peer refuses a write; the transaction must then fail.
        """
        if conversation.batching.writes:
            for batch in self._batches(conversation.batching.writes):
                payload = chaincode_shim_pb2.WriteBatchState(rec=batch).SerializeToString()
                await conversation.request("WRITE_BATCH_STATE", payload)
        else:
            for record in self._records.values():
                kind = WriteRecord.Type.Name(record.type)
                await conversation.request(kind, _single(kind, record))

    def _batches(self, most_records: int) -> Iterator[list[Any]]:
        batch: list[Any] = []
        size = 0
        for record in self._records.values():
            if batch and (len(batch) == most_records or size + len(record.value) > BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(record)
            size += len(record.value)
        if batch:
            yield batch


def _single(kind: str, record: Any) -> bytes:
    message: Any
    if kind == "PUT_STATE":
        message = chaincode_shim_pb2.PutState(
            key=record.key, value=record.value, collection=record.collection
        )
    elif kind == "PUT_STATE_METADATA":
        message = chaincode_shim_pb2.PutStateMetadata(
            key=record.key, collection=record.collection, metadata=record.metadata
        )
    else:
        # DEL_STATE and PURGE_PRIVATE_DATA: the peer reads both as a DelState.
        message = chaincode_shim_pb2.DelState(key=record.key, collection=record.collection)
    payload: bytes = message.SerializeToString()
    return payload


def checked_value(value: bytes) -> bytes:
    """Return `value`; `TypeError` for anything but bytes, whose text may be a patient's."""
    if not isinstance(value, bytes):
        raise TypeError(f"the ledger stores bytes, not {type(value).__name__}")
    return value
