"""GS1 Digital Link URIs (URI Syntax 1.4), both ways, and the canonical form of EPCIS 2.0."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from medfab_gateway.pharma._epc import Identifier, epc_parts, identifier_of
from medfab_gateway.pharma._instances import Lgtin, Sgln, Sgtin
from medfab_gateway.pharma._keys import Gln, Gsrn, Gtin, Sscc
from medfab_gateway.pharma.errors import IdentifierError

CANONICAL = "https://id.gs1.org"

_KEYS = {
    "00": r"[0-9]{18}", "01": r"[0-9]{14}", "253": r"[0-9]{13}.{0,17}", "255": r"[0-9]{13,25}",
    "401": r".{1,30}", "402": r"[0-9]{17}", "414": r"[0-9]{13}", "417": r"[0-9]{13}",
    "8003": r"[0-9]{14}.{0,16}", "8004": r".{1,30}", "8006": r"[0-9]{18}", "8010": r".{1,30}",
    "8017": r"[0-9]{18}", "8018": r"[0-9]{18}",
}  # fmt: skip
_QUALIFIERS = {  # the finest first
    "01": ("21", "235", "10"),
    "414": ("254",),
    "8006": ("21", "10"),
    "8010": ("8011",),
}
_ALIASES = {
    "gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017",
    "gsrn": "8018", "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402",
    "grai": "8003", "giai": "8004", "cpv": "22", "lot": "10", "ser": "21",
}  # fmt: skip
_QUALIFYING = {"22", "10", "21", "235", "254", "8011"}


@dataclass(frozen=True, kw_only=True)
class DigitalLink:
    """A Digital Link taken apart."""

    ai: str
    key: str
    qualifiers: dict[str, str] = field(default_factory=dict)
    """Application identifier → value, of the path."""
    attributes: dict[str, str] = field(default_factory=dict)
    """Application identifier → value, of the query, e.g. `17` the expiry."""


def parse_link(uri: str) -> DigitalLink:
    """Take a Digital Link of any host apart. Raises :class:`IdentifierError`."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise IdentifierError(f"{uri!r} is not a web address") from None
    if parts.scheme.lower() not in ("http", "https") or not parts.netloc:
        raise IdentifierError(f"{uri!r} is not a web address (https://…)")
    segments = [_ALIASES.get(each, each) for each in parts.path.strip("/").split("/")]
    for at, segment in enumerate(segments[:-1]):
        if segment in _KEYS and re.match(r"[0-9]{4}", segments[at + 1]):
            break
    else:
        raise IdentifierError(f"{uri!r} is not a GS1 Digital Link: no key such as /01/ is in it")
    key, rest = unquote(segments[at + 1]), segments[at + 2 :]
    if segment == "01" and len(key) in (8, 12, 13) and key.isdigit():
        key = key.zfill(14)
    if not re.fullmatch(_KEYS[segment], key):
        raise IdentifierError(f"{uri!r}: {key!r} is not a key of ({segment})")
    if len(rest) % 2 or not set(rest[::2]) <= _QUALIFYING:
        raise IdentifierError(f"{uri!r}: after the key come pairs such as /10/LOT/21/SERIAL")
    return DigitalLink(
        ai=segment,
        key=key,
        qualifiers={ai: unquote(value) for ai, value in zip(rest[::2], rest[1::2], strict=True)},
        attributes={
            ai: value
            for ai, value in parse_qsl(parts.query.replace(";", "&"))
            if ai.isdigit() and ai.isascii()
        },
    )


def from_link(uri: str) -> Identifier:
    """The finest identifier that a Digital Link names. Raises :class:`IdentifierError`."""
    link = parse_link(uri)
    return identifier_of(link.ai, link.key, _finest(link))


def to_link(
    identifier: Identifier,
    *,
    host: str = CANONICAL,
    lot: str | None = None,
    expiry: date | None = None,
) -> str:
    """Write an identifier as Digital Link; for a pack, optionally with lot and expiry."""
    attributes = {"17": f"{expiry:%y%m%d}"} if expiry is not None else {}
    match identifier:
        case Sgtin(gtin, serial):
            qualifiers = {**({"10": lot} if lot is not None else {}), "21": serial}
            return _link(host, "01", gtin.value, qualifiers, attributes)
        case Lgtin(gtin, own):
            return _link(host, "01", gtin.value, {"10": own}, attributes)
        case Gtin(value):
            return _link(host, "01", value, {"10": lot} if lot is not None else {}, attributes)
        case Sscc(value):
            return _link(host, "00", value, {}, attributes)
        case Sgln(gln, extension):
            return _link(host, "414", gln.value, {"254": extension} if extension else {}, {})
        case Gln(value):
            return _link(host, "417", value, {}, {})
        case Gsrn(value, provider):
            return _link(host, "8017" if provider else "8018", value, {}, {})


def canonical(uri: str) -> str | None:
    """The constrained canonical Digital Link of a URN or Digital Link; None for other text.

    CBV 2.0's: the host id.gs1.org, no query, the finest level of identification alone. So the two
    ways to write one identifier become one.
    """
    try:
        if uri.startswith("urn:epc:"):
            parts = epc_parts(uri)
            ai, key, finest = parts.ai, parts.key, parts.qualifier
        elif uri.startswith(("http://", "https://")):
            link = parse_link(uri)
            ai, key, finest = link.ai, link.key, _finest(link)
        else:
            return None
    except IdentifierError:
        return None
    return _link(CANONICAL, ai, key, dict([finest]) if finest else {}, {})


def _finest(link: DigitalLink) -> tuple[str, str] | None:
    for ai in _QUALIFIERS.get(link.ai, ()):
        if ai in link.qualifiers:
            return ai, link.qualifiers[ai]
    return None


def _link(
    host: str, ai: str, key: str, qualifiers: dict[str, str], attributes: dict[str, str]
) -> str:
    path = "".join(f"/{ai}/{_quoted(value)}" for ai, value in {ai: key, **qualifiers}.items())
    return host.rstrip("/") + path + (f"?{urlencode(attributes)}" if attributes else "")


def _quoted(value: str) -> str:
    return quote(value, safe="';=")
