"""Results of ranges, queries and histories, handed out in the peer's batches."""

from collections.abc import Callable
from dataclasses import dataclass

from fabric_protos.peer import chaincode_shim_pb2

Next = Callable[[], bytes | None]
"""Returns the next result, serialised, and None at the end."""

_BATCH = 100
"""Results in one message (Fabric's `maxResultLimit`)."""

_TOTAL = 100_000
"""Results of one query (Fabric's `totalQueryLimit`); what is beyond is silently left out."""


@dataclass(slots=True)
class _Query:
    following: Next
    pending: list[bytes]
    count: int = 0


class OpenQueries:
    """The queries of one call that the chaincode has not read to their end."""

    def __init__(self) -> None:
        self._queries: dict[str, _Query] = {}
        self._opened = 0

    def open(self, following: Next) -> bytes:
        """Return the first batch as a serialised `QueryResponse`."""
        self._opened += 1
        query_id = str(self._opened)
        self._queries[query_id] = _Query(following, [])
        return self.next(query_id)

    def next(self, query_id: str) -> bytes:
        """Return the next batch."""
        query = self._queries[query_id]
        while query.count < _TOTAL and (result := query.following()) is not None:
            query.count += 1
            # The peer has read one result more than it sends, which the read set shows.
            if len(query.pending) == _BATCH:
                batch, query.pending = query.pending, [result]
                return _response(query_id, batch, has_more=True)
            query.pending.append(result)
        del self._queries[query_id]
        return _response(query_id, query.pending)

    def close(self, query_id: str) -> bytes:
        """Forget a query."""
        del self._queries[query_id]
        return _response(query_id, [])


def page(following: Next, size: int, bookmark: Callable[[], str]) -> bytes:
    """Return one page as a serialised `QueryResponse`, with the bookmark of what comes next."""
    results: list[bytes] = []
    while len(results) < size and (result := following()) is not None:
        results.append(result)
    about = chaincode_shim_pb2.QueryResponseMetadata(
        fetched_records_count=len(results), bookmark=bookmark()
    )
    return _response("page", results, metadata=about.SerializeToString())


def _response(
    query_id: str, results: list[bytes], *, has_more: bool = False, metadata: bytes = b""
) -> bytes:
    message = chaincode_shim_pb2.QueryResponse(
        results=[chaincode_shim_pb2.QueryResultBytes(resultBytes=result) for result in results],
        has_more=has_more,
        id=query_id,
        metadata=metadata,
    )
    return bytes(message.SerializeToString())
