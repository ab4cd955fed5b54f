"""The part of a stub that reads and writes the channel's public state."""

from collections.abc import Sequence

from fabric_protos.peer import chaincode_shim_pb2

from medfab_chaincode import _keys
from medfab_chaincode._conversation import Conversation
from medfab_chaincode._metadata import read_validation_parameter
from medfab_chaincode._pages import Page, checked_bookmark, fetch_page
from medfab_chaincode._reads import Reader
from medfab_chaincode._results import HistoryIterator, KeyValueIterator
from medfab_chaincode._writes import WriteSet

_Bounds = tuple[str, str]


class PublicState:
    """Public state: what every member of the channel holds.

    Pages and rich queries are for transactions that write nothing: the peer refuses writes
    after a page, and does not check at commit time whether a query would still find the same.
    """

    _conversation: Conversation
    _reader: Reader
    _writes: WriteSet

    async def get_state(self, key: str) -> bytes | None:
        """Read one key; None if it is absent.

        Reads that are begun together (``asyncio.gather``) travel in one message where the peer
        can take it; each still succeeds or fails by itself.
        """
        return await self._reader.get_public(_keys.checked_key(key))

    async def get_states(
        self, keys: Sequence[str], *, value_bytes: int | None = None
    ) -> list[bytes | None]:
        """Read many keys, in few round trips where the peer can; None for each absent one.

        value_bytes: the most bytes that one of these values has, if the contract knows. Up to
        1000 keys then share a message, as many as 64 MiB allow; without it 8 do, which is safe
        for whatever they hold. An answer over 100 MiB ends the stream and all transactions on it.
        """
        return await self._reader.get_many("", _keys.checked_keys(keys), value_bytes)

    def put_state(self, key: str, value: bytes) -> None:
        """Write one key when the transaction succeeds; an empty value deletes it."""
        self._writes.add("PUT_STATE", "", key, value)

    def delete_state(self, key: str) -> None:
        """Delete one key when the transaction succeeds; no error if it is absent."""
        self._writes.add("DEL_STATE", "", key)

    def get_history_for_key(self, key: str) -> HistoryIterator:
        """Iterate over every committed change of a key, newest first.

        Every peer has the public history, unless its operator has switched it off: then the
        first item raises `PeerError`. Not checked at commit time.
        """
        request = chaincode_shim_pb2.GetHistoryForKey(key=_keys.checked_key(key))
        return HistoryIterator(self._conversation, "GET_HISTORY_FOR_KEY", request)

    # -- ranges ------------------------------------------------------------------------------

    def get_state_by_range(self, start: str, end: str) -> KeyValueIterator:
        """Iterate over the simple keys from `start` (inclusive) to `end` (exclusive).

        Empty means no bound. The peer checks for phantoms at commit time.
        """
        return self._range(_keys.simple_range(start, end))

    async def get_state_by_range_with_pagination(
        self, start: str, end: str, page_size: int, bookmark: str = ""
    ) -> Page:
        """Return one page of a range; `bookmark`: that of the page before, empty for the first.

        Raises `InvalidArgumentError` for a bookmark outside of the range.
        """
        return await self._range_page(_keys.simple_range(start, end), page_size, bookmark)

    def get_state_by_partial_composite_key(
        self, object_type: str, attributes: Sequence[str]
    ) -> KeyValueIterator:
        """Iterate over the composite keys that begin with these parts."""
        return self._range(_keys.composite_range(object_type, attributes))

    async def get_state_by_partial_composite_key_with_pagination(
        self, object_type: str, attributes: Sequence[str], page_size: int, bookmark: str = ""
    ) -> Page:
        """Return one page of the composite keys that begin with these parts."""
        bounds = _keys.composite_range(object_type, attributes)
        return await self._range_page(bounds, page_size, bookmark)

    def get_state_by_all_composite_keys(self) -> KeyValueIterator:
        """Iterate over every composite key of the chaincode, of whatever object type."""
        return self._range(_keys.ALL_COMPOSITE_KEYS)

    async def get_state_by_all_composite_keys_with_pagination(
        self, page_size: int, bookmark: str = ""
    ) -> Page:
        """Return one page of every composite key of the chaincode."""
        return await self._range_page(_keys.ALL_COMPOSITE_KEYS, page_size, bookmark)

    # -- rich queries ------------------------------------------------------------------------

    def get_query_result(self, query: str) -> KeyValueIterator:
        """Iterate over what a CouchDB query (JSON) finds.

        A peer with LevelDB refuses it: the first item raises `PeerError`.
        """
        request = chaincode_shim_pb2.GetQueryResult(query=_keys.checked_query(query))
        return KeyValueIterator(self._conversation, "GET_QUERY_RESULT", request)

    async def get_query_result_with_pagination(
        self, query: str, page_size: int, bookmark: str = ""
    ) -> Page:
        """Return one page of what a CouchDB query finds."""
        return await fetch_page(
            self._conversation,
            "GET_QUERY_RESULT",
            chaincode_shim_pb2.GetQueryResult(query=_keys.checked_query(query)),
            page_size=page_size,
            bookmark=bookmark,
        )

    # -- endorsement of single keys ----------------------------------------------------------

    async def get_state_validation_parameter(self, key: str) -> bytes | None:
        """Read a key's own endorsement policy (see `KeyEndorsementPolicy`); None: it has none."""
        return await read_validation_parameter(self._conversation, "", key)

    def set_state_validation_parameter(self, key: str, parameter: bytes) -> None:
        """Give a key an endorsement policy of its own; empty: the chaincode's again.

        It binds later transactions, once this one is committed, and has no effect on a key
        that is absent then.
        """
        self._writes.add_validation_parameter("", key, parameter)

    # -- inside ------------------------------------------------------------------------------

    def _range(self, bounds: _Bounds) -> KeyValueIterator:
        first, last = bounds
        request = chaincode_shim_pb2.GetStateByRange(startKey=first, endKey=last)
        return KeyValueIterator(self._conversation, "GET_STATE_BY_RANGE", request)

    async def _range_page(self, bounds: _Bounds, page_size: int, bookmark: str) -> Page:
        first, last = bounds
        return await fetch_page(
            self._conversation,
            "GET_STATE_BY_RANGE",
            chaincode_shim_pb2.GetStateByRange(startKey=first, endKey=last),
            page_size=page_size,
            bookmark=checked_bookmark(bookmark, first, last),
        )
