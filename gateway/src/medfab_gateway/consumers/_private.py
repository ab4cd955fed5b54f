"""Private values of the own organisation, asked of the contract and checked against the block."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from typing import Any

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from medfab_gateway._backoff import pauses
from medfab_gateway._events._private_data import PrivateWrites
from medfab_gateway._network_async import AsyncNetwork
from medfab_gateway._read_write_set import CollectionReadWriteSet
from medfab_gateway.consumers._changes import Failure, LedgerBlock, LedgerTransaction
from medfab_gateway.consumers._dispatch import Plan
from medfab_gateway.errors import GatewayError

_log = logging.getLogger("medfab_gateway.consumers")
_NOT_FOUND = 404


async def read_private(
    block: LedgerBlock, plans: Sequence[Plan], network: AsyncNetwork
) -> LedgerBlock:
    """The block with what the plans' readers found; a reader that fails is noted in it."""
    found: list[PrivateWrites] = []
    failures: dict[tuple[str, int], Failure] = {}
    for number, decoded in enumerate(block.block.transactions):
        transaction = LedgerTransaction(block.block.number, number, decoded)
        if decoded.validation_code != "VALID" or transaction.wrong is not None:
            continue
        for namespace in decoded.read_write_sets:
            for collection in namespace.collections:
                place = namespace.namespace, collection.collection
                for plan in plans:
                    reader = plan.readers.get(place)
                    wanted = _live_hashes(collection) if reader else {}
                    if reader is None or not wanted:
                        continue
                    try:
                        candidates = await _ask(reader, transaction, network)
                        writes = _matching(candidates, wanted)
                    except _Refused as refused:
                        failures[plan.name, number] = Failure(
                            handler=reader.__name__, error=refused.args[0]
                        )
                    except Exception as error:
                        # A mistake of the reader: one dead letter, and the consumer goes on.
                        failures[plan.name, number] = Failure.of(error, handler=reader.__name__)
                    else:
                        found.append(
                            PrivateWrites(
                                transaction_number=number,
                                namespace=place[0],
                                collection=place[1],
                                message=writes,
                            )
                        )
    return LedgerBlock(block=block.block, private_data=tuple(found), unread=failures)


class _Refused(Exception):
    """The contract refused; its argument is the code that it gave."""


async def _ask(reader: Any, transaction: LedgerTransaction, network: AsyncNetwork) -> Any:
    """What the reader gives; what passes is waited for. Raises `_Refused`."""
    for pause in pauses(0.2, 10.0):
        try:
            return await reader(transaction, network)
        except GatewayError as error:
            said = error.chaincode
            if said is not None:
                if said.status == _NOT_FOUND:  # purged meanwhile: its own block will say so
                    return ()
                raise _Refused(f"refused {said.code or said.status}") from None
            _log.warning(
                "Private values of transaction %s cannot be read at present (%s). Trying again "
                "in %.1f s.",
                transaction.transaction_id,
                type(error).__name__,
                pause,
            )
            await asyncio.sleep(pause)
    raise AssertionError("pauses never end")


def _live_hashes(collection: CollectionReadWriteSet) -> dict[bytes, bytes]:
    return {
        write.key_hash: write.value_hash
        for write in collection.writes
        if not write.is_delete and not write.is_purge
    }


def _matching(candidates: Any, wanted: dict[bytes, bytes]) -> Any:
    """A `KVRWSet` of those candidates that the block has, key and value."""
    writes = kv_rwset_pb2.KVRWSet()
    for key, value in candidates:
        expected = wanted.get(hashlib.sha256(key.encode()).digest())
        if expected is not None and hashlib.sha256(value).digest() == expected:
            writes.writes.add(key=key, value=value)
    return writes
