"""GS1's check digit (General Specifications 7.9), and the characters that identifiers may have."""

from __future__ import annotations

import re

from medfab_gateway.pharma.errors import IdentifierError

CSET_82 = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+")
"""Character set 82: of serial numbers and lots."""

_DIGITS = re.compile(r"[0-9]+")


def check_digit(payload: str) -> str:
    """The check digit that follows `payload`: weights 3 and 1 in turn, from the right."""
    total = sum(
        int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(payload))
    )
    return str(-total % 10)


def digits(value: str, *, name: str, lengths: tuple[int, ...]) -> str:
    """`value` where it has digits only, and as many as it should."""
    if not isinstance(value, str) or not _DIGITS.fullmatch(value):
        raise IdentifierError(f"a {name} has digits only, and {value!r} has not")
    if len(value) not in lengths:
        allowed = " or ".join(map(str, lengths))
        raise IdentifierError(f"a {name} has {allowed} digits, and {value} has {len(value)}")
    return value


def checked(value: str, *, name: str, lengths: tuple[int, ...]) -> str:
    """`value` where its length and check digit are right."""
    digits(value, name=name, lengths=lengths)
    expected = check_digit(value[:-1])
    if value[-1] != expected:
        raise IdentifierError(
            f"{name} {value} has the check digit {value[-1]}, and {expected} would be right: "
            "one digit is wrong, or two are exchanged"
        )
    return value


def text(value: str, *, name: str, longest: int) -> str:
    """`value` where it is 1 to `longest` characters of character set 82."""
    if not isinstance(value, str) or not value:
        raise IdentifierError(f"a {name} has at least one character")
    if len(value) > longest:
        raise IdentifierError(
            f"a {name} has at most {longest} characters, and {value!r} has {len(value)}"
        )
    if not CSET_82.fullmatch(value):
        bad = next(character for character in value if not CSET_82.fullmatch(character))
        raise IdentifierError(
            f"{bad!r} in the {name} {value!r} is not in GS1's character set 82 (letters without "
            "accents, digits, and some punctuation; no blank)"
        )
    return value
