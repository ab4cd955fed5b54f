"""A small model of the supply chain, independent of the contract, and random steps against both.

The model keeps whole trees and moves everything in them; the contract follows pointers. After each
step every item is compared, and the nine invariants are checked on the model's own terms.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pharma_world import (
    AUDITOR,
    LOT_KEY,
    OPERATOR,
    PHARMACY,
    PLACES,
    QUALITY,
    SECOND_AUDITOR,
    Channel,
    Person,
    Refused,
    digest,
    gln,
    gtin,
    lot,
    sscc,
    unit,
)

ENDS = {"dispensed", "decommissioned", "destroyed", "stolen", "repacked"}
SALEABLE = {"active", "in_stock"}


@dataclass
class Thing:
    """An item, with everything said of it directly."""

    id: str
    holder: str
    status: str = "active"
    parent: str | None = None
    lots: frozenset[str] = frozenset()
    is_unit: bool = True
    shipment: str | None = None
    consignee: str | None = None
    before: str = "active"
    hold: tuple[str, Person] | None = None
    seen_at: str | None = None


@dataclass
class Model:
    """What should be, and how a random step changes it."""

    makers: tuple[str, ...]
    traders: tuple[str, ...]
    things: dict[str, Thing] = field(default_factory=dict)
    recalled: set[str] = field(default_factory=set)
    lots_of: dict[str, str] = field(default_factory=dict)
    shipments: dict[str, tuple[str, str, list[str], str]] = field(default_factory=dict)
    """id → (shipper, consignee, roots, open | cancelled | complete)"""
    counters: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    # -- questions ---------------------------------------------------------------------------

    def children(self, item: str) -> list[str]:
        return [each.id for each in self.things.values() if each.parent == item]

    def inside(self, item: str) -> list[str]:
        """The item and everything in it."""
        found = [item]
        for child in self.children(item):
            found += self.inside(child)
        return found

    def around(self, item: str) -> list[str]:
        """The item and everything around it."""
        parent = self.things[item].parent
        return [item] if parent is None else [item, *self.around(parent)]

    def depth(self, item: str) -> int:
        return max((1 + self.depth(child) for child in self.children(item)), default=0)

    def lots(self, item: str) -> set[str]:
        return {name for each in self.inside(item) for name in self.things[each].lots}

    def is_held(self, item: str) -> bool:
        """It, or anything in it."""
        return any(self.things[each].hold for each in self.inside(item))

    def block(self, item: str) -> str | None:
        """Why an item at rest may not be packed, shipped or dispensed."""
        if self.is_held(item):
            return "HELD"
        return "RECALLED" if self.lots(item) & self.recalled else None

    def effective(self, item: str) -> str:
        status = self.things[item].status
        if status in ENDS:
            return status
        holds = [self.things[each].hold for each in self.around(item)]
        kinds = [hold[0] for hold in holds if hold]
        for kind in ("illegitimate", "suspect", "quarantined"):
            if kind in kinds:
                return kind
        return "recalled" if self.lots(item) & self.recalled else status

    # -- expected refusals ---------------------------------------------------------------------

    def loose(self, by: str, items: list[str]) -> str | None:
        for item in items:
            thing = self.things.get(item)
            if thing is None:
                return "NOT_FOUND"
            if thing.parent is not None:
                return "IN_CONTAINER"
            if thing.holder != by:
                return "NOT_HOLDER"
        return None

    def saleable(self, by: str, items: list[str]) -> str | None:
        if code := self.loose(by, items):
            return code
        if any(self.things[item].status not in SALEABLE for item in items):
            return "WRONG_STATE"
        return next((code for item in items if (code := self.block(item))), None)

    # -- changes -------------------------------------------------------------------------------

    def set(self, item: str, **changes: Any) -> None:
        """Change an item and everything in it, as goods really move."""
        for each in self.inside(item):
            if self.things[each].status not in ENDS:
                for name, value in changes.items():
                    setattr(self.things[each], name, value)


class Walk:
    """Random steps, taken by the model and by a channel; both must agree on each."""

    def __init__(self, channel: Channel, model: Model, seed: int) -> None:
        self.channel = channel
        self.model = model
        self.random = random.Random(seed)  # noqa: S311
        self.run = f"{seed:x}-"

    async def step(self) -> None:
        """Do one thing that is allowed, or is not, and compare."""
        names = [name for name in dir(self) if name.startswith("do_")]
        names += ["do_ship", "do_receive"] * 2  # or little gets to the pharmacy
        await getattr(self, self.random.choice(names))()

    # -- drawing -------------------------------------------------------------------------------

    def _trader(self) -> str:
        return self.random.choice(self.model.traders)

    def _some(self, by: str, most: int = 3) -> list[str]:
        """Mostly what the caller could move, sometimes anything."""
        model = self.model
        own = [
            each.id
            for each in model.things.values()
            if each.holder == by and each.parent is None and each.status in SALEABLE
        ]
        pool = own if own and self.random.random() < 0.8 else list(model.things)
        count = min(len(pool), self.random.randint(1, most))
        return self.random.sample(pool, count)

    async def _try(
        self, who: Person, function: str, given: dict[str, Any], expected: str | None
    ) -> Any:
        """Call; the refusal must be the one that the model expects."""
        answer, code = None, None
        try:
            answer = await self.channel.submit(who, function, given)
        except Refused as refusal:
            code = refusal.code
        assert code == expected, (function, given, code, expected)
        self.model.outcomes[f"{function} {code or 'ok'}"] += 1
        return answer

    # -- steps -----------------------------------------------------------------------------------

    async def do_commission(self) -> None:
        model = self.model
        maker = self.random.choice(model.makers)
        number = f"{self.run}{maker[0]}{self.random.randint(1, 3)}"
        model.counters["serial"] += 1
        serials = [f"{self.run}{model.counters['serial']}.{n}" for n in range(3)]
        known = [
            t.id
            for t in model.things.values()
            if t.is_unit and t.id.startswith(f"01/{gtin(1, maker)}")
        ]
        duplicate = known and self.random.random() < 0.15
        if duplicate:
            serials[1] = self.random.choice(known).split("/21/")[1]
        given = lot(number, gtin(1, maker)) | {"serials": serials}
        answer = await self._try(OPERATOR[maker], "Commission", given, None)
        assert bool(answer["duplicates"]) == bool(duplicate)
        if duplicate:
            name = unit(serials[1], gtin(1, maker))
            alerts = await self.channel.evaluate(AUDITOR, "ListAlerts", name)
            assert "duplicate_commissioning" in {alert["kind"] for alert in alerts}  # 1
            return
        for serial in serials:
            name = unit(serial, gtin(1, maker))
            model.things[name] = Thing(name, maker, lots=frozenset({number}))
        model.lots_of[number] = maker

    async def do_pack(self) -> None:
        model, by = self.model, self._trader()
        items = self._some(by, 4)
        if not items:
            return
        containers = [t.id for t in model.things.values() if not t.is_unit]
        fresh = not containers or self.random.random() < 0.5
        if fresh:
            model.counters[by] += 1
            base = int(self.run.strip("-"), 16) % 1000 * 100_000
            container = sscc(base + model.counters[by], by)
        else:
            container = self.random.choice(containers)
        expected = self._pack_code(by, container, items, fresh=fresh)
        given = {"container": container, "items": items}
        if await self._try(OPERATOR[by], "Pack", given, expected) is None:
            return
        if fresh:
            model.things[container] = Thing(container, by, is_unit=False)
        for item in items:
            # What is inside is as its container from now on.
            model.set(item, status=model.things[container].status)
            model.things[item].parent = container

    def _pack_code(self, by: str, container: str, items: list[str], *, fresh: bool) -> str | None:
        model = self.model
        if not fresh:
            thing = model.things[container]
            if thing.parent is not None:
                return "IN_CONTAINER"
            if thing.holder != by:
                return "NOT_HOLDER"
            if thing.status not in SALEABLE:
                return "WRONG_STATE"
            if code := model.block(container):
                return code
            if container in items:
                return "CYCLE"
        if code := model.saleable(by, items):
            return code
        if max(model.depth(item) for item in items) + 1 > 5:
            return "TOO_MUCH"
        return None

    async def do_unpack(self) -> None:
        model, by = self.model, self._trader()
        full = [t.id for t in model.things.values() if model.children(t.id)]
        if not full:
            return
        container = self.random.choice(full)
        if self.random.random() < 0.7:
            by = model.things[container].holder
        children = model.children(container)
        taken = self.random.sample(children, self.random.randint(1, len(children)))
        expected = model.loose(by, [container])
        if expected is None and model.things[container].status not in SALEABLE:
            expected = "WRONG_STATE"
        given = {"container": container, "items": taken}
        if await self._try(OPERATOR[by], "Unpack", given, expected) is None:
            return
        for item in taken:
            model.things[item].parent = None
            own = model.things[container].hold
            if own and not model.things[item].hold:
                model.things[item].hold = own

    async def do_ship(self) -> None:
        model, by = self.model, self._trader()
        items = self._some(by)
        to = self.random.choice([each for each in model.traders if each != by])
        if not items:
            return
        expected = model.saleable(by, items)
        answer = await self._try(OPERATOR[by], "Ship", {"items": items, "consignee": to}, expected)
        if answer is None:
            return
        shipment = answer["shipment"]
        model.shipments[shipment] = (by, to, items, "open")
        for item in items:
            before = model.things[item].status
            model.set(item, status="in_transit", shipment=shipment, consignee=to, before=before)

    async def do_receive(self) -> None:
        model = self.model
        if not model.shipments:
            return
        shipment = self.random.choice(list(model.shipments))
        shipper, consignee, roots, state = model.shipments[shipment]
        by = consignee if self.random.random() < 0.8 else self._trader()
        items = self.random.sample(roots, self.random.randint(1, len(roots)))
        complete = self.random.random() < 0.5
        if state != "open":
            expected: str | None = "WRONG_STATE"
        elif by != consignee:
            expected = "NOT_CONSIGNEE"
        elif not all(self._on_its_way(item, shipment) for item in items):
            expected = "WRONG_STATE"
        else:
            expected = None
        given = {"shipment": shipment, "items": items, "complete": complete}
        answer = await self._try(OPERATOR[by], "Receive", given, expected)
        if answer is None:
            return
        for item in items:
            model.set(item, status="in_stock", holder=by, shipment=None, consignee=None)
        if complete:
            missing = [item for item in roots if self._on_its_way(item, shipment)]
            assert answer["shortages"] == len(missing)
            for item in missing:
                model.set(item, status="missing")
            model.shipments[shipment] = (shipper, consignee, roots, "complete")

    def _on_its_way(self, item: str, shipment: str) -> bool:
        thing = self.model.things[item]
        return thing.status == "in_transit" and thing.shipment == shipment

    async def do_cancel(self) -> None:
        model = self.model
        if not model.shipments:
            return
        shipment = self.random.choice(list(model.shipments))
        shipper, consignee, roots, state = model.shipments[shipment]
        by = shipper if self.random.random() < 0.8 else self._trader()
        if state != "open":
            expected: str | None = "WRONG_STATE"
        elif by != shipper:
            expected = "NOT_HOLDER"
        elif not all(self._on_its_way(item, shipment) for item in roots):
            expected = "WRONG_STATE"
        else:
            expected = None
        given = {"shipment": shipment}
        if await self._try(OPERATOR[by], "CancelShipment", given, expected) is None:
            return
        for item in roots:
            before = model.things[item].before
            model.set(item, status=before, shipment=None, consignee=None)
        model.shipments[shipment] = (shipper, consignee, roots, "cancelled")

    async def do_hold(self) -> None:
        model = self.model
        if not model.things:
            return
        item = self.random.choice(list(model.things))
        thing = model.things[item]
        by = self.random.choice([thing.holder, self._trader(), "auditor", "second"])
        who = {"auditor": AUDITOR, "second": SECOND_AUDITOR}.get(by) or OPERATOR[by]
        kind = self.random.choice(["quarantined", "suspect"])
        strength = ["quarantined", "suspect", "illegitimate"]
        if who.role != "auditor" and by != thing.holder:
            expected: str | None = "NOT_HOLDER"
        elif thing.status in ENDS:
            expected = "WRONG_STATE"
        elif thing.hold and strength.index(thing.hold[0]) >= strength.index(kind):
            expected = "HELD"
        else:
            expected = None
        given = {"items": [item], "kind": kind, "reason": "walk"}
        if await self._try(who, "Hold", given, expected) is not None:
            thing.hold = (kind, who)

    async def do_judge(self) -> None:
        model = self.model
        held = [each for each in model.things.values() if each.hold]
        if not held:
            return
        thing = self.random.choice(held)
        by = self.random.choice([thing.holder, self._trader(), "auditor", "second"])
        who = {"auditor": AUDITOR, "second": SECOND_AUDITOR}.get(by) or QUALITY[by]
        function = "Clear" if self.random.random() < 0.8 else "Condemn"
        assert thing.hold is not None
        if who.role != "auditor" and by != thing.holder:
            expected: str | None = "NOT_HOLDER"
        elif thing.hold[0] == "illegitimate":
            expected = "WRONG_STATE"
        elif thing.hold[1] == who:
            expected = "SAME_PERSON"
        else:
            expected = None
        given = {"items": [thing.id], "reason": "walk"}
        if await self._try(who, function, given, expected) is not None:
            thing.hold = None if function == "Clear" else ("illegitimate", who)

    async def do_recall(self) -> None:
        model = self.model
        if not model.lots_of or self.random.random() < 0.9:
            return
        number, maker = self.random.choice(list(model.lots_of.items()))
        by = maker if self.random.random() < 0.7 else self._trader()
        if by != maker:
            expected: str | None = "NOT_OWNER"
        else:
            expected = "EXISTS" if number in model.recalled else None
        given = {"gtin": gtin(1, maker), "lot": number, "recall_class": 1, "reason": "walk"}
        who = OPERATOR[by]
        if await self._try(who, "Recall", given | {"lot_key": LOT_KEY}, expected) is not None:
            model.recalled.add(number)

    async def do_dispense(self) -> None:
        model = self.model
        by = PHARMACY if self.random.random() < 0.9 else self._trader()
        items = self._some(by, 1)
        if not items:
            return
        (item,) = items
        thing = model.things[item]
        if by != PHARMACY:
            expected: str | None = "NOT_CAPABLE"
        elif code := model.loose(by, items):
            expected = code
        elif not thing.is_unit or thing.status not in SALEABLE:
            expected = "WRONG_STATE"
        else:
            expected = model.block(item)
        given = {"item": item, "gln": gln(by)}
        if await self._try(OPERATOR[by], "Dispense", given, expected) is not None:
            thing.status = "dispensed"

    async def do_end(self) -> None:
        model, by = self.model, self._trader()
        if self.random.random() < 0.6:
            return
        items = self._some(by, 2)
        if not items:
            return
        function, status = self.random.choice(
            [
                ("Decommission", "decommissioned"),
                ("Destroy", "destroyed"),
                ("ReportStolen", "stolen"),
            ]
        )
        things = [model.things[item] for item in items]
        allowed = SALEABLE | ({"decommissioned"} if function == "Destroy" else set())
        expected = model.loose(by, items)
        if expected is None and any(thing.status not in allowed for thing in things):
            expected = "WRONG_STATE"
        if (
            expected is None
            and function != "Destroy"
            and any(thing.hold and thing.hold[0] == "illegitimate" for thing in things)
        ):
            expected = "HELD"
        given = {"items": items, "reason": "walk"}
        if await self._try(OPERATOR[by], function, given, expected) is not None:
            for item in items:
                model.things[item].status = status  # decommissioned may become destroyed
                model.set(item, status=status)
                for each in model.inside(item):
                    if model.things[each].status == "decommissioned":
                        model.things[each].status = status

    async def do_repack(self) -> None:
        model = self.model
        maker = self.random.choice(model.makers)
        sources = [item for item in self._some(maker, 2) if model.things[item].is_unit]
        if not sources:
            return
        expected = model.saleable(maker, sources)
        model.counters["repack"] += 1
        number = f"{self.run}X{model.counters['repack']}"
        serial = f"{number}.s"
        given = lot(number, gtin(1, maker)) | {"sources": sources, "serials": [serial]}
        if await self._try(OPERATOR[maker], "Repack", given, expected) is None:
            return
        lots = frozenset({number}).union(*(model.things[each].lots for each in sources))
        for each in sources:
            model.things[each].status = "repacked"
        made = unit(serial, gtin(1, maker))
        model.things[made] = Thing(made, maker, lots=lots)

    async def do_resolve(self) -> None:
        model = self.model
        missing = [
            each
            for each in model.things.values()
            if each.status == "missing" and each.parent is None
        ]
        if not missing:
            return
        thing = self.random.choice(missing)
        shipper, consignee, _, _ = model.shipments[str(thing.shipment)]
        by = self.random.choice([shipper, consignee, self._trader()])
        outcome = self.random.choice(["found", "received", "lost"])
        right = consignee if outcome == "received" else shipper
        given = {"shipment": thing.shipment, "item": thing.id, "outcome": outcome}
        expected = None if by == right else "NOT_HOLDER"
        if await self._try(OPERATOR[by], "ResolveShortage", given, expected) is None:
            return
        status = {"found": thing.before, "received": "in_stock", "lost": "stolen"}[outcome]
        model.set(thing.id, holder=by, shipment=None, consignee=None, status=status)

    async def do_scan(self) -> None:
        model, by = self.model, self._trader()
        if not model.things:
            return
        thing = self.random.choice(list(model.things.values()))
        ended = thing.status in ENDS
        here = str(PLACES.get(by))  # the others are at one place
        fast = thing.seen_at is not None and thing.seen_at != here
        given = {"item": thing.id, "gln": gln(by)}
        answer = await self._try(OPERATOR[by], "ReportScan", given, None)
        expected = ["decommissioned_scan"] * ended + ["impossible_speed"] * fast
        assert answer["signals"] == expected  # 8, 9
        thing.seen_at = here
        strongest = [
            model.things[each].hold for each in model.around(thing.id) if model.things[each].hold
        ]
        kinds = {hold[0] for hold in strongest if hold}
        if fast and not kinds & {"suspect", "illegitimate"}:
            thing.hold = ("suspect", OPERATOR[by])

    # -- comparing -------------------------------------------------------------------------------

    async def compare(self) -> None:
        """Ask the channel about every item; then check the invariants."""
        names = list(self.model.things)
        for start in range(0, len(names), 500):
            some = names[start : start + 500]
            found = await self.channel.evaluate(AUDITOR, "Locate", json.dumps(some))
            for name, view in zip(some, found, strict=True):
                thing = self.model.things[name]
                parent = None if thing.parent is None else digest(thing.parent)
                expected = (self.model.effective(name), thing.holder, parent, thing.consignee)
                got = (view["status"], view["holder"], view["parent"], view["consignee"])
                assert got == expected, (name, got, expected)
                root = self.model.around(name)[-1]
                assert view["root"] == digest(root)
        self._invariants()

    def _invariants(self) -> None:
        model = self.model
        serials = Counter(digest(name) for name in model.things)
        assert max(serials.values(), default=1) == 1  # 1
        for thing in model.things.values():
            path = model.around(thing.id)
            assert len(path) == len(set(path)) <= 6  # 2: no cycles
            root = model.things[path[-1]]
            assert thing.holder == root.holder  # 3
            if thing.status == "in_transit":  # 3, 4, 6
                assert root.status == "in_transit"
                shipper, consignee, roots, state = model.shipments[str(thing.shipment)]
                assert (root.id in roots, shipper, consignee, state) == (
                    True,
                    thing.holder,
                    thing.consignee,
                    "open",
                )
            if thing.status == "missing":
                assert model.shipments[str(thing.shipment)][3] == "complete"  # 6
