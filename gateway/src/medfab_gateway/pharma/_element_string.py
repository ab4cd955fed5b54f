"""Element strings: application identifiers and values, as in a DataMatrix; biip parses them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from biip import ParseError
from biip.gs1_messages import GS1Message

from medfab_gateway.pharma._check_digits import text as checked_text
from medfab_gateway.pharma._epc import Identifier
from medfab_gateway.pharma._instances import Lgtin, NationalNumber, Sgln, Sgtin
from medfab_gateway.pharma._keys import NATIONAL_NUMBERS, Gln, Gsrn, Gtin, Sscc
from medfab_gateway.pharma.errors import IdentifierError, ScanError

GS = "\x1d"
"""Group separator: ends a field of variable length (FNC1 in the code)."""

_SYMBOLOGY = re.compile(r"\](d2|C1|e0|Q3|J1)")
_TEXTS = {"10": ("lot", 20), "21": ("serial number", 20), "254": ("GLN extension", 20)}


@dataclass(frozen=True, kw_only=True)
class Elements:
    """What an element string holds, every part of it checked."""

    values: Mapping[str, str]
    """Application identifier → value, in the order of the string."""
    gtin: Gtin | None = None
    serial: str | None = None
    lot: str | None = None
    expiry: date | None = None
    """The last day on which it may be used; day 00 of a code is the last day of the month."""
    sscc: Sscc | None = None
    location: Gln | None = None
    person: Gsrn | None = None
    count: int | None = None
    national_numbers: tuple[NationalNumber, ...] = ()

    @property
    def identifier(self) -> Identifier:
        """The finest thing that is named. Raises :class:`ScanError` where nothing is."""
        if self.gtin is not None and self.serial is not None:
            return Sgtin(self.gtin, self.serial)
        if self.gtin is not None and self.lot is not None:
            return Lgtin(self.gtin, self.lot)
        if self.location is not None and "414" in self.values:
            return Sgln(self.location, self.values.get("254"))
        found = self.gtin or self.sscc or self.location or self.person
        if found is None:
            raise ScanError(
                f"({')('.join(self.values)}) names nothing: (01) an item, (00) a logistic unit, "
                "(414) a location or (8018) a person is needed"
            )
        return found


def parse_elements(text: str) -> Elements:
    """Read an element string, with GS between its fields or as `(01)…(21)…`.

    Raises :class:`ScanError`, or :class:`IdentifierError` for an identifier with a wrong digit.
    """
    symbology = _SYMBOLOGY.match(text)
    body = (text[symbology.end() :] if symbology else text).strip(GS)
    try:
        message = GS1Message.parse_hri(body) if body.startswith("(") else GS1Message.parse(body)
    except ParseError as error:
        raise ScanError(f"{text!r} is not an element string of GS1: {error}") from None
    values: dict[str, str] = {}
    expiry = None
    for element in message.element_strings:
        ai, value = element.ai.ai, element.value
        if values.get(ai, value) != value:
            raise ScanError(f"{text!r} has ({ai}) twice, with different values")
        values[ai] = value
        if ai == "17":
            expiry = element.date
    for ai, (name, longest) in _TEXTS.items():
        if ai in values:
            checked_text(values[ai], name=name, longest=longest)
    location = next((values[ai] for ai in ("414", "417", "410") if ai in values), None)
    person = next((ai for ai in ("8018", "8017") if ai in values), None)
    return Elements(
        values=values,
        gtin=Gtin(values["01"]) if "01" in values else None,
        serial=values.get("21"),
        lot=values.get("10"),
        expiry=expiry,
        sscc=Sscc(values["00"]) if "00" in values else None,
        location=Gln(location) if location is not None else None,
        person=Gsrn(values[person], provider=person == "8017") if person is not None else None,
        count=int(values["37"]) if "37" in values else None,
        national_numbers=tuple(
            NationalNumber(ai, value) for ai, value in values.items() if ai in NATIONAL_NUMBERS
        ),
    )


def element_values(
    identifier: Identifier,
    *,
    lot: str | None = None,
    expiry: date | None = None,
    national_number: NationalNumber | None = None,
) -> dict[str, str]:
    """Application identifiers and values of a code; those of fixed length first."""
    last: dict[str, str] = {}
    match identifier:
        case Sgtin(gtin, serial):
            values, last = {"01": gtin.value}, {"21": serial}
        case Lgtin(gtin, own):
            if lot not in (None, own):
                raise IdentifierError(f"{identifier} is not of the lot {lot!r}")
            values, lot = {"01": gtin.value}, own
        case Gtin(value):
            values = {"01": value}
        case Sscc(value):
            values = {"00": value}
        case Sgln(gln, extension):
            values, last = {"414": gln.value}, {"254": extension} if extension else {}
        case Gln(value):
            values = {"417": value}
        case Gsrn(value, provider):
            values = {"8017" if provider else "8018": value}
    if expiry is not None:
        values["17"] = f"{expiry:%y%m%d}"
    if lot is not None:
        values["10"] = checked_text(lot, name="lot", longest=20)
    values |= last
    if national_number is not None:
        values[national_number.ai] = national_number.value
    return values


def element_string(values: Mapping[str, str]) -> str:
    """Join fields to what is in a code, with GS after those of variable length but the last."""
    parts = []
    for place, (ai, value) in enumerate(values.items()):
        ends = place == len(values) - 1 or ai in _FIXED
        parts.append(ai + value + ("" if ends else GS))
    return "".join(parts)


_FIXED = {"00", "01", "11", "13", "15", "17", "410", "414", "417"}
