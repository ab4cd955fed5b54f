"""SQL tables of the supply channel, for `medfab_gateway.consumers` (extra ``[consumers]``).

::

    store = SqliteStore("supply.sqlite")
    replay(blocks, [EpcisEvents(), Inventory(), Recalls()], store, channel="supply")
    page = EpcisQuery(store).events({"EQ_bizStep": ["shipping"]})

`EpcisEvents` holds the EPCIS events that the own organisation captured, out of its private data;
`Inventory` how many items each organisation has, in which state; `Recalls` recalled lots and who
has answered. The last two are made of public state, which names items by pseudonyms.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from medfab_gateway.consumers import (
    INTEGER,
    OWN,
    TEXT,
    LedgerTransaction,
    Operation,
    PrivateWritten,
    Projection,
    Table,
    View,
    Written,
    composite,
    composite_key,
    on_private,
    on_write,
    optional,
    private_reader,
)
from medfab_gateway.pharma._answers import milliseconds
from medfab_gateway.pharma._digital_link import canonical
from medfab_gateway.pharma.epcis import Event, read

EVENTS = Table(
    "epcis_events",
    {
        "event": TEXT,
        "type": TEXT,
        "action": optional(TEXT),
        "biz_step": optional(TEXT),
        "disposition": optional(TEXT),
        "event_time": INTEGER,
        "event_id": optional(TEXT),
        "read_point": optional(TEXT),
        "biz_location": optional(TEXT),
        "transformation": optional(TEXT),
        "body": TEXT,
    },
    key=["event"],
    indexes=[["event_time", "event"], ["biz_step", "event_time"]],
    private=True,
)
NAMES = Table(
    "epcis_names",
    {"event": TEXT, "role": TEXT, "name": TEXT},
    key=["event", "role", "name"],
    indexes=[["name", "role"]],
    private=True,
)
CAPTURED = Table(
    "epcis_captured",
    {
        "event": TEXT,
        "step": TEXT,
        "captured_by": TEXT,
        "captured_at": INTEGER,
        "transaction_id": TEXT,
        "error_reason": optional(TEXT),
        "error_at": optional(INTEGER),
    },
    key=["event"],
)
ITEMS = Table(
    "supply_items",
    {
        "item": TEXT,
        "kind": TEXT,
        "status": TEXT,
        "holder": optional(TEXT),
        "parent": optional(TEXT),
        "since": INTEGER,
    },
    key=["item"],
    indexes=[["holder", "status"], ["parent"]],
)
RECALLS = Table(
    "supply_recalls",
    {
        "tag": TEXT,
        "gtin": TEXT,
        "lot": TEXT,
        "recall_class": INTEGER,
        "reason": TEXT,
        "recalled_by": TEXT,
        "recalled_at": INTEGER,
    },
    key=["tag"],
)
ACKNOWLEDGEMENTS = Table(
    "supply_acknowledgements",
    {"tag": TEXT, "msp": TEXT, "acknowledged_at": INTEGER, "quarantined": INTEGER},
    key=["tag", "msp"],
)
UNITS_BY_HOLDER = View(
    name="supply_inventory",
    query="""
        WITH RECURSIVE placed (item, kind, status, holder, depth) AS (
            SELECT item, kind, status, holder, 0 FROM supply_items WHERE parent IS NULL
            UNION ALL
            SELECT inside.item, inside.kind, placed.status, placed.holder, placed.depth + 1
            FROM supply_items inside JOIN placed ON inside.parent = placed.item
            WHERE placed.depth < 8
        )
        SELECT holder, status, kind, count(*) AS items FROM placed GROUP BY holder, status, kind
    """,
)


class EpcisEvents(Projection):
    """The EPCIS events that the own organisation captured; for `EpcisQuery`."""

    name: ClassVar[str] = "epcis"
    version: ClassVar[int] = 1
    chaincode: str | None = "pharma"
    tables: ClassVar[Sequence[Table]] = (EVENTS, NAMES, CAPTURED)

    @on_write(composite("event", "event"))
    def captured(self, write: Written) -> Iterator[Operation]:
        """That an event is on the ledger, and whether it was declared wrong since."""
        if write.is_delete:
            yield CAPTURED.delete(event=write["event"])
            return
        entry = write.json()
        error = entry.get("error") or {}
        yield CAPTURED.put(
            event=write["event"],
            step=entry["step"],
            captured_by=entry["by"],
            captured_at=entry["at"],
            transaction_id=entry["transaction_id"],
            error_reason=error.get("reason"),
            error_at=error.get("at"),
        )

    @on_private(OWN, composite("body", "event"))
    def kept(self, write: PrivateWritten) -> Iterator[Operation]:
        """What the event says."""
        body = write.json()["body"]
        [event] = read(body.encode()).events
        name = write["event"]
        yield EVENTS.put(
            event=name,
            type=event.type,
            action=getattr(event, "action", None),
            biz_step=event.biz_step,
            disposition=event.disposition,
            event_time=milliseconds(event.event_time),
            event_id=event.event_id,
            read_point=_canonical(event.read_point.id) if event.read_point else None,
            biz_location=_canonical(event.biz_location.id) if event.biz_location else None,
            transformation=getattr(event, "transformation_id", None),
            body=body,
        )
        for role, each in sorted(set(names_of(event))):
            yield NAMES.put(event=name, role=role, name=each)

    @private_reader(OWN)
    async def read_kept(self, transaction: LedgerTransaction, network: Any) -> Any:
        """Ask the own peer for the body that a transaction has kept."""
        told = transaction.decoded.event
        if told is None:
            return []
        name = json.loads(told.payload).get("event")
        if name is None:
            return []
        answer = await network.contract("pharma").evaluate("ReadKeptEvent", name)
        if not answer:
            return []
        entry = json.loads(answer)
        value = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return [(composite_key("body", name), value.encode())]


class Inventory(Projection):
    """Every item of the channel by its pseudonym; `supply_inventory` counts by holder and state.

    The state is the item's own, or its root's: holds, recalls and expiry are not in it.
    """

    name: ClassVar[str] = "inventory"
    version: ClassVar[int] = 1
    chaincode: str | None = "pharma"
    tables: ClassVar[Sequence[Table]] = (ITEMS,)
    views: ClassVar[Sequence[View]] = (UNITS_BY_HOLDER,)

    @on_write(composite("item", "item"))
    def item(self, write: Written) -> Iterator[Operation]:
        """An item was commissioned, or moved."""
        if write.is_delete:
            yield ITEMS.delete(item=write["item"])
            return
        entry = write.json()
        yield ITEMS.put(
            item=write["item"],
            kind=entry["kind"],
            status=entry["status"],
            holder=entry.get("holder"),
            parent=entry.get("parent"),
            since=entry.get("since", 0),
        )


class Recalls(Projection):
    """Recalled lots, and which holders have answered."""

    name: ClassVar[str] = "recalls"
    version: ClassVar[int] = 1
    chaincode: str | None = "pharma"
    tables: ClassVar[Sequence[Table]] = (RECALLS, ACKNOWLEDGEMENTS)

    @on_write(composite("recall", "tag"))
    def recall(self, write: Written) -> Iterator[Operation]:
        """A lot was recalled."""
        entry = write.json()
        yield RECALLS.put(
            tag=write["tag"],
            gtin=entry["gtin"],
            lot=entry["lot"],
            recall_class=entry["recall_class"],
            reason=entry["reason"],
            recalled_by=entry["by"],
            recalled_at=entry["at"],
        )

    @on_write(composite("acknowledgement", "tag", "msp"))
    def acknowledged(self, write: Written) -> Iterator[Operation]:
        """A holder has taken note."""
        entry = write.json()
        yield ACKNOWLEDGEMENTS.put(
            tag=write["tag"],
            msp=write["msp"],
            acknowledged_at=entry["at"],
            quarantined=entry["quarantined"],
        )


def names_of(event: Event) -> Iterator[tuple[str, str]]:
    """Role and canonical name of everything that an event is about, or mentions."""
    for attribute, role in _ROLES.items():
        value = getattr(event, attribute, None)
        for each in (value,) if isinstance(value, str) else value or ():
            yield role, _canonical(each)
    for attribute, role in _QUANTITIES.items():
        for quantity in getattr(event, attribute, ()):
            yield role, _canonical(quantity.epc_class)
    for transaction in event.biz_transactions:
        yield f"bizTransaction_{transaction.type or ''}", transaction.id
    for source in event.sources:
        yield f"source_{source.type}", _canonical(source.id)
    for destination in event.destinations:
        yield f"destination_{destination.type}", _canonical(destination.id)


_ROLES = {
    "epcs": "epc",
    "child_epcs": "epc",
    "parent_id": "parentID",
    "input_epcs": "inputEPC",
    "output_epcs": "outputEPC",
}
_QUANTITIES = {
    "quantities": "epcClass",
    "child_quantities": "epcClass",
    "input_quantities": "inputEPCClass",
    "output_quantities": "outputEPCClass",
}


def _canonical(uri: str) -> str:
    return canonical(uri) or uri
