"""How the conformance contracts write lists, bytes and results: the same in every language."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from medfab_chaincode import KeyValue, KeyValueIterator, Page


def encode(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def strings(text: str) -> list[str]:
    values: list[str] = json.loads(text)
    return values


def hexadecimals(values: Iterable[bytes | None]) -> str:
    return encode([(value or b"").hex() for value in values])


def pairs(items: Iterable[KeyValue]) -> list[list[str]]:
    return [[item.key, item.value.hex()] for item in items]


async def collect(results: KeyValueIterator, limit: int = 0) -> str:
    """Read a result to its end, or until there are `limit` items (0: no limit)."""
    items: list[KeyValue] = []
    async with results:
        async for item in results:
            items.append(item)
            if len(items) == limit:
                break
    return encode(pairs(items))


def page_text(page: Page) -> str:
    return encode([pairs(page.items), page.bookmark, page.fetched_count])


def milliseconds(moment: datetime) -> int:
    """Since 1970, cut off as the others do."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
