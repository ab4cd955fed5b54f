"""Aggregation: into containers and out of them. Both act on a container that is in none itself."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated

from medfab_chaincode import Contract, Transient, submit

from ._answers import Done
from ._call import OPERATORS, Call, SupplyContext
from ._codes import Code, refusal
from ._commissioning import new_container, require_container
from ._hierarchy import (
    MAX_HEIGHT,
    loose,
    require_free,
    require_holder,
    require_status,
    saleable,
)
from ._ids import digest
from ._inputs_goods import PackInput, UnpackInput
from ._keys import Kind
from ._model import SALEABLE, Hold, Item, ItemKind, Status

MAX_CHILDREN = 1000
"""Direct children of one container."""

MAX_LOTS = 200
"""Lots in one container, at any depth: a shipment looks each of them up."""

Contents = list[str]


class Packing(Contract):
    """What is in what."""

    @submit("Pack", access=OPERATORS)
    async def pack(
        self, context: SupplyContext, given: Annotated[PackInput, Transient("input")]
    ) -> Done:
        """Put loose items into a container; an SSCC that is new is commissioned by it."""
        call = await Call.open(context, "Pack", given)
        if call.repeated:
            return call.done_before()
        name = digest(given.container)
        container = await _container(call, given.container)
        if given.container in given.items:
            raise refusal(Code.CYCLE, "input.items: a container cannot be in itself")
        children = await saleable(call, given.items)
        contents = await call.store.get(Contents, Kind.CONTENTS, name) or []
        if len(contents) + len(children) > MAX_CHILDREN:
            raise refusal(Code.TOO_MUCH, f"a container has {MAX_CHILDREN} direct children at most")
        lots = Counter(container.lots)
        for child in children.values():
            lots.update(child.units())
        if len(lots) > MAX_LOTS:
            raise refusal(Code.TOO_MUCH, f"a container has units of {MAX_LOTS} lots at most")
        height = max(container.height, *(child.height + 1 for child in children.values()))
        if height > MAX_HEIGHT:
            raise refusal(Code.TOO_MUCH, f"containers are nested {MAX_HEIGHT} levels deep at most")
        for each, child in children.items():
            packed = replace(child, holder=None, parent=name, step="Pack", since=call.now)
            call.store.put(Kind.ITEM, each, value=packed)
            call.store.unguard(each)
        filled = replace(container, lots=dict(lots), height=height, step="Fill", since=call.now)
        call.store.put(Kind.ITEM, name, value=filled)
        call.store.guard(name, call.authorities, call.msp)
        call.store.put(Kind.CONTENTS, name, value=[*contents, *children])
        return call.finish(name)

    @submit("Unpack", access=OPERATORS)
    async def unpack(
        self, context: SupplyContext, given: Annotated[UnpackInput, Transient("input")]
    ) -> Done:
        """Take items, or everything, out of a container."""
        call = await Call.open(context, "Unpack", given)
        if call.repeated:
            return call.done_before()
        ((name, container),) = (await loose(call, [given.container], "input.container")).items()
        require_status([container], {*SALEABLE, Status.RETURNED}, "input.container")
        contents = await call.store.get(Contents, Kind.CONTENTS, name) or []
        taken = [digest(each) for each in given.items] or contents
        inside = frozenset(contents)
        for index, each in enumerate(taken):
            if each not in inside:
                raise refusal(Code.NOT_FOUND, f"input.items[{index}]: not in this container")
        if not taken:
            raise refusal(Code.WRONG_STATE, "input.container: there is nothing in it")
        children = {
            each: child
            for each, child in zip(taken, await call.store.items(taken), strict=True)
            if child is not None
        }
        await _release_holds(call, name, children)
        for each, child in children.items():
            out = replace(
                child,
                holder=call.msp,
                parent=None,
                status=container.status,
                step="Unpack",
                since=call.now,
            )
            call.store.put(Kind.ITEM, each, value=out)
            call.store.guard(each, call.authorities, call.msp)
        rest = [each for each in contents if each not in children]
        emptied = replace(
            container,
            lots=_without(container.lots, children.values()),
            height=container.height if rest else 0,
            step="Empty",
            since=call.now,
        )
        call.store.put(Kind.ITEM, name, value=emptied)
        call.store.put(Kind.CONTENTS, name, value=rest)
        return call.finish(name)


async def _container(call: Call, item: str) -> Item:
    (known,) = await call.store.items([digest(item)])
    if known is None:
        if not item.startswith("00/"):
            raise refusal(Code.NOT_FOUND, "input.container: CommissionContainers it first")
        await require_container(call, item)
        return new_container(call)
    if known.kind is not ItemKind.CONTAINER:
        raise refusal(Code.WRONG_STATE, "input.container: a unit holds nothing")
    if known.parent is not None:
        raise refusal(
            Code.IN_CONTAINER, "input.container: it is in a container itself: unpack it first"
        )
    require_holder(call, known, "input.container")
    require_status([known], SALEABLE, "input.container")
    await require_free(call, {digest(item): known}, "input.container")
    return known


def _without(lots: Mapping[str, int], children: Iterable[Item]) -> dict[str, int]:
    left = Counter(lots)
    for child in children:
        left.subtract(child.units())
    return {tag: count for tag, count in left.items() if count > 0}


async def _release_holds(call: Call, name: str, children: Mapping[str, Item]) -> None:
    """Let holds go with what they hold; a container's own hold goes to each child."""
    own: Hold | None = None
    held_inside = set()
    for (_, held), hold in await call.store.range(Hold, Kind.HOLD, name):
        if held == name:
            own = hold
        elif hold.via in children:
            call.store.delete(Kind.HOLD, name, held)
            held_inside.add(held)
    if own is not None:
        for each in children:
            if each not in held_inside:
                call.store.put(Kind.HOLD, each, each, value=own)
