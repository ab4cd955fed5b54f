"""A few bytes that one recipient alone can open: HPKE (RFC 9180), X25519 or P-256, AES-256-GCM.

The suite and the code are those of ``cryptography``. `context` says what the bytes are and for
what; with another context they do not open, so nothing can be moved from one place to another.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TypeAlias

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from medfab_gateway.ehr.errors import DataKeyError

PublicKey: TypeAlias = x25519.X25519PublicKey | ec.EllipticCurvePublicKey
"""A reader's key that data keys are sealed to: X25519, or P-256."""
PrivateKey: TypeAlias = x25519.X25519PrivateKey | ec.EllipticCurvePrivateKey
"""The other half of a `PublicKey`: opens what was sealed to it."""

_SUITES = {
    "hpke-x25519": Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
    "hpke-p256": Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
}


def seal_to(recipient: PublicKey, data: bytes, *, context: str) -> str:
    """Seal ``data``, as ASCII text, so that only the private key of ``recipient`` opens it."""
    name = _suite_name(recipient)
    sealed = _SUITES[name].encrypt(data, recipient, info=context.encode())
    return f"{name}:{base64.b64encode(sealed).decode()}"


def open_sealed(private_key: PrivateKey, sealed: str, *, context: str) -> bytes:
    """What :func:`seal_to` sealed; :class:`DataKeyError` if it was for another key or context."""
    name, _, text = sealed.partition(":")
    if name == _suite_name(private_key):
        try:
            ciphertext = base64.b64decode(text, validate=True)
            return _SUITES[name].decrypt(ciphertext, private_key, info=context.encode())
        except (ValueError, InvalidTag):
            pass
    # Outside of the handler, so that nothing of the library's is chained.
    raise DataKeyError("what was sealed is for another key, or was changed")


def public_key_hex(key: PublicKey) -> str:
    """A public key (its SubjectPublicKeyInfo in hex), as requests carry it."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return der.hex()


def load_public_key(text: str) -> PublicKey:
    """The key of :func:`public_key_hex`; :class:`DataKeyError` if it is none that can be used."""
    try:
        key = serialization.load_der_public_key(bytes.fromhex(text))
    except (ValueError, TypeError):
        key = None
    if isinstance(key, x25519.X25519PublicKey | ec.EllipticCurvePublicKey):
        _suite_name(key)
        return key
    raise DataKeyError("this is no public key of X25519 or P-256")


def fingerprint(key: PublicKey) -> str:
    """SHA-256 (hex) of a public key."""
    return hashlib.sha256(bytes.fromhex(public_key_hex(key))).hexdigest()


def _suite_name(key: PublicKey | PrivateKey) -> str:
    match key:
        case x25519.X25519PublicKey() | x25519.X25519PrivateKey():
            return "hpke-x25519"
        case ec.EllipticCurvePublicKey() | ec.EllipticCurvePrivateKey() if isinstance(
            key.curve, ec.SECP256R1
        ):
            return "hpke-p256"
    raise DataKeyError("keys to seal with are of X25519 or P-256")


def load_private_key(pem: bytes | None) -> PrivateKey:
    """A private key in PEM, of X25519 or P-256: the one of a certificate, for example.

    Raises :class:`DataKeyError` if it is another, is encrypted, or is none. None: a wallet has a
    token in its place, whose key can sign, but not open.
    """
    if pem is None:
        raise DataKeyError(
            "the identity's key is in a token, which signs but does not open: give a key for "
            "reading, X25519 or P-256 in PEM, of its own"
        )
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, x25519.X25519PrivateKey | ec.EllipticCurvePrivateKey):
        _suite_name(key)
        return key
    raise DataKeyError("this is no private key of X25519 or P-256, in PEM and not encrypted")
