"""Under which id Fabric's programs keep a key."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


def subject_key_id(public_key: ec.EllipticCurvePublicKey) -> bytes:
    """SHA-256 of the uncompressed point: `CKA_ID` of the keys that Fabric CA's client, peers and
    orderers make in a token (bccsp/pkcs11)."""
    point = public_key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return hashlib.sha256(point).digest()
