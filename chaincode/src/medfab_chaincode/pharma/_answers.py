"""What the functions answer. A submit's answer is in the block: it names no pack."""

from dataclasses import dataclass

from ._model import (
    ErrorDeclaration,
    HoldKind,
    ItemKind,
    ShipmentStatus,
    ShortageStatus,
    Signal,
    Status,
)

# --- submits -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Done:
    """A transition that took place, or (`repeated`) had done so in `transaction_id`."""

    transaction_id: str
    repeated: bool


@dataclass(frozen=True, kw_only=True)
class Commissioned:
    """With duplicates (indexes into the serials) nothing was commissioned, and alerts recorded."""

    transaction_id: str
    repeated: bool
    duplicates: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """The shipment's id is the transaction's."""

    shipment: str
    repeated: bool


@dataclass(frozen=True, kw_only=True)
class Received:
    """How many items of the shipment are missing; 0 unless it was complete."""

    transaction_id: str
    repeated: bool
    shortages: int


@dataclass(frozen=True, kw_only=True)
class Recalled:
    """The recalled lot's tag."""

    transaction_id: str
    repeated: bool
    tag: str


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """What the scan hints at."""

    transaction_id: str
    signals: tuple[Signal, ...]


@dataclass(frozen=True, kw_only=True)
class Readings:
    """Whether the budget is used up, and the item therefore quarantined."""

    transaction_id: str
    repeated: bool
    breached: bool


@dataclass(frozen=True, kw_only=True)
class Requested:
    """A verification request, and until when it is to be answered."""

    request: str
    due_at: int


# --- evaluates ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ItemView:
    """An item with what follows from its parents, holds, recalls and expiry."""

    digest: str
    kind: ItemKind
    status: Status
    """The effective one."""
    holder: str
    parent: str | None
    root: str
    consignee: str | None
    shipment: str | None
    lots: dict[str, int]
    remaining: int | None
    recalled: tuple[str, ...]
    held: HoldKind | None
    expired: bool
    since: int


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Answer to a scanned code; `reason` in the words of GS1 LMS 1.3, None where it verifies."""

    verified: bool
    reason: str | None
    info: tuple[str, ...]
    status: Status | None
    authentic: bool
    """EU FMD: the data match, and the pack is active."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change on an item's way, its own or that of a container it was in."""

    at: int
    transaction_id: str
    kind: str
    status: Status
    holder: str | None
    parent: str | None
    consignee: str | None
    item: str
    """Digest of what changed."""


@dataclass(frozen=True, kw_only=True)
class LineageView:
    """Digests of what an item was repacked from, and into."""

    origins: tuple[str, ...]
    successors: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LotPage:
    """Digests of units of a lot; no bookmark: the last page."""

    digests: tuple[str, ...]
    bookmark: str


@dataclass(frozen=True, kw_only=True)
class HolderCount:
    """How many units an organisation has in a state."""

    msp: str
    status: Status
    count: int


@dataclass(frozen=True, kw_only=True)
class HolderPage:
    """Part of the holders of a lot: add up the pages."""

    holders: tuple[HolderCount, ...]
    bookmark: str


@dataclass(frozen=True, kw_only=True)
class RecallView:
    """A recall with its lot's tag."""

    tag: str
    gtin: str
    lot: str
    recall_class: int
    reason: str
    by: str
    at: int


@dataclass(frozen=True, kw_only=True)
class AcknowledgementView:
    """Who knows of a recall."""

    msp: str
    at: int
    quarantined: int


@dataclass(frozen=True, kw_only=True)
class ShippedItem:
    """One root of a shipment: `in_transit`, `missing`, or where it is now."""

    digest: str
    status: Status


@dataclass(frozen=True, kw_only=True)
class ShipmentView:
    """A shipment with the state of what is in it."""

    shipper: str
    consignee: str
    returning: bool
    status: ShipmentStatus
    items: tuple[ShippedItem, ...]


@dataclass(frozen=True, kw_only=True)
class ShortageView:
    """An item that was missing."""

    item: str
    status: ShortageStatus
    at: int


@dataclass(frozen=True, kw_only=True)
class HoldView:
    """A hold on an item, or on one inside of it."""

    item: str
    kind: HoldKind
    reason: str
    raised_msp: str
    at: int


@dataclass(frozen=True, kw_only=True)
class KeptEvent:
    """The text of an event, and what keeps its hash from being guessed."""

    body: str
    salt: str


@dataclass(frozen=True, kw_only=True)
class EventView:
    """A captured EPCIS event."""

    step: str
    by: str
    at: int
    transaction_id: str
    error: ErrorDeclaration | None


@dataclass(frozen=True, kw_only=True)
class OwnerView:
    """Whose a product was from a time on."""

    at: int
    owner: str


@dataclass(frozen=True, kw_only=True)
class InquiryView:
    """A verification request with its answer."""

    request: str
    gtin: str
    item: str
    at: int
    due_at: int
    answered_at: int | None
    verified: bool | None
    overdue: bool


@dataclass(frozen=True, kw_only=True)
class NoticeView:
    """A notification to the regulator."""

    transaction_id: str
    kind: str
    reason: str
    by: str
    at: int
    item: str
    late: bool
