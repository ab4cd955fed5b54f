"""EPC URNs (Tag Data Standard 2.0, section 6), both ways.

A URN says where the company prefix ends, which the key's digits alone do not: writing one takes
the prefix's length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote

from medfab_gateway.pharma._check_digits import check_digit
from medfab_gateway.pharma._instances import Lgtin, Sgln, Sgtin
from medfab_gateway.pharma._keys import PREFIX_LENGTHS, Gln, Gsrn, Gtin, Sscc
from medfab_gateway.pharma.errors import IdentifierError

Identifier: TypeAlias = Gtin | Sgtin | Lgtin | Sscc | Gln | Sgln | Gsrn
"""What a code, a URN or a Digital Link may name here."""


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """How the digits of a URN become those of a key."""

    ai: str
    """The key's application identifier."""
    length: int | None
    """Digits of company prefix and reference together; None: they are no check-digited key."""
    leading: bool = False
    """The reference's first digit goes before the company prefix."""
    head: str = ""
    """Digits before all others."""
    serial: str | None = None
    """Application identifier of what follows; `""`: it belongs to the key; None: nothing does."""
    counted: bool = False
    """Two pairs of digits (piece, of how many) stand between reference and serial number."""


SCHEMES = {
    "id:sgtin": Scheme(ai="01", length=13, leading=True, serial="21"),
    "id:upui": Scheme(ai="01", length=13, leading=True, serial="235"),
    "class:lgtin": Scheme(ai="01", length=13, leading=True, serial="10"),
    "id:itip": Scheme(ai="8006", length=13, leading=True, serial="21", counted=True),
    "id:sscc": Scheme(ai="00", length=17, leading=True),
    "id:sgln": Scheme(ai="414", length=12, serial="254"),
    "id:pgln": Scheme(ai="417", length=12),
    "id:gsrn": Scheme(ai="8018", length=17),
    "id:gsrnp": Scheme(ai="8017", length=17),
    "id:gsin": Scheme(ai="402", length=16),
    "id:grai": Scheme(ai="8003", length=12, head="0", serial=""),
    "id:gdti": Scheme(ai="253", length=12, serial=""),
    "id:sgcn": Scheme(ai="255", length=12, serial=""),
    "id:giai": Scheme(ai="8004", length=None),
    "id:ginc": Scheme(ai="401", length=None),
    "id:cpi": Scheme(ai="8010", length=None, serial="8011"),
}
_PATTERNS = ("sgtin", "grai", "gdti", "sgcn", "cpi", "itip", "upui")

_URN = re.compile(r"urn:epc:(?P<kind>id|class|idpat):(?P<scheme>[a-z]+):(?P<rest>.+)", re.DOTALL)
_ESCAPED = {character: f"%{ord(character):02X}" for character in '"%&/<>?'}


@dataclass(frozen=True, kw_only=True)
class EpcParts:
    """A URN taken apart."""

    ai: str
    key: str
    """The key's digits, with check digit where it has one."""
    qualifier: tuple[str, str] | None
    """Application identifier and value of what makes the key one thing; None: a class."""
    prefix_length: int


def epc_parts(urn: str) -> EpcParts:
    """Take a URN of any scheme apart. Raises :class:`IdentifierError`."""
    found = _URN.fullmatch(urn)
    if found is None:
        raise IdentifierError(f"{urn!r} is not an EPC URN (urn:epc:id:…, urn:epc:class:…)")
    kind, name, rest = found["kind"], found["scheme"], found["rest"]
    pattern = kind == "idpat"
    scheme = SCHEMES.get(f"{'id' if pattern else kind}:{name}")
    if scheme is None or (pattern and name not in _PATTERNS):
        raise IdentifierError(f"{urn!r}: urn:epc:{kind}:{name} is not a scheme known here")
    prefix, dot, rest = rest.partition(".")
    if not (dot and prefix.isascii() and prefix.isdigit() and len(prefix) in PREFIX_LENGTHS):
        raise IdentifierError(f"{urn!r}: a company prefix of 6 to 12 digits and a dot are missing")
    reference, dot, last = rest.partition(".") if scheme.serial is not None else (rest, "", "")
    if scheme.serial is not None and not dot:
        raise IdentifierError(f"{urn!r}: a part is missing at the end")
    if pattern and not last.endswith("*"):
        raise IdentifierError(f"{urn!r}: a pattern ends with `*`")
    key = _key(urn, scheme, prefix, reference)
    if scheme.counted:
        piece, _, last = last.partition(".")
        total, _, last = last.partition(".")
        if not re.fullmatch(r"[0-9]{4}", piece + total):
            raise IdentifierError(f"{urn!r}: two pairs of digits are missing before the serial")
        key += piece + total
    qualifier = None
    if scheme.serial is not None and not pattern:
        value = unquote(last)
        if not value:
            raise IdentifierError(f"{urn!r}: nothing stands after the last dot")
        if not scheme.serial:
            key += value
        elif (name, value) != ("sgln", "0"):
            qualifier = (scheme.serial, value)
    return EpcParts(ai=scheme.ai, key=key, qualifier=qualifier, prefix_length=len(prefix))


def from_urn(urn: str) -> Identifier:
    """The identifier that an EPC URN names. Raises :class:`IdentifierError`."""
    parts = epc_parts(urn)
    try:
        return identifier_of(parts.ai, parts.key, parts.qualifier)
    except IdentifierError as error:
        raise IdentifierError(f"{urn!r}: {error}") from None


def identifier_of(ai: str, key: str, qualifier: tuple[str, str] | None) -> Identifier:
    """The value type of a key and what qualifies it. Raises :class:`IdentifierError`."""
    match ai, qualifier:
        case "01", None:
            return Gtin(key)
        case "01", ("21", value):
            return Sgtin(Gtin(key), value)
        case "01", ("10", value):
            return Lgtin(Gtin(key), value)
        case "00", None:
            return Sscc(key)
        case "414", None:
            return Sgln(Gln(key))
        case "414", ("254", value):
            return Sgln(Gln(key), value)
        case (("417" | "410"), None):
            return Gln(key)
        case (("8017" | "8018"), None):
            return Gsrn(key, provider=ai == "8017")
    named = f"({ai}){key}" + (f"({qualifier[0]}){qualifier[1]}" if qualifier else "")
    raise IdentifierError(f"{named} is neither item, lot, logistic unit, location nor person")


def to_urn(identifier: Identifier, company_prefix_length: int) -> str:
    """Write an identifier as EPC URN. Raises :class:`IdentifierError`.

    company_prefix_length: 6 to 12, as GS1 has given the prefix to the company.
    """
    length = company_prefix_length
    if length not in PREFIX_LENGTHS:
        raise IdentifierError(f"a company prefix has 6 to 12 digits, not {length}")
    match identifier:
        case Sgtin(gtin, serial):
            return f"urn:epc:id:sgtin:{_leading(gtin.value, length)}.{_escape(serial)}"
        case Lgtin(gtin, lot):
            return f"urn:epc:class:lgtin:{_leading(gtin.value, length)}.{_escape(lot)}"
        case Gtin(value):
            return f"urn:epc:idpat:sgtin:{_leading(value, length)}.*"
        case Sscc(value):
            return f"urn:epc:id:sscc:{_leading(value, length)}"
        case Sgln(gln, extension):
            return f"urn:epc:id:sgln:{_plain(gln.value, length)}.{_escape(extension or '0')}"
        case Gln(value):
            return f"urn:epc:id:pgln:{_plain(value, length)}"
        case Gsrn(value, provider):
            scheme = "gsrnp" if provider else "gsrn"
            return f"urn:epc:id:{scheme}:{_plain(value, length)}"


def _key(urn: str, scheme: Scheme, prefix: str, reference: str) -> str:
    if scheme.length is None:
        return prefix + unquote(reference)
    wanted = scheme.length - len(prefix)
    if len(reference) != wanted or not (reference + "0").isdigit() or not reference.isascii():
        raise IdentifierError(
            f"{urn!r}: after a company prefix of {len(prefix)} digits come {wanted} digits"
        )
    if scheme.leading:
        payload = scheme.head + reference[:1] + prefix + reference[1:]
    else:
        payload = scheme.head + prefix + reference
    return payload + check_digit(payload)


def _leading(key: str, length: int) -> str:
    """Indicator or extension digit moved behind the company prefix; the check digit dropped."""
    return f"{key[1 : 1 + length]}.{key[0]}{key[1 + length : -1]}"


def _plain(key: str, length: int) -> str:
    return f"{key[:length]}.{key[length:-1]}"


def _escape(value: str) -> str:
    return "".join(_ESCAPED.get(character, character) for character in value)
