"""Range results: fetched from the peer in its batches, given to the contract one by one."""

from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import chaincode_shim_pb2

from medfab_chaincode._conversation import Conversation


@dataclass(frozen=True, slots=True)
class KeyValue:
    """One result of a range: a key and its value (which `repr` leaves out)."""

    key: str
    value: bytes = field(repr=False)


class KeyValueIterator:
    """An asynchronous iterator over `KeyValue`s, in the order of the keys.

    Nothing is asked of the peer before the first item. Leaving early is best done inside
    ``async with``, which closes the peer's iterator at once::

        async with context.stub.get_state_by_range("a", "b") as results:
            async for item in results:
                if item.value == wanted:
                    return item.key

    A plain ``async for`` with a ``break`` is correct too: the peer then keeps its iterator
    until the transaction ends.
    """

    def __init__(self, conversation: Conversation, *, start: str, end: str, collection: str):
        self._conversation = conversation
        self._range = chaincode_shim_pb2.GetStateByRange(
            startKey=start, endKey=end, collection=collection
        )
        self._results: deque[KeyValue] = deque()
        self._iterator_id = ""
        self._state = "new"  # → open (the peer holds an iterator) → finished

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> KeyValue:
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
                "GET_STATE_BY_RANGE", self._range.SerializeToString()
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
        for result in response.results:
            pair = kv_query_result_pb2.KV.FromString(result.resultBytes)
            self._results.append(KeyValue(pair.key, pair.value))
