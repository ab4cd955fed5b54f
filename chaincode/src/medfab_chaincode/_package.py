"""Chaincode packages of type `ccaas`: the same bytes, and so the same id, wherever they are made.

Nothing in them varies: no time, user or permission, and no compression, whose output differs
between versions of zlib. A twin of the gateway's, which this distribution must not import; a test
holds the bytes of both against each other.
"""

import hashlib
import io
import json
import re
import struct
import tarfile
import zlib
from collections.abc import Mapping

from medfab_chaincode.errors import SettingsError

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # no time, unknown system
_STORED_BLOCK = 0xFFFF  # bytes that one stored block of deflate holds at most


def package_ccaas(label: str, connection: Mapping[str, object] | None = None) -> tuple[str, bytes]:
    """Make a package: its id, `label:sha256`, and its bytes.

    connection: content of `connection.json` (`address`, `dial_timeout`, `tls_required`, …). None
    packages no address, for an external builder that knows it: organisations whose services
    listen at different addresses then have the same package.

    Raises `SettingsError` for a label that Fabric refuses.
    """
    if not _LABEL.fullmatch(label):
        raise SettingsError(
            f"{label!r} cannot be the label of a package: letters, digits, '_', '.', '+' and '-',"
            " a letter or digit first"
        )
    files = {} if connection is None else {"connection.json": _json(connection)}
    package = _tar_gz(
        {
            "metadata.json": _json({"label": label, "type": "ccaas"}),
            "code.tar.gz": _tar_gz(files),
        }
    )
    return f"{label}:{hashlib.sha256(package).hexdigest()}", package


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _tar_gz(files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)  # owner 0, no names, time 0, mode 0644
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    data = archive.getvalue()
    blocks = [data[start : start + _STORED_BLOCK] for start in range(0, len(data), _STORED_BLOCK)]
    stored = b"".join(
        struct.pack("<BHH", number == len(blocks), len(block), len(block) ^ 0xFFFF) + block
        for number, block in enumerate(blocks, 1)
    )
    return _GZIP_HEADER + stored + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
