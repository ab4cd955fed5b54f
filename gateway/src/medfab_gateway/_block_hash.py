"""The hash of a block's header. Pure."""

from __future__ import annotations

import hashlib


def block_hash(number: int, previous_hash: bytes, data_hash: bytes) -> bytes:
    """SHA-256 over ASN.1 SEQUENCE { number INTEGER, previous OCTET STRING, data OCTET STRING }:
    fabric/protoutil/blockutils.go, BlockHeaderBytes()."""
    integer = number.to_bytes(number.bit_length() // 8 + 1, "big")
    body = _der(0x02, integer) + _der(0x04, previous_hash) + _der(0x04, data_hash)
    return hashlib.sha256(_der(0x30, body)).digest()


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    length_bytes = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length_bytes)]) + length_bytes + content
