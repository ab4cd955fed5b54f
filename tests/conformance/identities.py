"""Clients of the hospital with names of every kind, signed by its certificate authority's key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import (
    Name,
    NameAttribute,
    ObjectIdentifier,
    RelativeDistinguishedName,
)
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from conformance.consortium import HOSPITAL
from medfab_gateway import Identity
from medfab_gateway.identity import load_private_key

_C, _ST, _L = NameOID.COUNTRY_NAME, NameOID.STATE_OR_PROVINCE_NAME, NameOID.LOCALITY_NAME
_O, _OU, _CN = NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.COMMON_NAME
_STREET, _POSTAL, _SERIAL = NameOID.STREET_ADDRESS, NameOID.POSTAL_CODE, NameOID.SERIAL_NUMBER
_Part = tuple[ObjectIdentifier, str] | tuple[ObjectIdentifier, str, _ASN1Type]

_CLIENT: _Part = (_OU, "client")
"""What makes it a client to the MSP, beside whatever else is in the name."""


def _name(*parts: _Part | list[_Part]) -> Name:
    """One relative name for each part; several parts in a list are one with several values."""
    return Name(
        RelativeDistinguishedName(
            _attribute(*one) for one in (part if isinstance(part, list) else [part])
        )
        for part in parts
    )


def _attribute(
    oid: ObjectIdentifier, value: str, kind: _ASN1Type | None = None
) -> NameAttribute[str]:
    """kind: None: UTF-8, but for a country and a serial number, as Fabric CA writes them."""
    return NameAttribute(oid, value, _type=kind)


IDENTITIES: Mapping[str, Name] = {
    "plain": _name(_CLIENT, (_CN, "plain")),
    "all attributes": _name(
        (_C, "DE"),
        (_ST, "Berlin"),
        (_L, "Mitte"),
        (_STREET, "Charitéplatz 1"),
        (_POSTAL, "10117"),
        (_O, "Hospital"),
        _CLIENT,
        (_CN, "all"),
        (_SERIAL, "0815"),
    ),
    "in another order": _name((_CN, "order"), _CLIENT, (_O, "Hospital"), (_C, "DE")),
    "several of a type": _name(
        (_O, "Hospital"), (_O, "Clinic"), _CLIENT, (_OU, "ward 7"), (_OU, "night"), (_CN, "several")
    ),
    "several values in one part": _name(
        [(_O, "Hospital"), (_O, "Clinic"), (_L, "Mitte")], [_CLIENT, (_CN, "values")]
    ),
    "two common names": _name(_CLIENT, (_CN, "first"), (_CN, "second")),
    "signs that are escaped": _name(_CLIENT, (_CN, 'a,b+c"d\\e<f>g;h=i/j')),
    "spaces and a hash": _name(_CLIENT, (_O, "# one "), (_CN, " two  ")),
    "signs that cannot be seen": _name(_CLIENT, (_O, "a\nb\tc"), (_CN, "d\x7fe\u200bf")),
    "not ASCII": _name(_CLIENT, (_O, "Klinik Süd"), (_CN, "Žofie Nováková 医院 🩺")),
    "other encodings": _name(
        _CLIENT, (_O, "Süd", _ASN1Type.BMPString), (_CN, "ascii", _ASN1Type.IA5String)
    ),
    "a type that Go leaves out": _name(
        _CLIENT, (NameOID.EMAIL_ADDRESS, "a@b.example"), (NameOID.TITLE, "Dr"), (_CN, "others")
    ),
    "a domain component": _name((NameOID.DOMAIN_COMPONENT, "example"), _CLIENT, (_CN, "domain")),
    "attributes": _name(_CLIENT, (_CN, "attributes")),
}

ATTRIBUTES = {
    "attributes": {"medfab.role": "practitioner", "ünïcode": "ä / 🩺", "empty": "", "hf.Type": "x"}
}
_ATTRIBUTE_OID = ObjectIdentifier("1.2.3.4.5.6.7.8.1")


def issue(ca: Path, name: str) -> tuple[Identity, ec.EllipticCurvePrivateKey]:
    """An identity of the table, with its key. `ca`: the folder of the CA server."""
    issuer = x509.load_pem_x509_certificate((ca / "ca-cert.pem").read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(IDENTITIES[name])
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Not before the authority's own certificate: the peer checks the chain as of that moment.
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()),  # type: ignore[arg-type]
            critical=False,
        )
    )
    if name in ATTRIBUTES:
        value = json.dumps({"attrs": ATTRIBUTES[name]}, ensure_ascii=False).encode()
        builder = builder.add_extension(
            x509.UnrecognizedExtension(_ATTRIBUTE_OID, value), critical=False
        )
    certificate = builder.sign(_key_of(ca, issuer), hashes.SHA256())
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return Identity(HOSPITAL, pem), key


def _key_of(ca: Path, certificate: x509.Certificate) -> ec.EllipticCurvePrivateKey:
    """The private key of the authority: the one in the server's key store that fits."""
    for path in (ca / "msp" / "keystore").iterdir():
        if path.name.endswith("_sk"):
            key = load_private_key(path.read_bytes())
            if isinstance(key, ec.EllipticCurvePrivateKey) and (
                key.public_key() == certificate.public_key()
            ):
                return key
    raise AssertionError(f"{ca} has no key of its certificate")
