"""Archives that only the holder of a key can read, and that nobody can change unnoticed.

```
magic · length and text of a header (JSON: how the key is derived) · frames
```

Each frame is AES-256-GCM over up to 1 MiB, with the header's digest as associated data. Its nonce
has a random prefix, the frame's number, and whether it is the last one (the STREAM construction of
Hoang, Reyhanitabar, Rogaway and Vizár, 2015): frames cannot be left out, repeated, exchanged or cut
off at the end.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BufferedIOBase
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from medfab_network.errors import ArchiveError

_MAGIC = b"medfab-backup-1\n"
_CHUNK = 1 << 20
_TAG = 16
_SCRYPT = {"n": 1 << 17, "r": 8, "p": 1}
_MOST_SCRYPT = {"n": 1 << 20, "r": 16, "p": 4}
"""More is asked for by nobody but who wants to see this machine busy."""
_LONGEST_HEADER = 4096
_SHORTEST_KEY, _SHORTEST_PASSPHRASE = 32, 12


@dataclass(frozen=True, kw_only=True)
class Secret:
    """What an archive is sealed with."""

    content: bytes = field(repr=False)
    is_passphrase: bool

    @classmethod
    def from_files(cls, key_file: Path | None, passphrase_file: Path | None) -> Secret:
        """From one of two files. Raises `ArchiveError` where it will not do.

        key_file: 32 random bytes or more, as they are. passphrase_file: one line of text.
        """
        path = key_file or passphrase_file
        if path is None or (key_file and passphrase_file):
            raise ArchiveError("give either a key file or a passphrase file")
        try:
            content = path.read_bytes()
            mode = path.stat().st_mode
        except OSError as error:
            raise ArchiveError(f"{path} cannot be read: {error.strerror}") from error
        if mode & 0o077:
            raise ArchiveError(f"others may read {path}: `chmod 600 {path}` first")
        is_passphrase = passphrase_file is not None
        if is_passphrase:
            content = content.rstrip(b"\r\n")
        shortest = _SHORTEST_PASSPHRASE if is_passphrase else _SHORTEST_KEY
        if len(content) < shortest:
            raise ArchiveError(
                f"{path} is too short: {shortest} bytes at least. A good key file: "
                "`(umask 077; head -c 32 /dev/urandom > backup.key)`"
            )
        return cls(content=content, is_passphrase=is_passphrase)

    def terms(self) -> dict[str, Any]:
        """How the key of a new archive is derived."""
        salt = base64.b64encode(os.urandom(16)).decode()
        if self.is_passphrase:
            return {"kdf": "scrypt", "salt": salt, **_SCRYPT}
        return {"kdf": "hkdf-sha256", "salt": salt}

    def key(self, header: Mapping[str, Any]) -> bytes:
        """The key of an archive."""
        salt = base64.b64decode(header["salt"])
        if header["kdf"] == "scrypt":
            if not self.is_passphrase:
                raise ArchiveError("the archive was sealed with a passphrase: --passphrase-file")
            costs = {name: int(header[name]) for name in _SCRYPT}
            if any(costs[name] > most for name, most in _MOST_SCRYPT.items()):
                raise ArchiveError("the archive asks for too much work: it is none of ours")
            return Scrypt(salt=salt, length=32, **costs).derive(self.content)
        if header["kdf"] != "hkdf-sha256":
            raise ArchiveError(f"the archive is of a kind that is not known here: {header['kdf']}")
        if self.is_passphrase:
            raise ArchiveError("the archive was sealed with a key file: --key-file")
        return HKDF(hashes.SHA256(), length=32, salt=salt, info=_MAGIC).derive(self.content)


class SealedWriter(BufferedIOBase):
    """Seals what is written to it. Only `close()` makes the archive whole."""

    def __init__(self, file: IO[bytes], secret: Secret) -> None:
        header = {**secret.terms(), "nonce": base64.b64encode(os.urandom(7)).decode()}
        key = secret.key(header)
        header["check"] = _check(key)
        text = json.dumps(header).encode()
        start = _MAGIC + struct.pack(">I", len(text)) + text
        file.write(start)
        self._file = file
        self._frames = _Frames(key, header, start)
        self._buffer = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._buffer += data
        while len(self._buffer) > _CHUNK:  # the last frame is never empty, but for an empty archive
            self._file.write(self._frames.seal(bytes(self._buffer[:_CHUNK]), last=False))
            del self._buffer[:_CHUNK]
        return len(data)

    def finish(self) -> None:
        """Write the last frame."""
        self._file.write(self._frames.seal(bytes(self._buffer), last=True))
        self._buffer.clear()


class SealedReader(BufferedIOBase):
    """Reads an archive; every byte that it returns has been verified.

    Raises `ArchiveError` where the archive or the key is not the right one.
    """

    def __init__(self, path: Path, secret: Secret) -> None:
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise ArchiveError(f"{path} cannot be read: {error.strerror}") from error
        self._path = path
        self._buffer = b""
        self._ended = False
        try:
            start = self._file.read(len(_MAGIC) + 4)
            length = struct.unpack(">I", start[-4:])[0] if len(start) == len(_MAGIC) + 4 else 0
            if not start.startswith(_MAGIC) or not 0 < length <= _LONGEST_HEADER:
                raise ArchiveError(f"{path} is no backup that `medfab network backup` has made")
            text = self._file.read(length)
            try:
                header = json.loads(text)
                key = secret.key(header)
                fits = hmac.compare_digest(_check(key), str(header["check"]))
                self._frames = _Frames(key, header, start + text)
            except (ValueError, LookupError, TypeError) as error:
                raise ArchiveError(f"{path} is damaged: its header cannot be read") from error
            if not fits:
                raise ArchiveError(f"{path} does not open: it was sealed with another key")
            self._next = self._file.read(_CHUNK + _TAG)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> SealedReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        super().close()

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        wanted = -1 if size is None else size
        parts = [self._buffer]
        there = len(self._buffer)
        while (wanted < 0 or there < wanted) and not self._ended:
            parts.append(self._frame())
            there += len(parts[-1])
        content = b"".join(parts)
        if wanted < 0:
            wanted = len(content)
        self._buffer = content[wanted:]
        return content[:wanted]

    def _frame(self) -> bytes:
        frame, self._next = self._next, self._file.read(_CHUNK + _TAG)
        last = not self._next
        try:
            content = self._frames.open(frame, last=last)
        except InvalidTag as error:
            raise ArchiveError(
                f"{self._path} is not what was written: cut off or changed near byte "
                f"{self._file.tell()}"
            ) from error
        self._ended = last
        return content


def _check(key: bytes) -> str:
    """By which another key is told from a damaged archive."""
    return hmac.new(key, b"check", hashlib.sha256).hexdigest()[:32]


class _Frames:
    """Seals and opens the frames of one archive, in their order."""

    def __init__(self, key: bytes, header: Mapping[str, Any], start: bytes) -> None:
        self._cipher = AESGCM(key)
        self._prefix = base64.b64decode(header["nonce"])
        self._associated = hashlib.sha256(start).digest()
        self.number = 0
        if len(self._prefix) != 7:
            raise ValueError("nonce")

    def seal(self, content: bytes, *, last: bool) -> bytes:
        return self._cipher.encrypt(self._nonce(last), content, self._associated)

    def open(self, frame: bytes, *, last: bool) -> bytes:
        if len(frame) < _TAG:
            raise InvalidTag
        return self._cipher.decrypt(self._nonce(last), frame, self._associated)

    def _nonce(self, last: bool) -> bytes:
        nonce = self._prefix + struct.pack(">I", self.number) + (b"\1" if last else b"\0")
        self.number += 1
        return nonce
