"""Pages: one message each, with a bookmark that tells where the next one begins."""

from dataclasses import dataclass
from typing import Any

from fabric_protos.peer import chaincode_shim_pb2

from medfab_chaincode import _keys
from medfab_chaincode._conversation import Conversation
from medfab_chaincode._results import KeyValue
from medfab_chaincode.errors import InvalidArgumentError

_HIGHEST_PAGE_SIZE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Page:
    """Some results of a range or query."""

    items: tuple[KeyValue, ...]

    bookmark: str
    """Where the next page begins. A range has none left when it is empty; a rich query when a
    page comes with fewer items than asked for."""

    fetched_count: int
    """How many items the peer counted; its own limit may be below the size asked for."""


async def fetch_page(
    conversation: Conversation, kind: str, request: Any, *, page_size: int, bookmark: str
) -> Page:
    """Send a `GetStateByRange` or `GetQueryResult` for one page of public state.

    Raises `InvalidArgumentError` for a size that is not 1 to 2^31-1: the peer would take 0 for
    "everything".
    """
    if not 1 <= page_size <= _HIGHEST_PAGE_SIZE:
        raise InvalidArgumentError("a page has 1 to 2147483647 items")
    request.metadata = chaincode_shim_pb2.QueryMetadata(
        pageSize=page_size, bookmark=_keys.encodable(bookmark, "a bookmark")
    ).SerializeToString()
    payload = await conversation.request(kind, request.SerializeToString())
    response = chaincode_shim_pb2.QueryResponse.FromString(payload)
    about = chaincode_shim_pb2.QueryResponseMetadata.FromString(response.metadata)
    return Page(
        items=tuple(KeyValue.from_bytes(result.resultBytes) for result in response.results),
        bookmark=about.bookmark,
        fetched_count=about.fetched_records_count,
    )


def checked_bookmark(bookmark: str, start: str, end: str) -> str:
    """Return `bookmark` if it is empty or a key of the range from `start` to `end`.

    The peer puts it in the place of `start`: a client that makes one up could else read keys
    before the range, composite ones included. Raises `InvalidArgumentError`.
    """
    if bookmark and (bookmark < start or (end and bookmark >= end)):
        raise InvalidArgumentError("the bookmark is none of this range")
    return bookmark
