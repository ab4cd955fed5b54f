"""Who is calling, and how that caller signs.

    identity = Identity("HospitalMSP", certificate_pem)
    signer = private_key_signer(private_key_pem)

An `Identity` is public. A `Signer` is any function from a digest to a signature, so that a key
may live in a file, an HSM or another process; `private_key_signer` makes one from a PEM key.
"""

from __future__ import annotations

import abc
import enum
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from fabric_protos.msp import identities_pb2

from medfab_gateway.errors import IdentityError, SigningError

Signer: TypeAlias = Callable[[bytes], bytes]
"""Digest → signature. With `Hash.NONE` it is given the whole message instead of a digest."""


class WaitingSigner(abc.ABC):
    """A signer that waits for a device or for another process.

        class RemoteSigner(WaitingSigner):
            def __call__(self, digest):
                return service.sign(digest)

        async with AsyncGateway.connect(profile, identity, RemoteSigner()) as gateway:
            contract = gateway.network("care").contract("assets")
            answer = await contract.evaluate("ReadAsset", "asset-1")

    The asynchronous client calls it in a thread, so that nothing else waits for it; several
    threads may call it at a time. Any other signer is called where the client runs: with a key
    in memory that is quicker (23 µs for P-256, 210 µs for P-384) than what a thread costs.
    """

    @abc.abstractmethod
    def __call__(self, digest: bytes) -> bytes:
        """As `Signer`."""


PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class Hash(enum.Enum):
    """What is done to a message before it is signed.

        signature = signer(Hash.SHA256.digest(message))

    Fabric's MSP verifies SHA-256 (or SHA3-256, where the channel says so) for every key that is
    not Ed25519, a P-384 key included, and the plain message (`NONE`) for Ed25519.
    """

    NONE = "none"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA3_256 = "sha3_256"
    SHA3_384 = "sha3_384"

    def digest(self, message: bytes) -> bytes:
        """The digest of `message`; `message` itself for `NONE`."""
        return message if self is Hash.NONE else hashlib.new(self.value, message).digest()


@dataclass(frozen=True)
class Identity:
    """A member of an organisation, as the MSP of that organisation knows it.

        identity = Identity("HospitalMSP", Path("certificate.pem").read_bytes())
        print(identity.msp_id, identity.default_hash())

    Raises `IdentityError` where the MSP id is empty or the certificate is not one in PEM form.
    """

    msp_id: str
    """The MSP id of the organisation, e.g. `HospitalMSP`."""

    certificate: bytes = field(repr=False)
    """The X.509 certificate in PEM form; used as it is, never serialised again."""

    def __post_init__(self) -> None:
        if not self.msp_id:
            raise IdentityError("An identity needs the MSP id of its organisation; it is empty.")
        _ = self.x509  # parsed here, so that a wrong file is an error where it was read

    @cached_property
    def x509(self) -> x509.Certificate:
        """The certificate, parsed."""
        try:
            return x509.load_pem_x509_certificate(self.certificate)
        except ValueError as error:
            raise IdentityError(
                f"The certificate of the {self.msp_id} identity is not an X.509 certificate in "
                "PEM form (-----BEGIN CERTIFICATE-----). Was a key or a folder's other file read?"
            ) from error

    @property
    def valid_until(self) -> datetime:
        """When the certificate expires, UTC. Peers refuse it from then on."""
        return self.x509.not_valid_after_utc

    @cached_property
    def serialized(self) -> bytes:
        """The `msp.SerializedIdentity`: what Fabric calls the creator. Made once."""
        message = identities_pb2.SerializedIdentity(mspid=self.msp_id, id_bytes=self.certificate)
        serialized: bytes = message.SerializeToString()
        return serialized

    def default_hash(self) -> Hash:
        """The hash that Fabric verifies for this certificate's kind of key."""
        public_key = self.x509.public_key()
        return Hash.NONE if isinstance(public_key, ed25519.Ed25519PublicKey) else Hash.SHA256


def load_private_key(pem: bytes) -> PrivateKey:
    """The key in an unencrypted PEM file: P-256, P-384 or Ed25519. Raises `IdentityError`."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise IdentityError(
            "The private key cannot be read: an unencrypted key in PEM form "
            "(-----BEGIN PRIVATE KEY-----) is needed."
        ) from error
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVE_ORDERS:
        return key
    raise IdentityError(
        "The private key is of a kind that Fabric does not accept here: "
        "use ECDSA P-256 (the usual choice), ECDSA P-384 or Ed25519."
    )


def private_key_signer(key: bytes | PrivateKey) -> Signer:
    """A `Signer` for a P-256, P-384 or Ed25519 key, given parsed or as PEM.

    ECDSA signatures are DER with a low s, as the peers demand. Ed25519 signs the whole message:
    use it with `Hash.NONE`. Raises `IdentityError` for a key that cannot be used; the signer
    raises `SigningError` for a digest that the key cannot sign.
    """
    private_key = load_private_key(key) if isinstance(key, bytes) else key
    if isinstance(private_key, ed25519.Ed25519PrivateKey):
        return private_key.sign
    order = _curve_order(private_key.curve)
    half = order // 2

    def sign(digest: bytes) -> bytes:
        check_ecdsa_digest(digest)
        signature = private_key.sign(digest, _PREHASHED[len(digest)])
        r, s = decode_dss_signature(signature)
        return signature if s <= half else encode_dss_signature(r, order - s)

    return sign


def check_ecdsa_digest(digest: bytes) -> None:
    """Raises `SigningError` for what no hash of ours has made, a whole message for instance."""
    if len(digest) not in _PREHASHED:
        raise SigningError(
            f"An ECDSA key signs a digest of 32 or 48 bytes, not {len(digest)} bytes. "
            "Hash.NONE goes with Ed25519 keys only; use Hash.SHA256."
        )


def ecdsa_signature(r: int, s: int, curve: ec.EllipticCurve) -> bytes:
    """The signature as Fabric wants it: DER, with the lower of the two values that s may have.

    curve: P-256 or P-384; else raises `IdentityError`.
    """
    return encode_dss_signature(r, min(s, _curve_order(curve) - s))


def _curve_order(curve: ec.EllipticCurve) -> int:
    order = _CURVE_ORDERS.get(curve.name)
    if order is None:
        raise IdentityError(f"ECDSA on {curve.name} is not supported; use P-256.")
    return order


# Orders of the base points (SEC 2): s and order - s are both valid; Fabric accepts the lower one.
_CURVE_ORDERS = {
    "secp256r1": int("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", 16),
    "secp384r1": int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
        16,
    ),
}

# `Prehashed` looks at the length alone, so SHA3 digests are signed by the same entries.
_PREHASHED = {32: ec.ECDSA(Prehashed(hashes.SHA256())), 48: ec.ECDSA(Prehashed(hashes.SHA384()))}
