"""Verification of a scanned code, and scans that are worth recording."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from medfab_chaincode import Contract, Transient, evaluate, submit

from ._answers import Scanned, Verification
from ._call import ANYBODY, Call, SupplyContext
from ._codes import Code, refusal
from ._geometry import chord_metres
from ._hierarchy import Placed, lots_in_the_way, place
from ._holding import raise_hold
from ._ids import check_item, check_lot, digest, gtin_of, lot_proof, require
from ._inputs import check_expiry
from ._inputs_goods import ScanInput
from ._keys import Kind
from ._model import (
    AT_AN_END,
    SALEABLE,
    Alert,
    Hold,
    HoldKind,
    Location,
    Lot,
    Product,
    Sighting,
    Signal,
    Status,
    VerificationPolicy,
)
from ._store import Store

FASTEST_KM_H = 1000
NEAREST_METRES = 50_000
"""Within it, clocks and coordinates are too coarse to speak of speed."""

_PURPOSES = ("check", "resale", "dispense")


@dataclass(frozen=True, kw_only=True)
class Condition:
    """An item with all that decides its state."""

    placed: Placed
    recalled: tuple[str, ...]
    expired: bool
    held: HoldKind | None

    @property
    def status(self) -> Status:
        """The effective state."""
        own = self.placed.status
        if own in AT_AN_END:
            return own
        if self.held is not None:
            return Status(self.held.value)
        if self.recalled:
            return Status.RECALLED
        return Status.EXPIRED if self.expired else own


async def conditions(store: Store, digests: "list[str]", today: int) -> list[Condition | None]:
    """Read items with their parents, holds, recalls and expiry, in few messages."""
    found = await place(store, digests)
    paths = sorted({each for item in found if item for each in item.path})
    holds = await store.get_many(Hold, Kind.HOLD, [(each, each) for each in paths])
    held = {each: hold.kind for each, hold in zip(paths, holds, strict=True) if hold}
    tags = sorted({tag for item in found if item for tag in item.item.units()})
    recalled, expired = await lots_in_the_way(store, tags, today)
    return [
        None
        if item is None
        else Condition(
            placed=item,
            recalled=tuple(sorted(recalled & item.item.units().keys())),
            expired=bool(expired & item.item.units().keys()),
            held=max(
                (held[each] for each in item.path if each in held),
                key=tuple(HoldKind).index,
                default=None,
            ),
        )
        for item in found
    ]


class Scans(Contract):
    """Is this pack what it says?"""

    @evaluate("Verify")
    async def verify(
        self, context: SupplyContext, item: str, lot: str, expiry: int, purpose: str
    ) -> Verification:
        """Answer a scanned code from this peer's state; leaves no trace.

        lot, expiry: what the label says; empty and 0: not scanned.
        purpose: check, resale or dispense.
        """
        check_item(item, "item")
        require(purpose in _PURPOSES, "purpose", "check, resale or dispense")
        if lot:
            check_lot(lot, "lot")
        if expiry:
            check_expiry(expiry, "expiry")
        (found,), product = await asyncio.gather(
            conditions(context.store, [digest(item)], context.today),
            context.store.get(Product, Kind.PRODUCT, gtin_of(item) or "-"),
        )
        if product is not None and product.verification is VerificationPolicy.REFUSED:
            return _no("Manufacturer_policy")
        if found is None:
            return _no("No_match_GTIN_Serial")
        if reason := await _mismatch(context.store, found.placed, item, lot, expiry):
            return _no(reason)
        return _judge(found, purpose)

    @submit("ReportScan", access=ANYBODY)
    async def report_scan(
        self, context: SupplyContext, given: Annotated[ScanInput, Transient("input")]
    ) -> Scanned:
        """Record a scan, and what it hints at; impossible speed makes the item suspect."""
        call = await Call.open(context, "ReportScan", given)
        if call.repeated:
            return Scanned(transaction_id=call.repeated, signals=())
        name = digest(given.item)
        here, last, (found,) = await asyncio.gather(
            call.store.get(Location, Kind.LOCATION, given.gln),
            call.store.get(Sighting, Kind.SIGHTING, name),
            conditions(call.store, [name], context.today),
        )
        if here is None:
            raise refusal(Code.NOT_FOUND, "input.gln: its owner registers the location first")
        signals = []
        if found is None:
            signals.append(Signal.UNKNOWN_PACK)
        else:
            if found.placed.status in AT_AN_END:  # dispensed: to EU FMD that is decommissioned
                signals.append(Signal.DECOMMISSIONED_SCAN)
            lot, expiry = given.lot or "", given.expiry or 0
            if await _mismatch(call.store, found.placed, given.item, lot, expiry):
                signals.append(Signal.DATA_MISMATCH)
            if last is not None and await _too_fast(call, last, here):
                signals.append(Signal.IMPOSSIBLE_SPEED)
                if found.held in (None, HoldKind.QUARANTINED):
                    raise_hold(call, found.placed, HoldKind.SUSPECT, Signal.IMPOSSIBLE_SPEED)
            call.store.put(Kind.SIGHTING, name, value=Sighting(gln=given.gln, at=call.now))
        for signal in signals:
            alert = Alert(kind=signal, at=call.now, by=call.msp)
            call.store.put(Kind.ALERT, name, f"{call.transaction_id}.{signal}", value=alert)
        call.finish(name, signal=",".join(signals))
        return Scanned(transaction_id=call.transaction_id, signals=tuple(signals))


def _no(reason: str) -> Verification:
    return Verification(verified=False, reason=reason, info=(), status=None, authentic=False)


def _judge(found: Condition, purpose: str) -> Verification:
    own = found.placed.status
    flags = {
        "Expired": found.expired,
        "Recalled": bool(found.recalled),
        "Suspect": found.held is HoldKind.SUSPECT,
        "Illegitimate": found.held is HoldKind.ILLEGITIMATE,
    }
    info = tuple(name for name, is_so in flags.items() if is_so)
    if purpose == "resale" and (info or found.held or own not in {*SALEABLE, Status.RETURNED}):
        reason = "Not_for_re-distribution"
    elif own in AT_AN_END or found.held is HoldKind.ILLEGITIMATE:
        reason = "No_reason_provided"
    else:
        reason = None
    active = own not in AT_AN_END | {Status.MISSING} and not info and found.held is None
    return Verification(
        verified=reason is None,
        reason=reason,
        info=info,
        status=found.status,
        authentic=active,
    )


async def _mismatch(store: Store, placed: Placed, item: str, lot: str, expiry: int) -> str | None:
    unit = placed.item
    if unit.lot is None:
        return None
    known = await store.get(Lot, Kind.LOT, unit.lot)
    wrong_lot = bool(lot) and unit.proof != lot_proof(item, lot)
    wrong_expiry = bool(expiry) and (known is None or known.expiry != expiry)
    if not wrong_lot and not wrong_expiry:
        return None
    parts = ("_Lot" if wrong_lot else "") + ("_Expiry" if wrong_expiry else "")
    return f"No_match_GTIN_Serial{parts}"


async def _too_fast(call: Call, last: Sighting, here: Location) -> bool:
    if last.gln == here.gln:
        return False
    there = await call.store.get(Location, Kind.LOCATION, last.gln)
    if there is None:
        return False
    metres = chord_metres(
        (there.latitude_e6, there.longitude_e6), (here.latitude_e6, here.longitude_e6)
    )
    if metres < NEAREST_METRES:
        return False
    elapsed = abs(call.now - last.at)
    return metres * 3600 > FASTEST_KM_H * elapsed  # m·3600 s/h against km/h·ms
