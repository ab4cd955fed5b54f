"""Contents under keys of their own, and those keys under the patient's data key.

A data key is the patient's at one holder. A new one takes the place of the old without touching
a content: only the wrapped content keys are made anew (:func:`rewrap`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from medfab_gateway.ehr.errors import DataKeyError, TamperError

KEY_BYTES = 32
_NONCE_BYTES = 12
_PREFIX = "medfab-sealed-1:"


@dataclass(frozen=True)
class DataKey:
    """A patient's key at one holder: AES-256."""

    key_id: str
    """32 random hex digits."""
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise DataKeyError(f"a data key has {KEY_BYTES} bytes")

    @classmethod
    def new(cls) -> DataKey:
        """Make a random one."""
        return cls(secrets.token_hex(16), secrets.token_bytes(KEY_BYTES))


@dataclass(frozen=True)
class ContentKey:
    """The key of one record and of its document."""

    secret: bytes = field(repr=False)

    @classmethod
    def derived(cls, secret: bytes, *, record_id: str, text: str) -> ContentKey:
        """The key of this content: the same for the same, so that re-filing is recognised.

        Another record or another content has another one, so that no key is used twice.
        """
        digest = hashlib.sha256(text.encode()).digest()
        return cls(hmac.digest(secret, f"{record_id}/".encode() + digest, hashlib.sha256))

    def for_document(self) -> bytes:
        """The key of the record's document; never the one of the record itself."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"medfab document").derive(self.secret)


def is_sealed(text: str) -> bool:
    """Is ``text`` a sealed content, rather than a resource?"""
    return text.startswith(_PREFIX)


def seal_content(text: str, key: ContentKey, *, record_id: str) -> str:
    """``text`` encrypted, as text; it opens for the same record only."""
    # The key is of this content alone, so it never meets this nonce again.
    nonce = bytes(_NONCE_BYTES)
    return _PREFIX + _encrypt(key.secret, text.encode(), f"content/{record_id}", nonce)


def open_content(sealed: str, key: ContentKey, *, record_id: str) -> str:
    """The text; :class:`TamperError` if it was changed, or belongs to another record or key."""
    data = _decrypt(key.secret, sealed.removeprefix(_PREFIX), f"content/{record_id}")
    if data is None or not is_sealed(sealed):
        raise TamperError("a record was changed since it was filed, or its key is not this one")
    return data.decode()


def wrap_key(key: ContentKey, data_key: DataKey, *, record_id: str) -> str:
    """The content key, encrypted under the data key."""
    return _encrypt(data_key.secret, key.secret, f"key/{data_key.key_id}/{record_id}")


def unwrap_key(wrapped: str, data_key: DataKey, *, record_id: str) -> ContentKey:
    """The content key; :class:`DataKeyError` if the data key is not the one it is under."""
    secret = _decrypt(data_key.secret, wrapped, f"key/{data_key.key_id}/{record_id}")
    if secret is None:
        raise DataKeyError("the key of a record does not open with this data key")
    return ContentKey(secret)


def rewrap(wrapped: str, old: DataKey, new: DataKey, *, record_id: str) -> str:
    """The same content key, under ``new``."""
    return wrap_key(unwrap_key(wrapped, old, record_id=record_id), new, record_id=record_id)


def _encrypt(secret: bytes, data: bytes, associated: str, nonce: bytes | None = None) -> str:
    nonce = nonce or secrets.token_bytes(_NONCE_BYTES)
    ciphertext = AESGCM(secret).encrypt(nonce, data, associated.encode())
    return base64.b64encode(nonce + ciphertext).decode()


def _decrypt(secret: bytes, text: str, associated: str) -> bytes | None:
    try:
        data = base64.b64decode(text, validate=True)
        return AESGCM(secret).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], associated.encode())
    except (ValueError, InvalidTag):
        return None
