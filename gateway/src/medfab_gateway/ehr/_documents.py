"""Documents that are too large for the ledger: encrypted files in a folder or an object store.

::

    store = DocumentStore("file:///srv/medfab/documents")     # or "s3://bucket/documents"
    reference = store.put(data, key, folder=32 hex digits that only the holder can tell)
    data = store.get(reference, key)

A file is a header and chunks of AES-256-GCM, numbered, the last one marked, and bound to the
file's name: chunks that are cut off, swapped, or taken from another file do not open. The
reference has the SHA-256 of the plain bytes, and stays in the holder's private data.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from medfab_gateway.ehr.errors import DocumentError, TamperError

CHUNK_BYTES = 1024 * 1024

_MAGIC = b"medfab-document-1\n"
_PREFIX_BYTES = 7
_TAG_BYTES = 16
_NAME = re.compile(r"[0-9a-f]{32}/[0-9a-f]{32}")
_MOST_CHUNKS = 2**32


@dataclass(frozen=True, kw_only=True)
class DocumentReference:
    """What finds a document, and proves that it is the one that was filed."""

    name: str
    """Folder and file: twice 32 hex digits."""
    sha256: str
    """Of the plain bytes, hex."""
    size: int
    """Plain bytes."""


class DocumentStore:
    """Encrypted documents in any file system of fsspec.

    ``url``: e.g. ``file:///srv/documents``, ``s3://bucket/folder`` (needs ``medfab-gateway[s3]``)
    or ``memory://tests``; a path without a scheme is a folder. ``options``: those of the file
    system, such as ``endpoint_url`` or ``profile`` of S3. Calls block; they may be made from any
    thread.
    """

    def __init__(self, url: str, **options: Any) -> None:
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise DocumentError(
                "a document store needs the extra: pip install 'medfab-gateway[ehr]'"
            ) from error
        try:
            self._files, self._root = url_to_fs(url, **options)
            self._files.makedirs(self._root, exist_ok=True)
        except (ImportError, ValueError, OSError) as error:
            raise DocumentError(f"the document store {url} cannot be used: {error}") from error
        self._url = url

    def put(
        self, source: bytes | BinaryIO, key: bytes, *, folder: str, file_name: str | None = None
    ) -> DocumentReference:
        """Encrypt and store a document; returns when it is there whole.

        ``folder``, ``file_name``: 32 hex digits each; None: a random name.
        """
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        name = f"{folder}/{file_name or secrets.token_hex(16)}"
        prefix = secrets.token_bytes(_PREFIX_BYTES)
        cipher, digest, size = AESGCM(key), hashlib.sha256(), 0
        path = self._path(name)
        try:
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            with self._files.open(path, "wb") as file:
                file.write(_MAGIC + prefix)
                for number, (chunk, last) in enumerate(_chunks(stream)):
                    digest.update(chunk)
                    size += len(chunk)
                    nonce = _nonce(prefix, number, last=last)
                    file.write(cipher.encrypt(nonce, chunk, name.encode()))
                _to_disk(file)
        except OSError as error:
            raise self._failed("cannot be written to", error) from error
        return DocumentReference(name=name, sha256=digest.hexdigest(), size=size)

    def get(self, reference: DocumentReference, key: bytes) -> bytes:
        """The document's bytes.

        Raises :class:`TamperError` if they are not those that were filed, and
        :class:`DocumentError` if the store does not have it.
        """
        target = io.BytesIO()
        self.write_to(target, reference, key)
        return target.getvalue()

    def write_to(self, target: BinaryIO, reference: DocumentReference, key: bytes) -> None:
        """As :meth:`get`, chunk by chunk: nothing in ``target`` may be used before it returns."""
        digest, size = hashlib.sha256(), 0
        try:
            with self._files.open(self._path(reference.name), "rb") as file:
                for chunk in _decrypted(file, reference.name, AESGCM(key)):
                    digest.update(chunk)
                    size += len(chunk)
                    target.write(chunk)
        except FileNotFoundError:
            raise DocumentError(
                f"the document store {self._url} does not have a document that is on file: it "
                "was deleted, or this is not the holder's store"
            ) from None
        except OSError as error:
            raise DocumentError(
                f"the document store {self._url} cannot be read: {error}"
            ) from error
        if (digest.hexdigest(), size) != (reference.sha256, reference.size):
            raise _changed()

    def delete(self, name: str) -> bool:
        """Delete a document; False if it was not there."""
        try:
            self._files.rm_file(self._path(name))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise DocumentError(
                f"the document store {self._url} deletes nothing: {error}"
            ) from error
        return True

    def exists(self, name: str) -> bool:
        """Is there a document of this name, whatever is in it?"""
        try:
            return bool(self._files.exists(self._path(name)))
        except OSError as error:
            raise self._failed("cannot be read", error) from error

    def digest(self, name: str) -> str | None:
        """SHA-256 (hex) of the stored bytes as they are; None if there are none."""
        digest = hashlib.sha256()
        try:
            with self._files.open(self._path(name), "rb") as file:
                while part := file.read(CHUNK_BYTES):
                    digest.update(part)
        except OSError:
            return None
        return digest.hexdigest()

    def delete_folder(self, folder: str) -> tuple[str, ...]:
        """Delete all documents of a folder; returns their names, in order."""
        deleted = [name for name in self.names() if name.startswith(f"{folder}/")]
        for name in deleted:
            self.delete(name)
        return tuple(deleted)

    def names(self) -> tuple[str, ...]:
        """Names of all documents, for finding those that nothing refers to."""
        found = ["/".join(path.split("/")[-2:]) for path in self._files.find(self._root)]
        return tuple(sorted(name for name in found if _NAME.fullmatch(name)))

    def _failed(self, what: str, error: OSError) -> DocumentError:
        return DocumentError(f"the document store {self._url} {what}: {error}")

    def _path(self, name: str) -> str:
        if not _NAME.fullmatch(name):  # it comes from a record, and must not leave the folder
            raise _changed()
        # In folders by the first two digits: a folder with a million folders is slow to list.
        return f"{self._root}/{name[:2]}/{name}"


def _chunks(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """(chunk, is it the last); an empty document has one empty chunk."""
    chunk = _full(stream)
    while True:
        following = _full(stream) if len(chunk) == CHUNK_BYTES else b""
        yield chunk, not following
        if not following:
            return
        chunk = following


def _full(stream: BinaryIO, size: int = CHUNK_BYTES) -> bytes:
    """``size`` bytes, fewer only at the end: one read of a pipe or socket may give less."""
    parts, left = [], size
    while left and (part := stream.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _decrypted(file: BinaryIO, name: str, cipher: AESGCM) -> Iterator[bytes]:
    head = _full(file, len(_MAGIC) + _PREFIX_BYTES)
    prefix = head.removeprefix(_MAGIC)
    if not head.startswith(_MAGIC) or len(prefix) != _PREFIX_BYTES:
        raise _changed()
    sealed = _full(file, CHUNK_BYTES + _TAG_BYTES)
    for number in range(_MOST_CHUNKS):
        following = _full(file, CHUNK_BYTES + _TAG_BYTES)
        plain = None
        try:
            nonce = _nonce(prefix, number, last=not following)
            plain = cipher.decrypt(nonce, sealed, name.encode())
        except (InvalidTag, ValueError):
            pass
        if plain is None:
            raise _changed()
        yield plain
        if not following:
            return
        sealed = following


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])


def _to_disk(file: Any) -> None:
    """Where it is a file of this machine, wait until it would survive a crash."""
    try:
        file.flush()
        os.fsync(file.fileno())
    except (OSError, AttributeError, ValueError):
        return  # an object store: closing completes it


def _changed() -> TamperError:
    return TamperError("a document was changed since it was filed, or its key is not this one")
