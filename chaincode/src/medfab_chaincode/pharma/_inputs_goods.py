"""Input of the functions that move goods, or judge them."""

from dataclasses import dataclass
from enum import StrEnum

from ._ids import check_digits, check_item, check_lot, check_secret, check_serial, require
from ._inputs import (
    MAX_ITEMS,
    Captured,
    Items,
    ItemsWithReason,
    OneItem,
    check_expiry,
    check_hex,
    check_many,
    check_text,
)
from ._model import HoldKind


@dataclass(frozen=True, kw_only=True)
class LotInput(Captured):
    """A lot, and the secret that names it."""

    gtin: str
    lot: str
    expiry: int
    lot_key: str

    def check(self) -> None:
        super().check()
        check_digits(self.gtin, 14, "input.gtin")
        check_lot(self.lot, "input.lot")
        check_expiry(self.expiry, "input.expiry")
        check_secret(self.lot_key, "input.lot_key")


@dataclass(frozen=True, kw_only=True)
class SerialRange:
    """Serials `prefix` + number, from `first` to `last`, filled with zeros to `width` digits."""

    prefix: str
    first: int
    last: int
    width: int

    def serials(self) -> tuple[str, ...]:
        """Every serial of the range."""
        count = self.last - self.first + 1
        require(self.first >= 0 and count > 0, "input.range", "first from 0, and last from first")
        require(count <= MAX_ITEMS, "input.range", f"at most {MAX_ITEMS} serials")
        require(0 <= self.width <= 20, "input.range.width", "0 to 20")
        numbers = range(self.first, self.last + 1)
        return tuple(f"{self.prefix}{number:0{self.width}d}" for number in numbers)


@dataclass(frozen=True, kw_only=True)
class CommissionInput(LotInput):
    serials: tuple[str, ...] = ()
    range: SerialRange | None = None

    def check(self) -> None:
        super().check()
        either = bool(self.serials) != (self.range is not None)
        require(either, "input.serials", "serials or a range, and not both")
        check_many(self.serials, "input.serials", least=0)
        for index, serial in enumerate(self.every_serial()):
            check_serial(serial, f"input.serials[{index}]")

    def every_serial(self) -> tuple[str, ...]:
        """The list, or what the range stands for."""
        return self.range.serials() if self.range else self.serials


@dataclass(frozen=True, kw_only=True)
class RepackInput(LotInput):
    sources: tuple[str, ...]
    serials: tuple[str, ...]

    def check(self) -> None:
        super().check()
        check_many(self.sources, "input.sources")
        check_many(self.serials, "input.serials")
        for index, source in enumerate(self.sources):
            check_item(source, f"input.sources[{index}]")
        for index, serial in enumerate(self.serials):
            check_serial(serial, f"input.serials[{index}]")


@dataclass(frozen=True, kw_only=True)
class PackInput(Items):
    container: str

    def check(self) -> None:
        super().check()
        check_item(self.container, "input.container")


@dataclass(frozen=True, kw_only=True)
class UnpackInput(Captured):
    container: str
    items: tuple[str, ...] = ()
    """Empty: everything."""

    def check(self) -> None:
        super().check()
        check_item(self.container, "input.container")
        check_many(self.items, "input.items", least=0)
        for index, item in enumerate(self.items):
            check_item(item, f"input.items[{index}]")


@dataclass(frozen=True, kw_only=True)
class ShipInput(Items):
    consignee: str
    returning: bool = False

    def check(self) -> None:
        super().check()
        check_text(self.consignee, "input.consignee")


@dataclass(frozen=True, kw_only=True)
class ReceiveInput(Captured):
    shipment: str
    items: tuple[str, ...]
    complete: bool = False
    """Nothing more comes: what is missing is a shortage."""

    def check(self) -> None:
        super().check()
        check_hex(self.shipment, "input.shipment")
        check_many(self.items, "input.items", least=0 if self.complete else 1)
        for index, item in enumerate(self.items):
            check_item(item, f"input.items[{index}]")


@dataclass(frozen=True, kw_only=True)
class ShipmentInput(Captured):
    shipment: str

    def check(self) -> None:
        super().check()
        check_hex(self.shipment, "input.shipment")


class ShortageOutcome(StrEnum):
    """How a shortage ends."""

    FOUND = "found"
    RECEIVED = "received"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class ResolveInput(ShipmentInput):
    item: str
    outcome: ShortageOutcome

    def check(self) -> None:
        super().check()
        check_item(self.item, "input.item")


@dataclass(frozen=True, kw_only=True)
class HoldInput(ItemsWithReason):
    kind: HoldKind

    def check(self) -> None:
        super().check()
        raised = self.kind is not HoldKind.ILLEGITIMATE
        require(raised, "input.kind", "quarantined or suspect (Condemn finds items illegitimate)")


@dataclass(frozen=True, kw_only=True)
class RecallInput(Captured):
    gtin: str
    lot: str
    recall_class: int
    reason: str
    lot_key: str | None = None
    sample: str | None = None
    """Any pack of the lot: for those who have not the key."""

    def check(self) -> None:
        super().check()
        check_digits(self.gtin, 14, "input.gtin")
        check_lot(self.lot, "input.lot")
        require(self.recall_class in (1, 2, 3), "input.recall_class", "1, 2 or 3")
        check_text(self.reason, "input.reason")
        either = (self.lot_key is None) != (self.sample is None)
        require(either, "input.lot_key", "lot_key or sample, and not both")
        if self.lot_key is not None:
            check_secret(self.lot_key, "input.lot_key")
        if self.sample is not None:
            check_item(self.sample, "input.sample")


@dataclass(frozen=True, kw_only=True)
class AcknowledgeInput(Captured):
    gtin: str
    lot: str
    tag: str
    quarantined: int

    def check(self) -> None:
        super().check()
        check_text(self.tag, "input.tag")
        require(self.quarantined >= 0, "input.quarantined", "at least 0")


@dataclass(frozen=True, kw_only=True)
class DispenseInput(OneItem):
    gln: str
    doses: int | None = None
    """None: all that is left."""
    supplied: bool = False

    def check(self) -> None:
        super().check()
        check_digits(self.gln, 13, "input.gln")
        require(self.doses is None or self.doses > 0, "input.doses", "at least 1")


@dataclass(frozen=True, kw_only=True)
class ReverseInput(OneItem):
    gln: str

    def check(self) -> None:
        super().check()
        check_digits(self.gln, 13, "input.gln")


@dataclass(frozen=True, kw_only=True)
class ScannedInput(OneItem):
    """An item with what its label says."""

    lot: str | None = None
    expiry: int | None = None

    def check(self) -> None:
        super().check()
        if self.lot is not None:
            check_lot(self.lot, "input.lot")
        if self.expiry is not None:
            check_expiry(self.expiry, "input.expiry")


@dataclass(frozen=True, kw_only=True)
class ScanInput(ScannedInput):
    gln: str

    def check(self) -> None:
        super().check()
        check_digits(self.gln, 13, "input.gln")
