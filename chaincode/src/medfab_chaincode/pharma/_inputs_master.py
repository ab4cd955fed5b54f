"""Input of the functions for master data."""

from dataclasses import dataclass

from ._ids import check_digits, check_secret, require
from ._inputs import TIMES, check_hex, check_many, check_text
from ._model import Capacity, ColdChain, ItemKind, Packaging, VerificationPolicy


@dataclass(frozen=True, kw_only=True)
class EstablishInput:
    authorities: tuple[str, ...]

    def check(self) -> None:
        require(0 < len(self.authorities) <= 16, "input.authorities", "1 to 16 MSP ids")
        for msp in self.authorities:
            check_text(msp, "input.authorities")


@dataclass(frozen=True, kw_only=True)
class PartnerInput:
    msp: str
    name: str
    glns: tuple[str, ...]
    capacities: tuple[Capacity, ...]
    licence: str
    valid_from: int
    valid_to: int

    def check(self) -> None:
        check_text(self.msp, "input.msp")
        check_text(self.name, "input.name")
        check_text(self.licence, "input.licence")
        check_many(self.glns, "input.glns", least=0)
        for gln in self.glns:
            check_digits(gln, 13, "input.glns")
        require(self.valid_from in TIMES, "input.valid_from", "milliseconds since 1970")
        require(self.valid_to in TIMES, "input.valid_to", "milliseconds since 1970")


@dataclass(frozen=True, kw_only=True)
class PrefixInput:
    prefix: str
    owner: str

    def check(self) -> None:
        digits = self.prefix.isascii() and self.prefix.isdigit()
        require(digits and 4 <= len(self.prefix) <= 12, "input.prefix", "4 to 12 digits")
        check_text(self.owner, "input.owner")


@dataclass(frozen=True, kw_only=True)
class LocationInput:
    gln: str
    name: str
    latitude_e6: int
    longitude_e6: int

    def check(self) -> None:
        check_digits(self.gln, 13, "input.gln")
        check_text(self.name, "input.name")
        require(abs(self.latitude_e6) <= 90_000_000, "input.latitude_e6", "at most ±90 degrees")
        require(abs(self.longitude_e6) <= 180_000_000, "input.longitude_e6", "at most ±180 degrees")


@dataclass(frozen=True, kw_only=True)
class ProductInput:
    gtin: str
    name: str
    level: ItemKind
    lot_key_hash: str
    doses: int = 1
    contains: Packaging | None = None
    cold_chain: ColdChain | None = None
    verification: VerificationPolicy = VerificationPolicy.OPEN

    def check(self) -> None:
        check_digits(self.gtin, 14, "input.gtin")
        check_text(self.name, "input.name")
        check_hex(self.lot_key_hash, "input.lot_key_hash")
        require(0 < self.doses <= 1_000_000, "input.doses", "1 to 1000000")
        if self.contains is not None:
            check_digits(self.contains.gtin, 14, "input.contains.gtin")
            require(self.contains.quantity > 0, "input.contains.quantity", "at least 1")
        if self.cold_chain is not None:
            check_limits(self.cold_chain, "input.cold_chain")


def check_limits(limits: ColdChain, field: str) -> None:
    """Refuse temperature limits that nothing can keep."""
    require(limits.min < limits.max, f"{field}.min", "less than max")
    require(limits.budget_ms >= 0, f"{field}.budget_ms", "at least 0")
    require(limits.max_gap_ms > 0, f"{field}.max_gap_ms", "more than 0")


@dataclass(frozen=True, kw_only=True)
class TransferInput:
    gtin: str
    to: str

    def check(self) -> None:
        check_digits(self.gtin, 14, "input.gtin")
        check_text(self.to, "input.to")


@dataclass(frozen=True, kw_only=True)
class GtinInput:
    gtin: str

    def check(self) -> None:
        check_digits(self.gtin, 14, "input.gtin")


@dataclass(frozen=True, kw_only=True)
class AcceptTransferInput(GtinInput):
    lot_key: str

    def check(self) -> None:
        super().check()
        check_secret(self.lot_key, "input.lot_key")
