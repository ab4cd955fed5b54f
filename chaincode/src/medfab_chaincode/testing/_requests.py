"""The peer's side of one call of a chaincode: every request of the shim, answered.

It follows Fabric's `core/chaincode/handler.go`, in the words of its errors too.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2

from medfab_chaincode._results import KeyModification
from medfab_chaincode.testing._collection_access import CollectionAccess
from medfab_chaincode.testing._definitions import ChaincodeDefinition
from medfab_chaincode.testing._queries import Next, OpenQueries, page
from medfab_chaincode.testing._range_scan import RangeScan
from medfab_chaincode.testing._refusal import RefusalError
from medfab_chaincode.testing._simulation import Simulation

shim = chaincode_shim_pb2

CallChaincode = Callable[[Any], Awaitable[bytes]]
"""From a `ChaincodeSpec` to the serialised message that ended the call."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a peer knows about one call of a chaincode."""

    channel_id: str
    transaction_id: str
    chaincode: ChaincodeDefinition
    creator_msp_id: str
    simulation: Simulation
    call_chaincode: CallChaincode


class Requests:
    """Answers the requests of one call."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._simulation = call.simulation
        self._name = call.chaincode.name
        self._access = CollectionAccess(
            call.channel_id, call.chaincode, call.creator_msp_id, call.simulation
        )
        self._queries = OpenQueries()

    async def answer(self, kind: str, payload: bytes) -> bytes:
        """Return the payload of the RESPONSE. Raises `RefusalError` for an ERROR."""
        try:
            if kind == "INVOKE_CHAINCODE":
                spec = chaincode_pb2.ChaincodeSpec.FromString(payload)
                return await self._call.call_chaincode(spec)
            return _HANDLERS[kind](self, payload)
        except RefusalError as error:
            transaction_id = self._call.transaction_id
            raise RefusalError(
                f"{kind} failed: transaction ID: {transaction_id}: {error}"
            ) from None

    # -- reads -------------------------------------------------------------------------------

    def _get_state(self, payload: bytes) -> bytes:
        get = shim.GetState.FromString(payload)
        if get.collection:
            self._access.check_read(get.collection)
            return self._simulation.get_private_data(self._name, get.collection, get.key)
        return self._simulation.get_state(self._name, get.key)

    def _get_state_multiple(self, payload: bytes) -> bytes:
        get = shim.GetStateMultiple.FromString(payload)
        if get.collection:
            self._access.check_read(get.collection)
            values = self._simulation.get_private_data_many(self._name, get.collection, get.keys)
        else:
            values = [self._simulation.get_state(self._name, key) for key in get.keys]
        return _bytes(shim.GetStateMultipleResult(values=values))

    def _get_private_data_hash(self, payload: bytes) -> bytes:
        get = shim.GetState.FromString(payload)
        return self._simulation.get_private_data_hash(self._name, get.collection, get.key)

    def _get_state_metadata(self, payload: bytes) -> bytes:
        get = shim.GetStateMetadata.FromString(payload)
        if get.collection:
            self._access.check_read(get.collection)
            found = self._simulation.get_private_data_metadata(self._name, get.collection, get.key)
        else:
            found = self._simulation.get_state_metadata(self._name, get.key)
        entries = [shim.StateMetadata(metakey=name, value=found[name]) for name in found]
        return _bytes(shim.StateMetadataResult(entries=entries))

    # -- queries -----------------------------------------------------------------------------

    def _get_state_by_range(self, payload: bytes) -> bytes:
        query = shim.GetStateByRange.FromString(payload)
        paging = shim.QueryMetadata.FromString(query.metadata)
        if query.collection:
            self._access.check_read(query.collection)
            scan = self._simulation.scan_private(
                self._name, query.collection, query.startKey, query.endKey
            )
        elif paging.pageSize or paging.bookmark:
            self._simulation.begin_paged_query()
            start = paging.bookmark or query.startKey
            scan = self._simulation.scan(self._name, start, query.endKey)
            return page(self._pairs(scan), paging.pageSize, scan.bookmark)
        else:
            scan = self._simulation.scan(self._name, query.startKey, query.endKey)
        return self._queries.open(self._pairs(scan))

    def _get_query_result(self, payload: bytes) -> bytes:
        query = shim.GetQueryResult.FromString(payload)
        paging = shim.QueryMetadata.FromString(query.metadata)
        if query.collection:
            self._access.check_read(query.collection)
            self._simulation.begin_private_query()
            self._simulation.check_collection(self._name, query.collection)
        elif paging.pageSize or paging.bookmark:
            self._simulation.begin_paged_query()
            raise RefusalError("ExecuteQueryWithMetadata not supported for leveldb")
        raise RefusalError("ExecuteQuery not supported for leveldb")

    def _get_history_for_key(self, payload: bytes) -> bytes:
        key = shim.GetHistoryForKey.FromString(payload).key
        changes = self._simulation.world.histories.get((self._name, key), ())
        newest_first = iter([_modification(change) for change in reversed(changes)])
        return self._queries.open(lambda: next(newest_first, None))

    def _query_state_next(self, payload: bytes) -> bytes:
        return self._queries.next(shim.QueryStateNext.FromString(payload).id)

    def _query_state_close(self, payload: bytes) -> bytes:
        return self._queries.close(shim.QueryStateClose.FromString(payload).id)

    # -- writes ------------------------------------------------------------------------------

    def _write_batch_state(self, payload: bytes) -> bytes:
        for record in shim.WriteBatchState.FromString(payload).rec:
            self._write(record)
        return b""

    def _write(self, record: Any) -> None:
        simulation, name = self._simulation, self._name
        kind, collection = record.type, record.collection
        if collection:
            self._access.check_write(collection)
        if kind == shim.WriteRecord.PUT_STATE_METADATA:
            metadata = {record.metadata.metakey: record.metadata.value}
            if collection:
                simulation.set_private_data_metadata(name, collection, record.key, metadata)
            else:
                simulation.set_state_metadata(name, record.key, metadata)
        elif kind == shim.WriteRecord.PURGE_PRIVATE_DATA:
            simulation.purge_private_data(name, collection, record.key)
        else:
            value = record.value if kind == shim.WriteRecord.PUT_STATE else b""
            if collection:
                simulation.set_private_data(name, collection, record.key, value)
            else:
                simulation.set_state(name, record.key, value)

    # -- inside ------------------------------------------------------------------------------

    def _pairs(self, scan: RangeScan) -> Next:
        def following() -> bytes | None:
            found = scan.next()
            if found is None:
                return None
            key, value = found
            return _bytes(kv_query_result_pb2.KV(namespace=self._name, key=key, value=value))

        return following


_HANDLERS: dict[str, Callable[[Requests, bytes], bytes]] = {
    "GET_HISTORY_FOR_KEY": Requests._get_history_for_key,
    "GET_PRIVATE_DATA_HASH": Requests._get_private_data_hash,
    "GET_QUERY_RESULT": Requests._get_query_result,
    "GET_STATE": Requests._get_state,
    "GET_STATE_BY_RANGE": Requests._get_state_by_range,
    "GET_STATE_METADATA": Requests._get_state_metadata,
    "GET_STATE_MULTIPLE": Requests._get_state_multiple,
    "QUERY_STATE_CLOSE": Requests._query_state_close,
    "QUERY_STATE_NEXT": Requests._query_state_next,
    "WRITE_BATCH_STATE": Requests._write_batch_state,
}


def _modification(change: KeyModification) -> bytes:
    message = kv_query_result_pb2.KeyModification(
        tx_id=change.transaction_id, value=change.value or b"", is_delete=change.is_delete
    )
    message.timestamp.FromDatetime(change.timestamp)
    return _bytes(message)


def _bytes(message: Any) -> bytes:
    serialized: bytes = message.SerializeToString()
    return serialized
