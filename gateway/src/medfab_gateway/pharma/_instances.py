"""Identifiers of one thing or one lot: a key with a serial number, a lot, an extension."""

from __future__ import annotations

from dataclasses import dataclass

from medfab_gateway.pharma._check_digits import text
from medfab_gateway.pharma._keys import NATIONAL_NUMBERS, Gln, Gtin
from medfab_gateway.pharma.errors import IdentifierError


@dataclass(frozen=True, order=True)
class Sgtin:
    """One pack: GTIN and serial number."""

    gtin: Gtin
    serial: str
    """1 to 20 characters of character set 82."""

    def __post_init__(self) -> None:
        text(self.serial, name="serial number", longest=20)

    def __str__(self) -> str:
        return f"(01){self.gtin}(21){self.serial}"


@dataclass(frozen=True, order=True)
class Lgtin:
    """One lot: GTIN and lot number."""

    gtin: Gtin
    lot: str
    """1 to 20 characters of character set 82."""

    def __post_init__(self) -> None:
        text(self.lot, name="lot", longest=20)

    def __str__(self) -> str:
        return f"(01){self.gtin}(10){self.lot}"


@dataclass(frozen=True, order=True)
class Sgln:
    """A place within a location: GLN and extension."""

    gln: Gln
    extension: str | None = None
    """1 to 20 characters of character set 82; None: the location as a whole."""

    def __post_init__(self) -> None:
        if self.extension is not None:
            text(self.extension, name="GLN extension", longest=20)

    def __str__(self) -> str:
        return f"(414){self.gln}" + (f"(254){self.extension}" if self.extension else "")


@dataclass(frozen=True, order=True)
class NationalNumber:
    """A national healthcare reimbursement number, as it is in a code beside the GTIN."""

    ai: str
    """710 to 716: the country."""
    value: str

    def __post_init__(self) -> None:
        if self.ai not in NATIONAL_NUMBERS:
            known = ", ".join(f"{ai} {name}" for ai, name in NATIONAL_NUMBERS.items())
            raise IdentifierError(f"({self.ai}) is not a national number; there are {known}")
        text(self.value, name="national number", longest=20)

    @property
    def country(self) -> str:
        return NATIONAL_NUMBERS[self.ai]

    def __str__(self) -> str:
        return f"({self.ai}){self.value}"
