"""Signing with a key in a token."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from pkcs11.exceptions import MultipleObjectsReturned, NoSuchKey, PKCS11Error

from medfab_gateway.errors import HsmError, SigningError
from medfab_gateway.hsm._session import TokenSession
from medfab_gateway.identity import WaitingSigner, check_ecdsa_digest, ecdsa_signature


class HsmSigner(WaitingSigner):
    """Signs digests with one private key of a token. Made by `HsmToken`.

    Any number of threads may call it; they take turns. Raises `SigningError` where the token
    refuses or is gone, `HsmError` where it has no such key.
    """

    def __init__(
        self, session: TokenSession, key_id: bytes, public_key: ec.EllipticCurvePublicKey
    ) -> None:
        self._session = session
        self._key_id = key_id
        self._public_key = public_key

    def __repr__(self) -> str:
        return f"{type(self).__name__}(key_id={self._key_id.hex()})"

    @property
    def key_id(self) -> bytes:
        """`CKA_ID` of the key."""
        return self._key_id

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Of the same pair; for a certificate signing request, for instance."""
        return self._public_key

    def __call__(self, digest: bytes) -> bytes:
        """The ECDSA signature, DER with a low s, over a digest of 32 or 48 bytes."""
        check_ecdsa_digest(digest)
        # CKM_ECDSA takes no more than the curve's size; ECDSA itself cuts a digest there.
        size = (self._public_key.curve.key_size + 7) // 8
        try:
            pair = self._session.sign(self._key_id, digest[:size])
        except (NoSuchKey, MultipleObjectsReturned) as error:
            several = isinstance(error, MultipleObjectsReturned)
            raise HsmError(
                f"The token has {'several' if several else 'no'} EC private keys with the id "
                f"(CKA_ID) {self._key_id.hex()}. Look with: pkcs11-tool --list-objects"
            ) from error
        except PKCS11Error as error:
            raise SigningError(
                f"The token does not sign with key {self._key_id.hex()}: "
                f"{type(error).__name__}. Is it still there, and open?"
            ) from error
        half = len(pair) // 2
        return ecdsa_signature(
            int.from_bytes(pair[:half], "big"),
            int.from_bytes(pair[half:], "big"),
            self._public_key.curve,
        )
