"""GS1 identifiers of items, and the pseudonyms that the ledger knows them by.

An item's id is the path of its GS1 Digital Link: ``01/{gtin}/21/{serial}`` or ``00/{sscc}``.
"""

import base64
import hashlib
import hmac
import re

from medfab_chaincode import InvalidArgumentError

_SERIAL = re.compile(r"""[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}""")  # GS1 character set 82
_DIGEST_BYTES = 24  # 192 bits: no two ids meet, and a digest is 32 characters
_UNIT = re.compile(r"01/([0-9]{14})/21/(.*)", re.DOTALL)
_CONTAINER = re.compile(r"00/([0-9]{18})")
_SECRET = re.compile(r"(?:[0-9a-f]{2}){16,64}")


def require(condition: bool, field: str, expected: str) -> None:
    """Refuse the field of an input; the message never has its value."""
    if not condition:
        raise InvalidArgumentError.at(field, f"expected {expected}")


def _check_digit(digits: str) -> int:
    weighted = (int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return -sum(weighted) % 10


def check_digits(value: str, length: int, field: str) -> str:
    """Return a GTIN (14), SSCC (18) or GLN (13) whose last digit is right."""
    is_number = len(value) == length and value.isascii() and value.isdigit()
    require(is_number, field, f"{length} digits")
    require(int(value[-1]) == _check_digit(value[:-1]), field, "a right check digit")
    return value


def check_serial(serial: str, field: str) -> str:
    """Return a serial number (AI 21)."""
    _match(_SERIAL, serial, field, "1 to 20 characters of GS1's set 82")
    return serial


def check_lot(lot: str, field: str) -> str:
    """Return a lot number (AI 10), which has the same form."""
    return check_serial(lot, field)


def unit_id(gtin: str, serial: str) -> str:
    """Make the id of a serialised trade item."""
    return f"01/{gtin}/21/{serial}"


def gtin_of(item: str) -> str | None:
    """Return the GTIN in a checked id; None for an SSCC."""
    found = _UNIT.fullmatch(item)
    return found[1] if found else None


def check_item(item: str, field: str) -> str:
    """Return an id that is well-formed, its check digit included."""
    if unit := _UNIT.fullmatch(item):
        check_digits(unit[1], 14, field)
        check_serial(unit[2], field)
    else:
        container = _CONTAINER.fullmatch(item)
        require(container is not None, field, "01/GTIN/21/serial or 00/SSCC")
        check_digits(item[3:], 18, field)
    return item


def prefix_candidates(item_or_number: str) -> list[str]:
    """Return every company prefix (4 to 12 digits) that a GTIN, SSCC, GLN or id can begin with."""
    number = (gtin_of(item_or_number) or item_or_number).removeprefix("00/")
    # The first digit of a GTIN-14 and of an SSCC is the indicator, not the prefix.
    company = number if len(number) == 13 else number[1:]
    return [company[:length] for length in range(4, 13)]


def digest(item: str) -> str:
    """Name an item in keys and events without saying which it is."""
    return _short(hashlib.sha256(item.encode()).digest())


def lot_key_hash(lot_key: str) -> str:
    """Return what a product shows of its owner's secret."""
    return hashlib.sha256(bytes.fromhex(lot_key)).hexdigest()


def lot_tag(lot_key: str, gtin: str, lot: str) -> str:
    """Name a lot in keys: nobody without the owner's secret can go through lot numbers."""
    return _short(hmac.digest(bytes.fromhex(lot_key), f"{gtin}|{lot}".encode(), "sha256"))


def lot_proof(item: str, lot: str) -> str:
    """Bind a unit to its lot number; who has scanned both can compare."""
    return _short(hashlib.sha256(f"{item}|{lot}".encode()).digest())


def check_secret(value: str, field: str) -> str:
    """Return a secret or salt in hex."""
    _match(_SECRET, value, field, "at least 32 lower-case hex digits")
    return value


def _match(pattern: re.Pattern[str], value: str, field: str, expected: str) -> None:
    require(pattern.fullmatch(value) is not None, field, expected)


def _short(full: bytes) -> str:
    return base64.urlsafe_b64encode(full[:_DIGEST_BYTES]).decode()
