"""The transient entry ``input`` of each submitted function. What is optional has a default.

`event` is the CBV hash of the EPCIS event that the call captures (64 hex digits): it makes the
call idempotent.
"""

from dataclasses import dataclass

from ._ids import (
    check_item,
    require,
)

MAX_ITEMS = 1000
"""Items in one call: no more than one multiple read of the peer answers."""

_HEX = frozenset("0123456789abcdef")
TIMES = range(253_402_300_800_000)  # until the year 9999
_CODE_LETTERS = 64


def check_text(value: str, field: str, most: int = 128) -> None:
    """Refuse text that is empty, long, or would break a key."""
    require(0 < len(value) <= most and value.isprintable(), field, f"1 to {most} letters")


def check_expiry(expiry: int, field: str) -> None:
    """Refuse what is no date of the form 20271231."""
    year, month, day = expiry // 10000, expiry // 100 % 100, expiry % 100
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    valid = 2000 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= days[month - 1]
    require(valid, field, "a date like 20271231")


def check_hex(value: str, field: str) -> None:
    """Refuse what is no SHA-256 in hex."""
    require(len(value) == 64 and _HEX.issuperset(value), field, "64 lower-case hex digits")


def check_many(items: tuple[str, ...], field: str, *, least: int = 1) -> None:
    require(least <= len(items) <= MAX_ITEMS, field, f"{least} to {MAX_ITEMS} entries")
    require(len(set(items)) == len(items), field, "no entry twice")


@dataclass(frozen=True, kw_only=True)
class Captured:
    """What every transition may carry."""

    event: str | None = None

    def check(self) -> None:
        """Refuse malformed input; the refusal names the field."""
        if self.event is not None:
            check_hex(self.event, "input.event")


@dataclass(frozen=True, kw_only=True)
class OneItem(Captured):
    """A transition of one item."""

    item: str

    def check(self) -> None:
        super().check()
        check_item(self.item, "input.item")


@dataclass(frozen=True, kw_only=True)
class Items(Captured):
    """A transition of several items."""

    items: tuple[str, ...]

    def check(self) -> None:
        super().check()
        check_many(self.items, "input.items")
        for index, item in enumerate(self.items):
            check_item(item, f"input.items[{index}]")


@dataclass(frozen=True, kw_only=True)
class ItemsWithReason(Items):
    """A transition of several items that says why."""

    reason: str

    def check(self) -> None:
        super().check()
        check_text(self.reason, "input.reason", _CODE_LETTERS)
