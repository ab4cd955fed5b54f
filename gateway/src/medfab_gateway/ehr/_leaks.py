"""Search the blocks of a channel for a patient's data.

::

    report = scan_blocks(blocks, phi_values(load_bundle(data)))
    for finding in report.findings:
        print(finding)          # says where and what kind, never the value
    assert report.clean

**Values of 5 characters and more** are searched in every byte of every block (headers,
signatures, configuration and invalid transactions included), and in the decoded arguments, keys,
values, responses and events: as UTF-8 in any ASCII case, escaped as in JSON once or twice, as
UTF-16 either way round, as hex in any case, as base64 and base64url at any alignment, and as
SHA-256, SHA-1 or MD5 digest of the value without salt (raw, hex, base64). Certificates are decoded
from PEM first: in their random letters every short word turns up.

Left out as chance hits are a number (with its unit or without) inside a longer number, a word of
up to 12 letters inside a longer word (names are searched joined to each other as well), and fewer
than 12 hex digits inside 32 or more. Case is ignored for ASCII letters; in base64 as written, all
lower and all upper.

**Shorter values** ("98", "M") are in any binary data by chance. They are searched by digest as
above, and otherwise in the decoded arguments, keys, values, responses and events alone: as a
whole text, a whole part of a composite key, or a whole string or number in JSON, except under the
contract's own counters and times; words of three or four letters, and numbers with their unit
("98 %"), also anywhere in a text. (With a longer unit, "98 mg/dL", it is a longer value.)

Not found: what is encrypted, compressed, salted, cut in pieces, or encoded twice over.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from medfab_gateway._block import Block
from medfab_gateway._block_transaction import BlockTransaction
from medfab_gateway.ehr._leak_patterns import (
    SHORTEST,
    Pattern,
    PatternIndex,
    exact_patterns,
    folded_patterns,
)
from medfab_gateway.ehr._phi import PhiValue

_OWN_NUMBERS = frozenset(
    {
        "changed_at",
        "decided_at",
        "expires_at",
        "filed",
        "granted_at",
        "registered_at",
        "unchanged",
        "version",
    }
)
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----")
_BOUNDARY = b"\x00\x00"
_WITH_UNIT = re.compile(r"[0-9.]+ ?[^0-9. ].*")
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A value is where everybody in the channel can read it."""

    block_number: int
    transaction_id: str | None
    """None: not within what could be decoded of a transaction."""
    kind: str
    """The kind of the value: see :class:`PhiValue`."""
    encoding: str
    where: str
    """``argument 1``, ``value in ehr``, ``event payload``… or ``raw bytes``."""


@dataclass(frozen=True, kw_only=True)
class ScanReport:
    """What was searched, and what was found."""

    findings: tuple[Finding, ...]
    blocks: int
    transactions: int
    bytes: int
    """Bytes of the blocks."""
    long_values: int
    """Values searched in all bytes."""
    short_values: int
    """Values of fewer than 5 characters: searched by digest, and in decoded parts."""
    patterns: int
    """Encoded forms searched in all bytes."""

    @property
    def clean(self) -> bool:
        """Was nothing found?"""
        return not self.findings


def scan_blocks(blocks: Iterable[Block], values: Sequence[PhiValue]) -> ScanReport:
    """Search ``blocks`` for ``values``; see the module for what is searched how."""
    scanner = _Scanner(values)
    findings: dict[Finding, None] = {}
    block_count = transactions = size = 0
    for block in blocks:
        block_count += 1
        transactions += len(block.transactions)
        size += len(block.raw)
        findings.update(dict.fromkeys(scanner.scan(block)))
    return ScanReport(
        findings=tuple(findings),
        blocks=block_count,
        transactions=transactions,
        bytes=size,
        long_values=sum(len(value.value) >= SHORTEST for value in values),
        short_values=len(scanner.short),
        patterns=scanner.folded.count + scanner.exact.count,
    )


class _Scanner:
    def __init__(self, values: Sequence[PhiValue]) -> None:
        self.folded = PatternIndex(p for value in values for p in folded_patterns(value))
        self.exact = PatternIndex(p for value in values for p in exact_patterns(value))
        self.short = {v.value.lower(): v.kind for v in values if len(v.value) < SHORTEST}
        self._with_unit = {
            value: re.compile(rf"(?<![\w.]){re.escape(value)}(?!\w)")
            for value in self.short
            if _WITH_UNIT.fullmatch(value)
        }
        self._certificates: set[bytes] = set()

    def scan(self, block: Block) -> Iterator[Finding]:
        raw = self._without_pem(block.raw)
        leaves = [
            (transaction.transaction_id, where, data)
            for transaction in block.transactions
            for where, data in _leaves(transaction)
        ]
        decoded = _BOUNDARY.join(data for _, _, data in leaves)
        for in_raw, data in ((False, decoded), (True, raw)):
            for index, text in ((self.folded, data.lower()), (self.exact, data)):
                for pattern in set(index.find(text)):
                    yield from self._locate(block, leaves, index, pattern, in_raw=in_raw)
        for transaction_id, where, data in leaves:
            for kind in self._short_in(data):
                yield Finding(
                    block_number=block.number,
                    transaction_id=transaction_id,
                    kind=kind,
                    encoding="utf-8",
                    where=where,
                )

    def _locate(
        self,
        block: Block,
        leaves: list[tuple[str, str, bytes]],
        index: PatternIndex,
        pattern: Pattern,
        *,
        in_raw: bool,
    ) -> Iterator[Finding]:
        places: list[tuple[str | None, str]] = [
            (transaction_id, where)
            for transaction_id, where, data in leaves
            if pattern.occurs_in(data.lower() if index is self.folded else data)
        ]
        if in_raw and places:
            return  # told already, by its place
        for transaction_id, where in places or [(None, "raw bytes")]:
            yield Finding(
                block_number=block.number,
                transaction_id=transaction_id,
                kind=pattern.kind,
                encoding=pattern.encoding,
                where=where,
            )

    def _without_pem(self, raw: bytes) -> bytes:
        """Put the content of a certificate in its place, the first time that it is seen."""

        def decode(found: re.Match[bytes]) -> bytes:
            if found[0] in self._certificates:
                return b"\n"
            try:
                der = base64.b64decode(b"".join(found[2].split()), validate=True)
            except binascii.Error:
                return found[0]
            self._certificates.add(found[0])
            return b"\n" + der + b"\n"

        return _PEM.sub(decode, raw)

    def _short_in(self, data: bytes) -> Iterator[str]:
        if not self.short:
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return
        whole = {part.lower() for part in text.split("\x00")}
        try:
            # Numbers as they are written: 98 is not 98.0.
            parsed = json.loads(text, parse_int=str, parse_float=str)
        except (ValueError, RecursionError):
            pass
        else:
            whole.update(scalar.lower() for scalar in _scalars(parsed))
        whole.update(word.lower() for word in _WORD.findall(text))
        folded = text.lower()
        with_unit = {value for value, place in self._with_unit.items() if place.search(folded)}
        for value in (whole & self.short.keys()) | with_unit:
            yield self.short[value]


def _leaves(transaction: BlockTransaction) -> Iterator[tuple[str, bytes]]:
    """What people and programs read of a transaction: (where, bytes)."""
    for number, argument in enumerate(transaction.args):
        yield f"argument {number}" if number else "function name", argument
    if transaction.response is not None:
        yield "response", transaction.response.payload
        yield "response message", transaction.response.message.encode()
    if transaction.event is not None:
        yield "event name", transaction.event.name.encode()
        yield "event payload", transaction.event.payload
    for namespace in transaction.read_write_sets:
        name = namespace.namespace
        for write in namespace.writes:
            yield f"key in {name}", write.key.encode()
            yield f"value in {name}", write.value
        for read in namespace.reads:
            yield f"key read in {name}", read.key.encode()
        for query in namespace.range_queries:
            yield f"range read in {name}", f"{query.start_key}\x00{query.end_key}".encode()
        for metadata in namespace.metadata_writes:
            yield f"metadata key in {name}", metadata.key.encode()
        for collection in namespace.collections:
            for hashed in collection.writes:
                place = f"{collection.collection} of {name}"
                yield f"hashed key in {place}", hashed.key_hash
                yield f"hashed value in {place}", hashed.value_hash


def _scalars(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield str(name)
            if name not in _OWN_NUMBERS:
                yield from _scalars(value)
    elif isinstance(node, list):
        for value in node:
            yield from _scalars(value)
    elif isinstance(node, str):
        yield node
