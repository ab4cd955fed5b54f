"""Backward from an item to its beginning, and forward from a lot to all its units and holders."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from medfab_chaincode import Contract, InvalidArgumentError, evaluate, parse_state

from ._answers import HolderCount, HolderPage, LineageView, LotPage, Step
from ._call import SupplyContext
from ._codes import Code, refusal
from ._ids import check_item, digest, require
from ._keys import Kind
from ._model import Item, Lineage, Status
from ._scans import conditions
from ._store import Store, milliseconds

_Batch = list[str]
_Nothing = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _Change:
    item: Item
    at: int
    transaction_id: str


class Tracing(Contract):
    """Where it came from, and where it went."""

    @evaluate("Trace")
    async def trace(self, context: SupplyContext, item: str) -> list[Step]:
        """Return every change on an item's way, oldest first.

        What happened to a container is part of it for as long as the item was inside.
        """
        name = digest(check_item(item, "item"))
        if not (changes := await _changes(context, name)):
            raise refusal(Code.NOT_FOUND, "no such item was commissioned")
        return await _way(context, name, changes)

    @evaluate("Lineage")
    async def lineage(self, context: SupplyContext, item: str) -> LineageView:
        """Return what a unit was repacked from, and into: the next generation each way."""
        name = digest(check_item(item, "item"))
        (found,) = await context.store.items([name])
        if found is None:
            raise refusal(Code.NOT_FOUND, "no such item was commissioned")
        made = await _lineage(context.store, found.made_in)
        used = await _lineage(context.store, found.used_in)
        return LineageView(
            origins=made.sources if made else (), successors=used.units if used else ()
        )

    @evaluate("LotUnits")
    async def lot_units(
        self, context: SupplyContext, tag: str, page_size: int, bookmark: str
    ) -> LotPage:
        """Return the units of a lot and of those repacked from it; a page is some calls' units."""
        names, rest = await _page(context.store, tag, page_size, bookmark)
        return LotPage(digests=tuple(names), bookmark=rest)

    @evaluate("Holders")
    async def holders(
        self, context: SupplyContext, tag: str, page_size: int, bookmark: str
    ) -> HolderPage:
        """Count the units of a lot, and of those repacked from it, by holder and state."""
        names, rest = await _page(context.store, tag, page_size, bookmark)
        counts: Counter[tuple[str, Status]] = Counter()
        for found in await conditions(context.store, names, context.today):
            if found is not None:
                counts[found.placed.holder, found.status] += 1
        rows = [
            HolderCount(msp=msp, status=status, count=count)
            for (msp, status), count in sorted(counts.items())
        ]
        return HolderPage(holders=tuple(rows), bookmark=rest)


async def _changes(context: SupplyContext, name: str) -> list[_Change]:
    history = context.stub.get_history_for_key(context.store.key(Kind.ITEM, name))
    newest_first = [
        _Change(
            item=parse_state(Item, change.value or b""),
            at=milliseconds(change.timestamp),
            transaction_id=change.transaction_id,
        )
        async for change in history
    ]
    return newest_first[::-1]


async def _way(context: SupplyContext, name: str, changes: Sequence[_Change]) -> list[Step]:
    steps = []
    for index, change in enumerate(changes):
        steps.append(
            Step(
                at=change.at,
                transaction_id=change.transaction_id,
                kind=change.item.step,
                status=change.item.status,
                holder=change.item.holder,
                parent=change.item.parent,
                consignee=change.item.consignee,
                item=name,
            )
        )
        if change.item.parent is not None:
            # Packing and unpacking write both, so the transactions mark the time inside exactly.
            left = changes[index + 1].transaction_id if index + 1 < len(changes) else None
            around = await _changes(context, change.item.parent)
            inside = _between(around, change.transaction_id, left)
            steps += [
                step
                for step in await _way(context, change.item.parent, inside)
                if step.kind not in ("Fill", "Empty")  # others got in and out
            ]
    return steps


def _between(changes: Sequence[_Change], entered: str, left: str | None) -> list[_Change]:
    ids = [change.transaction_id for change in changes]
    start = ids.index(entered) + 1 if entered in ids else 0
    end = ids.index(left) if left in ids else len(ids)
    return list(changes[start:end])


async def _lineage(store: Store, transaction_id: str | None) -> Lineage | None:
    if transaction_id is None:
        return None
    return await store.get(Lineage, Kind.LINEAGE, transaction_id)


async def _page(store: Store, tag: str, page_size: int, bookmark: str) -> tuple[list[str], str]:
    """Read a page of a lot's units, then of the lots derived from it; a bookmark is `n|key`."""
    require(bool(tag), "tag", "a lot's tag")
    derived = await store.range(_Nothing, Kind.DERIVED, tag)
    tags = [tag, *(names[1] for names, _ in derived)]
    position, _, key = bookmark.partition("|")
    if bookmark and not (position.isascii() and position.isdigit() and int(position) < len(tags)):
        raise InvalidArgumentError.at("bookmark", "expected one that came with a page")
    index = int(position) if bookmark else 0
    rows, rest = await store.page(_Batch, Kind.BATCH, tags[index], size=page_size, bookmark=key)
    digests = [name for _, batch in rows for name in batch]
    if rest:
        return digests, f"{index}|{rest}"
    return digests, f"{index + 1}|" if index + 1 < len(tags) else ""
