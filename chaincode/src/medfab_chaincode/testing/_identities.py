"""Callers of a contract: real X.509 certificates, made on the spot without a CA."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fabric_protos.msp import identities_pb2

from medfab_chaincode._identity import ATTRIBUTE_OID

_NOT_BEFORE = datetime(2000, 1, 1, tzinfo=UTC)
_NOT_AFTER = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Identity:
    """Who calls: `Identity("HospitalMSP", "dr-hill", attributes={"role": "physician"})`.

    The certificate has the form that Fabric CA gives: the attributes are an extension of it, the
    role is an organisational unit of its subject.
    """

    msp_id: str
    common_name: str
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    role: str = "client"
    """Fabric's own role: `client`, `admin`, `peer` or `orderer`."""
    organizational_units: tuple[str, ...] = ()
    """Further OUs of the subject, e.g. the affiliation."""
    issuer: str = ""
    """The common name of the CA; empty: one of the organisation's."""

    @cached_property
    def certificate(self) -> bytes:
        """The certificate, PEM; the same bytes for an equal identity. All have one key."""
        units = (self.role, *self.organizational_units)
        subject = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units]
        subject.append(x509.NameAttribute(NameOID.COMMON_NAME, self.common_name))
        issuer = x509.NameAttribute(NameOID.COMMON_NAME, self.issuer or f"ca.{self.msp_id}")
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(subject))
            .issuer_name(x509.Name([issuer]))
            .public_key(_key().public_key())
            .serial_number(1)
            .not_valid_before(_NOT_BEFORE)
            .not_valid_after(_NOT_AFTER)
        )
        if self.attributes:
            extension = x509.UnrecognizedExtension(
                x509.ObjectIdentifier(ATTRIBUTE_OID),
                json.dumps({"attrs": dict(self.attributes)}).encode(),
            )
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(_key(), hashes.SHA256(), ecdsa_deterministic=True)
        return certificate.public_bytes(serialization.Encoding.PEM)

    @cached_property
    def serialized(self) -> bytes:
        """The serialised `msp.SerializedIdentity`: what a contract sees as the creator."""
        message = identities_pb2.SerializedIdentity(mspid=self.msp_id, id_bytes=self.certificate)
        return bytes(message.SerializeToString())

    def sign(self, message: bytes) -> bytes:
        """Sign with ECDSA and SHA-256, as Fabric's clients do."""
        return _key().sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    # No secret: a constant makes certificates, and so transaction ids, the same in every run.
    return ec.derive_private_key(0x6D656466616231, ec.SECP256R1())
