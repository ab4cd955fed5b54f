"""The contract's answers as types, times as `datetime`."""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Done:
    """A transition that took place; `repeated`: it had done so before, in that transaction."""

    transaction_id: str
    repeated: bool = False


@dataclass(frozen=True, kw_only=True)
class Commissioned:
    """Packs that were made known. With `duplicates` (places in the list) none was."""

    transaction_id: str
    repeated: bool = False
    duplicates: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """A shipment on its way."""

    shipment: str
    repeated: bool = False

    @property
    def transaction_id(self) -> str:
        """The shipment's id is that of its transaction."""
        return self.shipment


@dataclass(frozen=True, kw_only=True)
class Received:
    """What was received; `shortages`: how many items of the shipment are missing."""

    transaction_id: str
    repeated: bool
    shortages: int


@dataclass(frozen=True, kw_only=True)
class Recalled:
    """A recall; `tag` is the lot's name on the ledger."""

    transaction_id: str
    repeated: bool
    tag: str


@dataclass(frozen=True, kw_only=True)
class Readings:
    """Readings taken in; `breached`: the budget is used up, and the item quarantined."""

    transaction_id: str
    repeated: bool
    breached: bool


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """A scan on record, with what it hints at."""

    transaction_id: str
    signals: tuple[str, ...]
    """`duplicate_commissioning`, `impossible_speed`, `decommissioned_scan`, `unknown_pack`,
    `data_mismatch`."""


@dataclass(frozen=True, kw_only=True)
class Requested:
    """A verification request; the product's owner has until `due_at`."""

    request: str
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class ItemView:
    """An item with what follows from its parents, holds, recalls and expiry."""

    digest: str
    kind: str
    """`unit` or `container`."""
    status: str
    holder: str
    """MSP id."""
    parent: str | None
    """Digest."""
    root: str
    consignee: str | None
    shipment: str | None
    lots: dict[str, int]
    """Tag → units of it inside."""
    remaining: int | None
    """Doses, of an opened unit."""
    recalled: tuple[str, ...]
    held: str | None
    expired: bool
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Whether a pack is what its label says, and may go on."""

    verified: bool
    reason: str | None
    """GS1 LMS 1.3's word where it is not, e.g. `No_match_GTIN_Serial`."""
    info: tuple[str, ...]
    """`Expired`, `Recalled`, `Suspect`, `Illegitimate`."""
    status: str | None
    authentic: bool
    """EU FMD: the data match, and the pack is active."""


@dataclass(frozen=True, kw_only=True)
class TraceStep:
    """What happened to an item, or to what it was in."""

    at: datetime
    transaction_id: str
    kind: str
    status: str
    holder: str | None
    """None: as its parent's."""
    parent: str | None
    consignee: str | None
    item: str
    """Digest of the one that it happened to."""


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """From what a unit was repacked, and into what; digests."""

    origins: tuple[str, ...]
    successors: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Recall:
    """A recalled lot."""

    tag: str
    gtin: str
    lot: str
    recall_class: int
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Holding:
    """So many units of a lot are with an organisation, in that state."""

    msp: str
    status: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """A holder has taken note of a recall, and set so many units aside."""

    msp: str
    at: datetime
    quarantined: int


@dataclass(frozen=True, kw_only=True)
class ShipmentItem:
    """A root of a shipment."""

    digest: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Shipment:
    """What was sent, and what became of it."""

    shipper: str
    consignee: str
    returning: bool
    status: str
    """`open`, `cancelled` or `complete`."""
    items: tuple[ShipmentItem, ...]


@dataclass(frozen=True, kw_only=True)
class Shortage:
    """Something that a complete receipt did not have."""

    item: str
    status: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A signal about an item."""

    at: datetime
    kind: str
    by: str


@dataclass(frozen=True, kw_only=True)
class Partner:
    """A trading partner, as the authority has registered it."""

    msp: str
    name: str
    glns: tuple[str, ...]
    capacities: tuple[str, ...]
    licence: str
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, kw_only=True)
class Packaging:
    """What a product contains."""

    gtin: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class ColdChain:
    """Within which limits a product stays, in milli-degrees Celsius and milliseconds."""

    min: int
    max: int
    budget_ms: int
    """How long in all it may be outside."""
    max_gap_ms: int
    """How long may pass between two readings."""


@dataclass(frozen=True, kw_only=True)
class Product:
    """A product, as its owner has registered it."""

    gtin: str
    name: str
    level: str
    doses: int
    contains: Packaging | None
    cold_chain: ColdChain | None
    verification: str
    owner: str


@dataclass(frozen=True, kw_only=True)
class DeclaredError:
    """That an event was in error."""

    reason: str
    at: datetime
    corrective: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EventRecord:
    """What the ledger knows of an EPCIS event."""

    step: str
    by: str
    at: datetime
    transaction_id: str
    error: DeclaredError | None


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """The cold chain of an item."""

    device: str
    min: int
    max: int
    budget_ms: int
    excursion_ms: int
    gap_ms: int
    gaps: int
    duplicates: int
    readings: int
    last_at: datetime | None
    last_value: int | None
    next_sequence: int
    status: str


@dataclass(frozen=True, kw_only=True)
class PendingVerification:
    """A request to an owner, and whether it was answered in time."""

    request: str
    gtin: str
    at: datetime
    due_at: datetime
    answered_at: datetime | None
    verified: bool | None
    overdue: bool


@dataclass(frozen=True, kw_only=True)
class Notification:
    """What a partner told the regulator about a product."""

    transaction_id: str
    kind: str
    reason: str
    by: str
    at: datetime
    item: str


ANSWERS: Mapping[str, type] = {
    "Commission": Commissioned,
    "CommissionContainers": Commissioned,
    "Repack": Commissioned,
    "Ship": Shipped,
    "Receive": Received,
    "Recall": Recalled,
}
"""What functions answer that answer more than that it is done."""


def answer(kind: type[T]) -> Callable[[bytes], T]:
    """Reads an answer of the contract; fields that this version does not know are left out."""

    def read(data: bytes) -> T:
        value: T = _read(kind, json.loads(data))
        return value

    return read


def milliseconds(moment: datetime) -> int:
    """As the contract has times. Raises `ValueError` for a naive datetime."""
    if moment.tzinfo is None:
        raise ValueError("a time needs a time zone: use datetime.now(UTC) or similar")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _read(kind: Any, raw: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        [other] = [each for each in arguments if each is not types.NoneType]
        return None if raw is None else _read(other, raw)
    if origin in (tuple, list):
        return origin(_read(arguments[0], each) for each in raw)
    if kind is datetime:
        return _EPOCH + timedelta(milliseconds=raw)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        given = {name: _read(of, raw[name]) for name, of in _fields(kind).items() if name in raw}
        return kind(**given)
    return raw


@functools.cache
def _fields(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)
