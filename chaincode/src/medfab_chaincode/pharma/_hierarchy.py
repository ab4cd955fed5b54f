"""Items with their parents: whose they are, and whether they may move.

Only a root has a holder. What is packed has that of its root, and its state.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ._call import Call
from ._codes import Code, refusal
from ._ids import digest
from ._keys import Kind
from ._model import AT_AN_END, SALEABLE, Hold, Item, ItemKind, Lot, Recall, Status
from ._store import Store

MAX_HEIGHT = 5
"""Levels inside a container: unit, bundle, case, pallet, and one more."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """An item, and the containers around it from the inside out."""

    digest: str
    item: Item
    parents: tuple[tuple[str, Item], ...] = ()

    @property
    def root(self) -> tuple[str, Item]:
        """The outermost container, or the item itself."""
        return self.parents[-1] if self.parents else (self.digest, self.item)

    @property
    def holder(self) -> str:
        """Who has it."""
        return self.root[1].holder or ""

    @property
    def path(self) -> tuple[str, ...]:
        """Digests of the item and of what is around it."""
        return (self.digest, *(parent for parent, _ in self.parents))

    @property
    def status(self) -> Status:
        """The item's own end, or else its root's state; holds, recalls and expiry apart."""
        if self.item.status in AT_AN_END:
            return self.item.status
        return self.root[1].status


async def place(store: Store, digests: Sequence[str]) -> list[Placed | None]:
    """Read items with everything around them: one message for each level."""
    found = await store.items(digests)
    known: dict[str, Item] = {
        d: item for d, item in zip(digests, found, strict=True) if item is not None
    }
    while missing := sorted({i.parent for i in known.values() if i.parent} - known.keys()):
        for name, parent in zip(missing, await store.items(missing), strict=True):
            if parent is None:
                raise RuntimeError("an item names a container that is not there")
            known[name] = parent
    return [_placed(d, known) if d in known else None for d in digests]


def _placed(name: str, known: Mapping[str, Item]) -> Placed:
    item = known[name]
    parents = []
    above = item.parent
    while above is not None:
        parents.append((above, known[above]))
        above = known[above].parent
    return Placed(digest=name, item=item, parents=tuple(parents))


async def placed(store: Store, ids: Sequence[str], field: str = "input.items") -> list[Placed]:
    """As `place`, of ids; refuses those that are unknown."""
    found = await place(store, [digest(each) for each in ids])
    present = [each for each in found if each is not None]
    if len(present) < len(found):
        index = found.index(None)
        raise refusal(
            Code.NOT_FOUND, f"{field}[{index}]: no such item was commissioned; check the code"
        )
    return present


async def loose(call: Call, ids: Sequence[str], field: str = "input.items") -> dict[str, Item]:
    """Read items that the caller holds, none of them in a container."""
    found = await call.store.items([digest(each) for each in ids])
    items = {}
    for index, (each, item) in enumerate(zip(ids, found, strict=True)):
        where = f"{field}[{index}]"
        if item is None:
            raise refusal(Code.NOT_FOUND, f"{where}: no such item was commissioned; check the code")
        if item.parent is not None:
            raise refusal(
                Code.IN_CONTAINER,
                f"{where}: the item is in a container: move that one, or unpack it first",
            )
        require_holder(call, item, where)
        items[digest(each)] = item
    return items


def require_holder(call: Call, root: Item, where: str) -> None:
    """Refuse what somebody else has in custody."""
    if root.holder != call.msp:
        raise refusal(Code.NOT_HOLDER, f"{where}: your organisation does not hold this item")


def require_status(items: Iterable[Item], allowed: Iterable[Status], field: str) -> None:
    """Refuse items in any other state."""
    permitted = frozenset(allowed)
    for index, item in enumerate(items):
        if item.status not in permitted:
            raise refusal(
                Code.WRONG_STATE,
                f"{field}[{index}]: an item that is {item.status} cannot do this",
            )


async def saleable(call: Call, ids: Sequence[str], field: str = "input.items") -> dict[str, Item]:
    """Read loose items that may be packed, shipped and dispensed.

    Not held, and nothing in them; not recalled, not expired.
    """
    items = await loose(call, ids, field)
    require_status(items.values(), SALEABLE, field)
    await require_free(call, items, field)
    return items


async def require_free(call: Call, items: Mapping[str, Item], field: str) -> None:
    """Refuse items that are held, recalled or expired, or contain what is."""
    units = [d for d, item in items.items() if item.kind is ItemKind.UNIT]
    held = {
        d
        for d, hold in zip(
            units,
            await call.store.get_many(Hold, Kind.HOLD, [(d, d) for d in units]),
            strict=True,
        )
        if hold is not None
    }
    recalled, expired = await blocked_lots(call, items.values())
    for index, (name, item) in enumerate(items.items()):
        where = f"{field}[{index}]"
        # Holds of what is in a container stand under the container's digest: an empty range here
        # is checked again at commit, so a hold that comes meanwhile stops this transaction.
        if item.kind is ItemKind.CONTAINER and await call.store.range(Hold, Kind.HOLD, name):
            held.add(name)
        if name in held:
            raise refusal(
                Code.HELD,
                f"{where}: the item, or one in it, is quarantined, suspect or illegitimate: "
                "it moves when it is cleared",
            )
        if recalled & item.units().keys():
            raise refusal(
                Code.RECALLED, f"{where}: a lot in it is recalled: unpack and destroy, or keep it"
            )
        if expired & item.units().keys():
            raise refusal(Code.EXPIRED, f"{where}: a lot in it is past its expiry date")


async def blocked_lots(call: Call, items: Iterable[Item]) -> tuple[set[str], set[str]]:
    """Return the tags of recalled and of expired lots among those in the items."""
    tags = sorted({tag for item in items for tag in item.units()})
    return await lots_in_the_way(call.store, tags, call.context.today)


async def lots_in_the_way(
    store: Store, tags: Sequence[str], today: int
) -> tuple[set[str], set[str]]:
    """Return those tags that are recalled, and those that are expired."""
    found = await store.get_pairs((Recall, Kind.RECALL), (Lot, Kind.LOT), tags)
    pairs = list(zip(tags, found, strict=True))
    recalled = {tag for tag, (recall, _) in pairs if recall is not None}
    expired = {tag for tag, (_, lot) in pairs if lot is None or lot.expiry < today}
    return recalled, expired
