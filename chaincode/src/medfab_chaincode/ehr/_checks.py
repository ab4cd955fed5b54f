"""What every input is held to. Refusals name the field and what was expected, never the value."""

import re
from collections.abc import Sequence

from medfab_chaincode import ContractError, InvalidArgumentError

from ._codes import Code

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_MSP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PSEUDONYM = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SALT = re.compile(r"[0-9a-f]{32,128}")
_KEY_ID = re.compile(r"[0-9a-f]{32,64}")
_HEX = re.compile(r"(?:[0-9a-f]{2}){1,1024}")
_PERSON = re.compile(r"[^\s\x00-\x1f](?:[^\x00-\x1f]{0,126}[^\s\x00-\x1f])?")
_REFERENCE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.:_-]{1,128}")

TIMES = range(253_402_300_800_000)
"""What date types can hold, in milliseconds since 1970: others would break the patient's lists."""

MAX_LIST = 16
"""Entries of a list in a consent or request: bounds the work of a decision."""


def require(condition: bool, field: str, expected: str) -> None:
    """Refuse ``field`` unless ``condition`` holds."""
    if not condition:
        raise InvalidArgumentError.at(field, f"expected {expected}")


def check_salt(value: str, field: str) -> None:
    """Every private value has a salt: its hash is in the block for ever."""
    _match(_SALT, value, field, "at least 32 lower-case hex digits")


def check_digest(value: str, field: str) -> str:
    """A SHA-256 or transaction id; returns it."""
    return _match(_DIGEST, value, field, "64 lower-case hex digits")


def check_patient(patient: str, field: str = "patient") -> str:
    """A pseudonym; returns it."""
    return _match(_PSEUDONYM, patient, field, "32 lower-case hex digits")


def check_msp_id(value: str, field: str) -> str:
    """An organisation's MSP id, which can be part of a collection's name; returns it."""
    return _match(_MSP_ID, value, field, "an MSP id")


def check_person(value: str, field: str) -> str:
    """The id that a certificate gives a person; returns it."""
    return _match(_PERSON, value, field, "1 to 128 characters, no space at an end")


def check_code(value: str, field: str) -> None:
    """A code of FHIR or of ours."""
    _match(_CODE, value, field, "a code of letters, digits and hyphens")


def check_codes(values: Sequence[str], field: str) -> None:
    """A short list of codes, none twice."""
    check_list(values, field)
    for value in values:
        _match(_CODE, value, field, "codes of letters, digits and hyphens")


def check_references(values: Sequence[str], field: str, *, most: int = MAX_LIST) -> None:
    """A short list of FHIR references ``Type/id``, none twice."""
    check_list(values, field, most=most)
    for value in values:
        check_reference(value, field)


def check_reference(value: str, field: str) -> None:
    """A FHIR reference within one holder: ``Type/id``."""
    _match(_REFERENCE, value, field, "references of the form Type/id")


def check_list(values: Sequence[object], field: str, *, most: int = MAX_LIST) -> None:
    """No list is long, and none repeats itself."""
    require(len(values) <= most, field, f"at most {most} entries")
    require(len(set(values)) == len(values), field, "no entry twice")


def check_time(value: int | None, field: str) -> None:
    """Milliseconds since 1970, within what calendars hold."""
    require(
        value is None or value in TIMES, field, "milliseconds since 1970, before the year 10000"
    )


def check_period(start: int | None, end: int | None, field: str) -> None:
    """Two times, the first one before the second."""
    check_time(start, f"{field}_start")
    check_time(end, f"{field}_end")
    require(start is None or end is None or start < end, f"{field}_end", "a time after the start")


def check_text(value: str, field: str, *, least: int = 0, most: int = 2048) -> None:
    """Free text, which is private."""
    require(least <= len(value) <= most, field, f"{least} to {most} characters")


def check_key_id(value: str, field: str) -> None:
    """The name of a data key."""
    _match(_KEY_ID, value, field, "32 to 64 lower-case hex digits")


def check_hex(value: str, field: str) -> None:
    """Bytes in hex."""
    _match(_HEX, value, field, "lower-case hex digits, two for each byte, at most 1024 bytes")


def parse_time(text: str, field: str) -> int:
    """A time that is an argument: decimal digits."""
    require(text.isascii() and text.isdigit() and len(text) < 16, field, "milliseconds since 1970")
    value = int(text)
    check_time(value, field)
    return value


def _match(pattern: re.Pattern[str], value: str, field: str, expected: str) -> str:
    require(pattern.fullmatch(value) is not None, field, expected)
    return value


def refuse(code: Code, message: str, status: int = 403) -> ContractError:
    """Make a refusal: ``raise refuse(…)``."""
    return ContractError(message, code=code, status=status)
