"""Chaincode packages, the same bytes wherever and whenever they are made.

A package id is the hash of the package, and all organisations approve the same chaincode; so
nothing may vary: no time, user or permission, and no compression either, whose output differs
between versions of zlib. Packages of services are a few kilobytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import struct
import tarfile
import zlib
from collections.abc import Mapping

from medfab_gateway.admin.errors import PackageError

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # no time, unknown system
_STORED_BLOCK = 0xFFFF  # bytes that one stored block of deflate holds at most


def package_ccaas(label: str, connection: Mapping[str, object] | None = None) -> bytes:
    """A package of type `ccaas`: a chaincode that runs as a service.

    Args:
        label: Begins the package id; letters, digits, `_`, `.`, `+`, `-`.
        connection: Content of `connection.json` (`address`, `dial_timeout`, `tls_required`, …).
            None packages no address, for an external builder that knows it: the package is then
            the same for organisations whose services listen at different addresses.

    Raises:
        PackageError: A label that Fabric refuses, or a connection that is no JSON.
    """
    _check_label(label)
    try:
        files = {} if connection is None else {"connection.json": _json(connection)}
    except (TypeError, ValueError) as error:
        raise PackageError(f"The connection of package {label!r} is no JSON: {error}") from error
    return _tar_gz(
        {
            "metadata.json": _json({"label": label, "type": "ccaas"}),
            "code.tar.gz": _tar_gz(files),
        }
    )


def package_id(package: bytes) -> str:
    """`label:sha256`, the id by which peers know a package.

    Raises:
        PackageError: The bytes are no chaincode package.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(package), mode="r:gz") as archive:
            metadata = archive.extractfile("metadata.json")
            label = json.load(metadata)["label"] if metadata else None
    except (tarfile.TarError, OSError, EOFError, zlib.error, LookupError, ValueError) as error:
        raise PackageError(
            "The bytes are no chaincode package: a tar.gz with metadata.json (label, type) and "
            "code.tar.gz"
        ) from error
    _check_label(label)
    return f"{label}:{hashlib.sha256(package).hexdigest()}"


def _check_label(label: object) -> None:
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        raise PackageError(
            f"{label!r} cannot be the label of a package: letters, digits, '_', '.', '+' and '-', "
            "a letter or digit first"
        )


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _tar_gz(files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)  # owner 0, no names, time 0, mode 0644
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return _gzip_stored(archive.getvalue())


def _gzip_stored(data: bytes) -> bytes:
    """A gzip file (RFC 1952) of stored blocks (RFC 1951 §3.2.4)."""
    blocks = []
    for start in range(0, len(data), _STORED_BLOCK):
        block = data[start : start + _STORED_BLOCK]
        last = start + _STORED_BLOCK >= len(data)
        size = len(block)
        blocks.append(struct.pack("<BHH", last, size, size ^ 0xFFFF) + block)
    return (
        _GZIP_HEADER
        + b"".join(blocks)
        + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
    )
