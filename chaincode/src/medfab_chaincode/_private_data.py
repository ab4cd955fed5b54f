"""The part of a stub that reads and writes private data collections."""

from collections.abc import Sequence

from fabric_protos.peer import chaincode_shim_pb2

from medfab_chaincode import _keys
from medfab_chaincode._conversation import Conversation
from medfab_chaincode._metadata import read_validation_parameter
from medfab_chaincode._reads import Reader
from medfab_chaincode._results import KeyValueIterator
from medfab_chaincode._writes import WriteSet


class PrivateData:
    """Private data: what the members of a collection hold, and others know by its hash.

    Ranges and queries are for transactions that write nothing; the peer refuses the mixture. It
    knows no pages and no history of a collection.
    """

    _conversation: Conversation
    _reader: Reader
    _writes: WriteSet

    async def get_private_data(self, collection: str, key: str) -> bytes | None:
        """Read one key of a collection; None if it is absent.

        Fails with `PeerError` on a peer that is no member, or that misses the data.
        """
        return await self._reader.get(
            "GET_STATE", _keys.checked_collection(collection), _keys.checked_key(key)
        )

    async def get_private_data_many(
        self, collection: str, keys: Sequence[str], *, value_bytes: int | None = None
    ) -> list[bytes | None]:
        """Read many keys of a collection; None for each one that is absent or missing here.

        value_bytes: see `get_states`.
        """
        return await self._reader.get_many(
            _keys.checked_collection(collection), _keys.checked_keys(keys), value_bytes
        )

    async def get_private_data_hash(self, collection: str, key: str) -> bytes | None:
        """Read the SHA-256 of a private value: on every peer, member or not; None if absent."""
        return await self._reader.get(
            "GET_PRIVATE_DATA_HASH", _keys.checked_collection(collection), _keys.checked_key(key)
        )

    def put_private_data(self, collection: str, key: str, value: bytes) -> None:
        """Write one key of a collection when the transaction succeeds."""
        self._writes.add("PUT_STATE", _keys.checked_collection(collection), key, value)

    def delete_private_data(self, collection: str, key: str) -> None:
        """Delete one key of a collection; its history stays on the members' peers."""
        self._writes.add("DEL_STATE", _keys.checked_collection(collection), key)

    def purge_private_data(self, collection: str, key: str) -> None:
        """Delete one key of a collection with its history (channel capability V2_5)."""
        self._writes.add("PURGE_PRIVATE_DATA", _keys.checked_collection(collection), key)

    def get_private_data_by_range(self, collection: str, start: str, end: str) -> KeyValueIterator:
        """Iterate over a range of a collection; the peer allows no writes beside it."""
        return self._private_range(collection, _keys.simple_range(start, end))

    def get_private_data_by_partial_composite_key(
        self, collection: str, object_type: str, attributes: Sequence[str]
    ) -> KeyValueIterator:
        """Iterate over a collection's composite keys that begin with these parts."""
        return self._private_range(collection, _keys.composite_range(object_type, attributes))

    def get_private_data_query_result(self, collection: str, query: str) -> KeyValueIterator:
        """Iterate over what a CouchDB query finds in a collection; see `get_query_result`."""
        request = chaincode_shim_pb2.GetQueryResult(
            query=_keys.checked_query(query), collection=_keys.checked_collection(collection)
        )
        return KeyValueIterator(self._conversation, "GET_QUERY_RESULT", request)

    async def get_private_data_validation_parameter(
        self, collection: str, key: str
    ) -> bytes | None:
        """Read a private key's own endorsement policy; None: the collection's."""
        name = _keys.checked_collection(collection)
        return await read_validation_parameter(self._conversation, name, key)

    def set_private_data_validation_parameter(
        self, collection: str, key: str, parameter: bytes
    ) -> None:
        """Give a private key an endorsement policy of its own; empty: the collection's again."""
        self._writes.add_validation_parameter(_keys.checked_collection(collection), key, parameter)

    def _private_range(self, collection: str, bounds: tuple[str, str]) -> KeyValueIterator:
        first, last = bounds
        request = chaincode_shim_pb2.GetStateByRange(
            startKey=first, endKey=last, collection=_keys.checked_collection(collection)
        )
        return KeyValueIterator(self._conversation, "GET_STATE_BY_RANGE", request)
