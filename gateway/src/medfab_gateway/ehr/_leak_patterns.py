"""Every form in which a value could stand in a block, as byte patterns to search for.

Two kinds of text are searched: *folded* (ASCII letters lowered) for what is readable whatever
its case, and *exact* for base64 and raw digests, where case carries information.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from medfab_gateway.ehr._phi import PhiValue

SHORTEST = 5
"""Characters; a shorter value would turn up in raw bytes by chance."""

_ANCHOR = 5  # bytes by which patterns are indexed; no pattern is shorter

_HEX_RUN = 32  # hex digits in a row that are taken for a hash or transaction id
_SHORT_HEX = 12  # a value this long does not stand in a hash by chance
_SHORT_WORD = 12

_DIGESTS = ("sha256", "sha1", "md5")


@dataclass(frozen=True)
class Pattern:
    """Bytes to search for, and what finding them means."""

    needle: bytes = field(repr=False)
    kind: str
    encoding: str
    plain: bool = False
    """The value itself, readable: chance hits inside words, numbers and hashes are left out."""

    def counts_at(self, data: bytes, start: int) -> bool:
        """Is the needle, which is in ``data`` at ``start``, there for more than chance?"""
        return not (self.plain and _by_chance(data, start, self.needle))

    def occurs_in(self, data: bytes) -> bool:
        """Is there any place that counts?"""
        start = data.find(self.needle)
        while start >= 0 and not self.counts_at(data, start):
            start = data.find(self.needle, start + 1)
        return start >= 0


class PatternIndex:
    """Finds many patterns in one pass."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._by_anchor: dict[bytes, list[Pattern]] = {}
        self.count = 0
        for pattern in patterns:
            self._by_anchor.setdefault(pattern.needle[:_ANCHOR], []).append(pattern)
            self.count += 1

    def find(self, data: bytes) -> Iterator[Pattern]:
        """Yield each pattern in ``data``, once for each place."""
        anchors = self._by_anchor
        # The hot loop: one slice and one look-up for each byte of the chain.
        starts = [at for at in range(len(data)) if data[at : at + _ANCHOR] in anchors]
        for at in starts:
            for pattern in anchors[data[at : at + _ANCHOR]]:
                if data.startswith(pattern.needle, at) and pattern.counts_at(data, at):
                    yield pattern


def folded_patterns(value: PhiValue) -> Iterator[Pattern]:
    """Patterns of ``value`` for text whose ASCII letters are lowered."""
    if len(value.value) >= SHORTEST:
        plain = value.value.encode().lower()
        yield Pattern(plain, value.kind, "utf-8", plain=True)
        for escaped in _json_escaped(value.value):
            yield Pattern(escaped.encode().lower(), value.kind, "json-escaped")
        for encoding in ("utf-16-le", "utf-16-be"):
            yield Pattern(value.value.encode(encoding).lower(), value.kind, encoding)
        # Upper case as well as lower: the text is folded.
        for variant in {value.value, value.value.lower(), value.value.upper()}:
            yield Pattern(variant.encode().hex().encode(), value.kind, "hex")
    for name, digest in _digests(value):
        yield Pattern(digest.hex().encode(), value.kind, f"{name} as hex")


def exact_patterns(value: PhiValue) -> Iterator[Pattern]:
    """Patterns of ``value`` for bytes as they are."""
    if len(value.value) >= SHORTEST:
        for variant in {value.value, value.value.lower(), value.value.upper()}:
            for needle in _base64_cores(variant.encode()):
                yield Pattern(needle, value.kind, "base64")
    for name, digest in _digests(value):
        yield Pattern(digest, value.kind, name)
        for needle in _base64_cores(digest):
            yield Pattern(needle, value.kind, f"{name} as base64")


def _json_escaped(value: str) -> set[str]:
    forms = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    # A resource's text can itself be a string in JSON.
    forms |= {json.dumps(form)[1:-1] for form in forms}
    return forms - {value}


def _base64_cores(data: bytes) -> set[bytes]:
    """What base64 makes of ``data`` wherever it begins, without the digits its neighbours share."""
    cores = set()
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + data)
        core = encoded[-(-8 * offset // 6) : 8 * (offset + len(data)) // 6]
        cores |= {core, core.replace(b"+", b"-").replace(b"/", b"_")}
    return cores


def _digests(value: PhiValue) -> Iterator[tuple[str, bytes]]:
    data = value.value.encode()
    for name in _DIGESTS:
        yield name, hashlib.new(name, data, usedforsecurity=False).digest()


def _by_chance(data: bytes, start: int, needle: bytes) -> bool:
    """Is this hit a part of a longer word, number or hash, rather than the value?"""
    end = start + len(needle)
    before, after = data[start - 1 : start] if start else b"", data[end : end + 1]
    if needle.replace(b".", b"").isdigit() and (before.isdigit() or after.isdigit()):
        return True
    if len(needle) <= _SHORT_WORD and needle[:1].isdigit() and before.isdigit():
        return True  # a number with its unit
    if (
        needle.isalpha()
        and len(needle) <= _SHORT_WORD
        and any(c.isalpha() or c == b"_" for c in (before, after))
    ):
        return True
    if len(needle) < _SHORT_HEX and _HEX.fullmatch(needle):
        begin = max(0, start - _HEX_RUN)
        head, tail = data[begin:start], data[end : end + _HEX_RUN]
        left = len(head) - len(head.rstrip(_HEX_DIGITS))
        right = len(tail) - len(tail.lstrip(_HEX_DIGITS))
        return left + len(needle) + right >= _HEX_RUN
    return False


_HEX_DIGITS = b"0123456789abcdef"
_HEX = re.compile(rb"[0-9a-f]+")
