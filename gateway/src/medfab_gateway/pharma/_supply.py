# Made by scripts/make_sync.py from _supply_async.py: change that, and run it.
"""Calls of the supply contract, as every client makes them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from medfab_gateway._contract import Contract
from medfab_gateway.pharma import _retries
from medfab_gateway.pharma._answers import (
    Acknowledgement,
    Alert,
    EventRecord,
    Holding,
    ItemView,
    Lineage,
    Monitoring,
    Partner,
    Product,
    Recall,
    Shipment,
    Shortage,
    TraceStep,
    Verification,
    answer,
)
from medfab_gateway.pharma._instances import Sgtin
from medfab_gateway.pharma._items import Item, day, item_id
from medfab_gateway.pharma._keys import Gtin, Sscc
from medfab_gateway.pharma._scan import Scan
from medfab_gateway.pharma.errors import ScanError

T = TypeVar("T")
_PAGE = 1000


class Supply:
    """What everybody on the channel may ask; each asks the peer of the own organisation.

    ::

        supply = Supply(contract)
        verdict = supply.verify(scan("(01)09521141012345(17)261130(10)A1(21)1234"))
        print(verdict.verified, verdict.reason, verdict.info)

    ``contract``: the contract ``pharma`` on a gateway of the caller. What it asks leaves no trace.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def verify(self, code: Scan, *, purpose: str = "check") -> Verification:
        """Whether the pack of a scanned code is what the code says, and may go on.

        purpose: `check`, `resale` (of a return) or `dispense`. Raises :class:`ScanError` where the
        code names no single pack, and :class:`EvaluateError`.
        """
        expiry = day(code.expiry) if code.expiry is not None else 0
        item = pack_of(code)
        return self._evaluate(
            Verification, "Verify", item_id(item), code.lot or "", str(expiry), purpose
        )

    def item(self, item: Item) -> ItemView | None:
        """An item's state, holder and place; None: the ledger has no such item."""
        return self._find(ItemView, "ReadItem", item_id(item))

    def locate(self, items: Sequence[Item]) -> tuple[ItemView | None, ...]:
        """Many items at once; None where the ledger has no such item."""
        found: list[ItemView | None] = []
        for at in range(0, len(items), _PAGE):
            ids = json.dumps([item_id(item) for item in items[at : at + _PAGE]])
            found += self._evaluate(tuple[ItemView | None, ...], "Locate", ids)
        return tuple(found)

    def contents(self, container: Item) -> tuple[str, ...]:
        """Digests of what is directly inside."""
        return self._evaluate(tuple[str, ...], "Contents", item_id(container))

    def trace(self, item: Item) -> tuple[TraceStep, ...]:
        """What happened to an item from its commissioning on, oldest first."""
        return self._evaluate(tuple[TraceStep, ...], "Trace", item_id(item))

    def lineage(self, item: Item) -> Lineage:
        """From what a unit was repacked, and into what."""
        return self._evaluate(Lineage, "Lineage", item_id(item))

    def alerts(self, item: Item) -> tuple[Alert, ...]:
        """Signals about an item: scanned in two places at once, commissioned twice, …"""
        return self._evaluate(tuple[Alert, ...], "ListAlerts", item_id(item))

    def recalls(self) -> tuple[Recall, ...]:
        """All recalled lots."""
        return self._evaluate(tuple[Recall, ...], "ListRecalls")

    def holders(self, tag: str) -> tuple[Holding, ...]:
        """Who holds how many units of a lot now, across repacks."""
        counts: dict[tuple[str, str], int] = {}
        bookmark = ""
        while True:
            page = self._evaluate_json("Holders", tag, str(_PAGE), bookmark)
            for each in page["holders"]:
                key = (each["msp"], each["status"])
                counts[key] = counts.get(key, 0) + each["count"]
            bookmark = page["bookmark"]
            if not bookmark:
                break
        return tuple(
            Holding(msp=msp, status=status, count=count)
            for (msp, status), count in sorted(counts.items())
        )

    def lot_units(self, tag: str) -> tuple[str, ...]:
        """Digests of every unit of a lot."""
        units: list[str] = []
        bookmark = ""
        while True:
            page = self._evaluate_json("LotUnits", tag, str(_PAGE), bookmark)
            units += page["digests"]
            bookmark = page["bookmark"]
            if not bookmark:
                return tuple(units)

    def acknowledgements(self, tag: str) -> tuple[Acknowledgement, ...]:
        """Which holders have taken note of a recall."""
        return self._evaluate(tuple[Acknowledgement, ...], "Acknowledgements", tag)

    def shipment(self, shipment: str) -> Shipment:
        """A shipment's parties and roots."""
        return self._evaluate(Shipment, "ReadShipment", shipment)

    def shortages(self, shipment: str) -> tuple[Shortage, ...]:
        """What a complete receipt did not have."""
        return self._evaluate(tuple[Shortage, ...], "ListShortages", shipment)

    def product(self, gtin: Gtin) -> Product | None:
        """A registered product; None: there is none."""
        return self._find(Product, "ReadProduct", gtin.value)

    def partner(self, msp_id: str) -> Partner | None:
        """A registered trading partner; None: there is none."""
        return self._find(Partner, "ReadPartner", msp_id)

    def partners(self) -> tuple[Partner, ...]:
        """All registered trading partners."""
        return self._evaluate(tuple[Partner, ...], "ListPartners")

    def event(self, name: str) -> EventRecord | None:
        """What the ledger knows of the EPCIS event with this hash; None: nothing."""
        return self._find(EventRecord, "ReadEvent", bare_hash(name))

    def kept_event(self, name: str) -> str | None:
        """The JSON of an event that the own organisation captured; None: it keeps none."""
        kept = self._evaluate_json("ReadKeptEvent", bare_hash(name))
        return None if kept is None else str(kept["body"])

    def monitoring(self, item: Item) -> Monitoring | None:
        """The cold chain of an item; None: it is not watched."""
        return self._find(Monitoring, "ReadMonitoring", item_id(item))

    def _evaluate(self, kind: type[T], function: str, *arguments: str) -> T:
        return self._contract.evaluate(function, *arguments, result=answer(kind))

    def _find(self, kind: type[T], function: str, *arguments: str) -> T | None:
        found = self._contract.evaluate(function, *arguments)
        return None if found in (b"", b"null") else answer(kind)(found)

    def _evaluate_json(self, function: str, *arguments: str) -> Any:
        found = self._contract.evaluate(function, *arguments)
        return json.loads(found) if found.strip() else None

    def _submit(
        self,
        kind: type[T],
        function: str,
        fields: Mapping[str, Any],
        *,
        endorsing_organizations: Sequence[str] | None = None,
    ) -> T:
        """Submit a function with its input, which no block shows."""
        read: Callable[[bytes], T] = answer(kind)
        given = {name: value for name, value in fields.items() if value is not None}
        return self._contract.submit(
            function,
            transient={"input": json.dumps(given, separators=(",", ":")).encode()},
            endorsing_organizations=endorsing_organizations,
            result=read,
            retry=_retries.SUBMIT,
        )


def bare_hash(name: str) -> str:
    """The hex of an event's hash, given with or without `ni:///sha-256;…?ver=CBV2.0`."""
    return name.removeprefix("ni:///sha-256;").partition("?")[0]


def salt() -> str:
    """So that nobody can guess a private value by its hash."""
    return secrets.token_hex(16)


def pack_of(code: Scan) -> Item:
    if not isinstance(code.identifier, Sgtin | Sscc):
        raise ScanError(f"{code.identifier} names no single pack: a serial number (21) is missing")
    return code.identifier
