"""A range query while it is read."""

from collections.abc import Iterator

from medfab_chaincode.testing._range_reads import range_query_info
from medfab_chaincode.testing._read_write_set import ReadWriteSet
from medfab_chaincode.testing._world import Version, Versioned


class RangeScan:
    """A range query under way: it knows how far it was read, which is what is checked later."""

    def __init__(self, items: Iterator[tuple[str, Versioned]], start: str, end: str) -> None:
        self._items = items
        self._start = start
        self._end = end
        self._reads: list[tuple[str, Version]] = []
        self._exhausted = False

    def next(self) -> tuple[str, bytes] | None:
        """Return the next key and value, None at the end of the range."""
        found = next(self._items, None)
        if found is None:
            self._exhausted = True
            return None
        key, item = found
        self._reads.append((key, item.version))
        return key, item.value

    def bookmark(self) -> str:
        """Return the key that would come next, without reading it; empty at the end."""
        found = next(self._items, None)
        return "" if found is None else found[0]

    def record(self, sets: ReadWriteSet, chaincode: str) -> None:
        """Add what was read to the read-write set."""
        end = self._end if self._exhausted else self._reads[-1][0]
        info = range_query_info(self._start, end, exhausted=self._exhausted, reads=self._reads)
        sets[chaincode].range_queries.setdefault((self._start, end, self._exhausted), info)
