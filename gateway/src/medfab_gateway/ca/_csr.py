"""Private keys and certificate signing requests, P-256 (the curve of Fabric's defaults)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from medfab_gateway.ca._types import Subject

_SUBJECT_FIELDS = (
    ("country", NameOID.COUNTRY_NAME),
    ("state", NameOID.STATE_OR_PROVINCE_NAME),
    ("locality", NameOID.LOCALITY_NAME),
    ("organization", NameOID.ORGANIZATION_NAME),
)


def generate_private_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def private_key_pem(private_key: ec.EllipticCurvePrivateKey) -> bytes:
    """PKCS#8 PEM, not encrypted: the form that peers and orderers read."""
    return private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def signing_request(
    private_key: ec.EllipticCurvePrivateKey,
    *,
    common_name: str,
    subject: Subject,
    hosts: Iterable[str],
) -> bytes:
    """PEM of a certificate signing request; `hosts` are DNS names and IP addresses."""
    names = [
        x509.NameAttribute(oid, value)
        for field, oid in _SUBJECT_FIELDS
        if (value := getattr(subject, field))
    ]
    names.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    if alternative_names := [_general_name(host) for host in hosts]:
        builder = builder.add_extension(
            x509.SubjectAlternativeName(alternative_names), critical=False
        )
    return builder.sign(private_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def common_name(certificate: bytes) -> str:
    """Common name of a PEM certificate: with Fabric CA, the enrollment id."""
    names = x509.load_pem_x509_certificate(certificate).subject.get_attributes_for_oid(
        NameOID.COMMON_NAME
    )
    return str(names[0].value) if names else ""
