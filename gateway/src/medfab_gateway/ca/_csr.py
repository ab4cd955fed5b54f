"""Private keys, and certificate signing requests.

A request is put together here (PKCS#10, RFC 2986), because the builder of `cryptography` signs
with keys in memory only, and a signer of ours may have its key in a token.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from medfab_gateway.ca._types import KeyAlgorithm, Subject
from medfab_gateway.identity import Signer

SUBJECT_FIELDS = (
    ("country", NameOID.COUNTRY_NAME),
    ("state", NameOID.STATE_OR_PROVINCE_NAME),
    ("locality", NameOID.LOCALITY_NAME),
    ("organization", NameOID.ORGANIZATION_NAME),
    ("serial_number", NameOID.SERIAL_NUMBER),
)


_CURVES: dict[KeyAlgorithm, ec.EllipticCurve] = {
    KeyAlgorithm.P256: ec.SECP256R1(),
    KeyAlgorithm.P384: ec.SECP384R1(),
}


def generate_private_key(
    algorithm: KeyAlgorithm = KeyAlgorithm.P256,
) -> ec.EllipticCurvePrivateKey:
    """A fresh key."""
    return ec.generate_private_key(_CURVES[algorithm])


def private_key_pem(private_key: ec.EllipticCurvePrivateKey) -> bytes:
    """PKCS#8 PEM, not encrypted: the form that peers and orderers read."""
    return private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def signing_request(
    public_key: ec.EllipticCurvePublicKey,
    signer: Signer,
    *,
    common_name: str,
    subject: Subject | None = None,
    hosts: Iterable[str] = (),
) -> bytes:
    """A certificate signing request, PEM, for a key that only its signer has to have.

    common_name: the enrollment id. subject: further fields; None for none. hosts: DNS names and
    IP addresses that the certificate is for. Raises `ValueError` for what no certificate can hold.
    """
    subject = subject or Subject()
    names = [
        x509.NameAttribute(oid, value)
        for field, oid in SUBJECT_FIELDS
        if (value := getattr(subject, field))
    ]
    names.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    extensions = b""
    if alternative_names := [_general_name(host) for host in hosts]:
        value = x509.SubjectAlternativeName(alternative_names).public_bytes()
        extension = _der(_SEQUENCE, _SUBJECT_ALTERNATIVE_NAME, _der(_OCTET_STRING, value))
        requested = _der(_SET, _der(_SEQUENCE, extension))
        extensions = _der(_SEQUENCE, _EXTENSION_REQUEST, requested)
    information = _der(
        _SEQUENCE,
        _VERSION_1,
        x509.Name(names).public_bytes(),
        public_key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        _der(_ATTRIBUTES, extensions),
    )
    signature = signer(hashlib.sha256(information).digest())
    request = _der(
        _SEQUENCE,
        information,
        _der(_SEQUENCE, _ECDSA_WITH_SHA256),
        _der(_BIT_STRING, b"\0", signature),
    )
    parsed = x509.load_der_x509_csr(request)
    return parsed.public_bytes(serialization.Encoding.PEM)


# Tags, and whole elements that never change.
_BIT_STRING, _OCTET_STRING, _SEQUENCE, _SET, _ATTRIBUTES = 0x03, 0x04, 0x30, 0x31, 0xA0
_VERSION_1 = bytes.fromhex("020100")
_EXTENSION_REQUEST = bytes.fromhex("06092a864886f70d01090e")  # 1.2.840.113549.1.9.14
_SUBJECT_ALTERNATIVE_NAME = bytes.fromhex("0603551d11")  # 2.5.29.17
_ECDSA_WITH_SHA256 = bytes.fromhex("06082a8648ce3d040302")  # 1.2.840.10045.4.3.2


def _der(tag: int, *parts: bytes) -> bytes:
    """An element of ASN.1 with those parts."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


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
