"""Results of ranges, queries and histories: fetched in the peer's batches, given one by one."""

from abc import abstractmethod
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import chaincode_shim_pb2

from medfab_chaincode._conversation import Conversation

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyValue:
    """One result of a range or query: a key and its value (which `repr` leaves out)."""

    key: str
    value: bytes = field(repr=False)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Decode a `queryresult.KV`."""
        pair = kv_query_result_pb2.KV.FromString(raw)
        return cls(pair.key, pair.value)


@dataclass(frozen=True, slots=True)
class KeyModification:
    """One committed change of a key."""

    transaction_id: str
    """The transaction that made it."""

    value: bytes | None = field(repr=False)
    """What it wrote; None for a deletion."""

    timestamp: datetime
    """The time in that transaction's proposal: its client's clock, in UTC."""

    is_delete: bool


class _ResultIterator(Generic[T]):
    """Asks with one request, then fetches batch by batch until the peer has no more."""

    def __init__(self, conversation: Conversation, kind: str, request: Any) -> None:
        self._conversation = conversation
        self._kind = kind
        self._request = request
        self._results: deque[T] = deque()
        self._iterator_id = ""
        self._state = "new"  # → open (the peer holds an iterator) → finished

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._results:
            if self._state == "finished":
                raise StopAsyncIteration
            await self._fetch()
        return self._results.popleft()

    async def aclose(self) -> None:
        """Stop here: drop what is left and let the peer close its iterator."""
        was_open = self._state == "open"
        self._state = "finished"
        self._results.clear()
        if was_open:
            close = chaincode_shim_pb2.QueryStateClose(id=self._iterator_id)
            await self._conversation.request("QUERY_STATE_CLOSE", close.SerializeToString())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _fetch(self) -> None:
        if self._state == "new":
            payload = await self._conversation.request(
                self._kind, self._request.SerializeToString()
            )
        else:
            following = chaincode_shim_pb2.QueryStateNext(id=self._iterator_id)
            payload = await self._conversation.request(
                "QUERY_STATE_NEXT", following.SerializeToString()
            )
        response = chaincode_shim_pb2.QueryResponse.FromString(payload)
        self._iterator_id = response.id
        # The peer closes its iterator by itself with the last batch.
        self._state = "open" if response.has_more else "finished"
        self._results.extend(self._decode(result.resultBytes) for result in response.results)

    @abstractmethod
    def _decode(self, raw: bytes) -> T: ...


class KeyValueIterator(_ResultIterator[KeyValue]):
    """An asynchronous iterator over `KeyValue`s: ranges in the order of the keys.

    Nothing is asked of the peer before the first item. Leaving early is best done inside
    ``async with``, which closes the peer's iterator at once::

        async with context.stub.get_state_by_range("a", "b") as results:
            async for item in results:
                if item.value == wanted:
                    return item.key

    A plain ``async for`` with a ``break`` is correct too: the peer then keeps its iterator
    until the transaction ends.
    """

    def _decode(self, raw: bytes) -> KeyValue:
        return KeyValue.from_bytes(raw)


class HistoryIterator(_ResultIterator[KeyModification]):
    """An asynchronous iterator over `KeyModification`s, newest first; see `KeyValueIterator`."""

    def _decode(self, raw: bytes) -> KeyModification:
        change = kv_query_result_pb2.KeyModification.FromString(raw)
        return KeyModification(
            transaction_id=change.tx_id,
            value=None if change.is_delete else change.value,
            timestamp=change.timestamp.ToDatetime(tzinfo=UTC),
            is_delete=change.is_delete,
        )
