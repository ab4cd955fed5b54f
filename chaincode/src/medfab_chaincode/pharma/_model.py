"""What the contract keeps in public state, as frozen dataclasses.

Times are whole milliseconds since 1970 UTC, dates the integers 20271231, organisations MSP ids.
Items are named by their digests, lots by their tags: nothing here names a pack or a product's lot.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Capacity(StrEnum):
    """What an organisation is licensed for."""

    MANUFACTURER = "manufacturer"
    WHOLESALER = "wholesaler"
    DISPENSER = "dispenser"
    REPACKAGER = "repackager"
    CARRIER = "carrier"


class ItemKind(StrEnum):
    """A unit is dispensed, a container holds others."""

    UNIT = "unit"
    CONTAINER = "container"


class Status(StrEnum):
    """State of an item. The last five are computed or held, and never an item's own."""

    ACTIVE = "active"
    IN_STOCK = "in_stock"
    IN_TRANSIT = "in_transit"
    RETURNED = "returned"
    MISSING = "missing"
    PARTIALLY_DISPENSED = "partially_dispensed"
    DISPENSED = "dispensed"
    DECOMMISSIONED = "decommissioned"
    DESTROYED = "destroyed"
    STOLEN = "stolen"
    REPACKED = "repacked"
    EXPIRED = "expired"
    RECALLED = "recalled"
    QUARANTINED = "quarantined"
    SUSPECT = "suspect"
    ILLEGITIMATE = "illegitimate"


SALEABLE = frozenset({Status.ACTIVE, Status.IN_STOCK})
AT_REST = SALEABLE | {Status.RETURNED, Status.PARTIALLY_DISPENSED}
AT_AN_END = frozenset(
    {
        Status.DISPENSED,
        Status.DECOMMISSIONED,
        Status.DESTROYED,
        Status.STOLEN,
        Status.REPACKED,
    }
)


class HoldKind(StrEnum):
    """Why an item may not move; each is stronger than those before it."""

    QUARANTINED = "quarantined"
    SUSPECT = "suspect"
    ILLEGITIMATE = "illegitimate"


class Signal(StrEnum):
    """What hints at a counterfeit."""

    DUPLICATE_COMMISSIONING = "duplicate_commissioning"
    IMPOSSIBLE_SPEED = "impossible_speed"
    DECOMMISSIONED_SCAN = "decommissioned_scan"
    UNKNOWN_PACK = "unknown_pack"
    DATA_MISMATCH = "data_mismatch"


# --- master data -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Charter:
    """Who oversees the channel, and witnesses every move."""

    authorities: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Partner:
    """An organisation that an authority has licensed."""

    msp: str
    name: str
    glns: tuple[str, ...]
    capacities: tuple[Capacity, ...]
    licence: str
    valid_from: int
    valid_to: int
    """First millisecond at which the licence is over."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose a GS1 company prefix is."""

    owner: str


@dataclass(frozen=True, kw_only=True)
class Location:
    """Where a GLN is, in millionths of a degree."""

    gln: str
    owner: str
    name: str
    latitude_e6: int
    longitude_e6: int


@dataclass(frozen=True, kw_only=True)
class Packaging:
    """What a packaging level holds."""

    gtin: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class ColdChain:
    """Limits in thousandths of a degree Celsius, and how long they may be left."""

    min: int
    max: int
    budget_ms: int
    max_gap_ms: int


class VerificationPolicy(StrEnum):
    """Does the owner let others verify?"""

    OPEN = "open"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Product:
    """A trade item; `owner` alone commissions it."""

    gtin: str
    owner: str
    name: str
    level: ItemKind
    lot_key_hash: str
    doses: int = 1
    contains: Packaging | None = None
    cold_chain: ColdChain | None = None
    verification: VerificationPolicy = VerificationPolicy.OPEN


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """An offer to hand a product over."""

    to: str
    offered_at: int


# --- items -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Lot:
    """What every unit of a lot shares."""

    expiry: int


@dataclass(frozen=True, kw_only=True)
class Item:
    """A unit or a container."""

    kind: ItemKind
    status: Status
    step: str
    """The function that wrote it last; Fill and Empty: it is the container of a Pack, Unpack."""
    since: int
    holder: str | None = None
    """Of a root; whoever shipped it, while it is in transit."""
    parent: str | None = None
    """Digest of the container it is in; its holder and state are then those of the root."""
    lots: dict[str, int] = field(default_factory=dict)
    """Containers: tag → units of it in here. Units: only those that were repacked have it."""
    height: int = 0
    """How many levels of items can be in it."""
    lot: str | None = None
    """A unit's own lot."""
    proof: str | None = None
    """A unit's `lot_proof`."""
    before: Status | None = None
    """In transit: what a cancelled shipment returns it to."""
    consignee: str | None = None
    shipment: str | None = None
    remaining: int | None = None
    """Doses left in a unit; None: all of them."""
    dispensed_at: int | None = None
    premises: str | None = None
    """GLN where it was dispensed."""
    supplied: bool = False
    """Handed to the patient: no reversal."""
    made_in: str | None = None
    """The transaction of the repack that made it."""
    used_in: str | None = None
    """The transaction of the repack that used it up."""

    def units(self) -> dict[str, int]:
        """Count the units in it by lot; a repacked one counts for each lot it was made from."""
        return self.lots if self.lots or self.lot is None else {self.lot: 1}


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """One repack: what went in, and what came out."""

    sources: tuple[str, ...]
    units: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Hold:
    """That an item is held; also written under each of its parents."""

    kind: HoldKind
    raised_by: str
    """SHA-256 (hex) of the client's id."""
    raised_msp: str
    at: int
    reason: str
    via: str | None = None
    """Under a parent: the direct child that it is, or is in."""


@dataclass(frozen=True, kw_only=True)
class Recall:
    """Public on purpose: a lot that nobody may pass on."""

    gtin: str
    lot: str
    recall_class: int
    reason: str
    by: str
    at: int


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """That an organisation knows of a recall."""

    at: int
    quarantined: int


class ShipmentStatus(StrEnum):
    """State of a shipment."""

    OPEN = "open"
    CANCELLED = "cancelled"
    COMPLETE = "complete"


@dataclass(frozen=True, kw_only=True)
class Shipment:
    """Roots on their way from one organisation to another."""

    shipper: str
    consignee: str
    returning: bool
    status: ShipmentStatus
    items: tuple[str, ...]


class ShortageStatus(StrEnum):
    """What became of an item that did not arrive."""

    OPEN = "open"
    FOUND = "found"
    RECEIVED = "received"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class Shortage:
    """An item that was shipped and did not arrive."""

    status: ShortageStatus
    at: int


# --- events, signals, cold chain, regulation ---------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ErrorDeclaration:
    """EPCIS: the event is wrong; others correct it."""

    reason: str
    at: int
    corrective: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EventEntry:
    """That an EPCIS event was captured, by the transaction that did what it says."""

    step: str
    by: str
    at: int
    transaction_id: str
    error: ErrorDeclaration | None = None


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """Where an item was scanned last."""

    gln: str
    at: int


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A signal about an item."""

    kind: Signal
    at: int
    by: str


@dataclass(frozen=True, kw_only=True)
class Device:
    """A sensor; `public_key` is a P-256 key, PEM."""

    owner: str
    public_key: str


class MonitorStatus(StrEnum):
    """State of the monitoring of an item."""

    RUNNING = "running"
    STOPPED = "stopped"
    BREACHED = "breached"


@dataclass(frozen=True, kw_only=True)
class Monitor:
    """What a device has reported about an item, summed up."""

    device: str
    min: int
    max: int
    budget_ms: int
    max_gap_ms: int
    status: MonitorStatus
    started_at: int
    excursion_ms: int = 0
    """Time outside the limits, and of gaps: what nobody measured is not proven good."""
    gap_ms: int = 0
    gaps: int = 0
    duplicates: int = 0
    readings: int = 0
    last_at: int | None = None
    last_value: int | None = None
    next_sequence: int = 1


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """A question to a product's owner, who has 24 hours."""

    gtin: str
    item: str
    by: str
    at: int
    due_at: int
    answered_at: int | None = None
    verified: bool | None = None
    reason: str | None = None


class NoticeKind(StrEnum):
    """What a partner tells the regulator about an item."""

    SUSPECT = "suspect"
    ILLEGITIMATE = "illegitimate"
    CLEARED = "cleared"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A notification to the regulator."""

    kind: NoticeKind
    item: str
    by: str
    at: int
    reason: str
    late: bool
    """More than 24 hours after the finding."""
