"""GS1's keys of digits: what is traded, shipped, where, and for whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from medfab_gateway.pharma._check_digits import check_digit, checked, digits
from medfab_gateway.pharma.errors import IdentifierError

PREFIX_LENGTHS = range(6, 13)
"""How many digits a GS1 company prefix may have in an EPC URN."""


@dataclass(frozen=True, order=True)
class Gtin:
    """A trade item: GTIN-8, -12, -13 or -14, kept as 14 digits.

    ::

        Gtin("9521141012345")       # any of the four forms; wrong digits raise IdentifierError
        Gtin.make("952114101234")   # adds the check digit

    """

    value: str
    """14 digits, the last of them the check digit."""

    def __post_init__(self) -> None:
        value = checked(self.value, name="GTIN", lengths=(8, 12, 13, 14))
        object.__setattr__(self, "value", value.zfill(14))

    @classmethod
    def make(cls, payload: str) -> Self:
        """From 7, 11, 12 or 13 digits without the check digit."""
        return cls(digits(payload, name="GTIN", lengths=(7, 11, 12, 13)) + check_digit(payload))

    @property
    def indicator(self) -> str:
        """The packaging level's digit; `0` for the item itself."""
        return self.value[0]

    @property
    def short(self) -> str:
        """Without leading zeros, in the shortest form it has: GTIN-8, -12, -13 or -14."""
        for length in (8, 12, 13):
            if not self.value[: 14 - length].strip("0"):
                return self.value[14 - length :]
        return self.value

    @classmethod
    def of_level(cls, other: Gtin, indicator: int) -> Self:
        """The GTIN of the same item at another packaging level (1…8: its cases)."""
        if not 0 <= indicator <= 8:
            raise IdentifierError(f"packaging levels are 0 to 8, not {indicator}")
        return cls.make(f"{indicator}{other.value[1:-1]}")

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, order=True)
class Sscc:
    """A logistic unit, e.g. a pallet: 18 digits."""

    value: str

    def __post_init__(self) -> None:
        checked(self.value, name="SSCC", lengths=(18,))

    @classmethod
    def make(cls, payload: str) -> Self:
        """From 17 digits without the check digit."""
        return cls(digits(payload, name="SSCC", lengths=(17,)) + check_digit(payload))

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, order=True)
class Gln:
    """A location or party: 13 digits."""

    value: str

    def __post_init__(self) -> None:
        checked(self.value, name="GLN", lengths=(13,))

    @classmethod
    def make(cls, payload: str) -> Self:
        """From 12 digits without the check digit."""
        return cls(digits(payload, name="GLN", lengths=(12,)) + check_digit(payload))

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, order=True)
class Gsrn:
    """A service relation, e.g. of a patient or a professional: 18 digits."""

    value: str
    provider: bool = False
    """True: of the one who serves (AI 8017). False: of the one who is served (AI 8018)."""

    def __post_init__(self) -> None:
        checked(self.value, name="GSRN", lengths=(18,))

    @classmethod
    def make(cls, payload: str, *, provider: bool = False) -> Self:
        """From 17 digits without the check digit."""
        payload = digits(payload, name="GSRN", lengths=(17,))
        return cls(payload + check_digit(payload), provider)

    def __str__(self) -> str:
        return self.value


NATIONAL_NUMBERS = {
    "710": "Germany (PZN)",
    "711": "France (CIP)",
    "712": "Spain (CN)",
    "713": "Brazil (DRN)",
    "714": "Portugal (AIM)",
    "715": "United States (NDC)",
    "716": "Italy (AIC)",
}
"""National healthcare reimbursement numbers, by their application identifier."""
