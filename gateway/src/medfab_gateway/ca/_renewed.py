"""What a renewed certificate takes over from the old one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from medfab_gateway._certificate_attributes import certificate_attributes
from medfab_gateway.ca._csr import SUBJECT_FIELDS
from medfab_gateway.ca._types import AttributeRequest, KeyAlgorithm, Subject

_TLS = "tls"


class MadeKey(Protocol):
    """A key whose private part stays where it is: an `HsmSigner`."""

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey: ...

    @property
    def key_id(self) -> bytes: ...

    def __call__(self, digest: bytes) -> bytes: ...


class KeyMaker(Protocol):
    """Where keys are made that do not leave it: an `HsmToken`."""

    def generate_key(self) -> MadeKey: ...

    def destroy_key(self, key_id: bytes) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The arguments of a re-enrollment."""

    subject: Subject
    hosts: tuple[str, ...]
    profile: str
    attribute_requests: tuple[AttributeRequest, ...]
    key: KeyAlgorithm


def terms_of(certificate: x509.Certificate) -> Terms:
    """Those under which the certificate would be issued again."""
    fields = {}
    for field, oid in SUBJECT_FIELDS:
        if names := certificate.subject.get_attributes_for_oid(oid):
            fields[field] = str(names[0].value)
    public_key = certificate.public_key()
    is_p384 = isinstance(public_key, ec.EllipticCurvePublicKey) and public_key.key_size == 384
    return Terms(
        subject=Subject(**fields),
        hosts=_hosts(certificate),
        profile=_TLS if _is_for_tls(certificate) else "",
        # Optional: an attribute that was taken away meanwhile is no reason not to renew.
        attribute_requests=tuple(
            AttributeRequest(name=name, optional=True)
            for name in certificate_attributes(certificate)
        ),
        key=KeyAlgorithm.P384 if is_p384 else KeyAlgorithm.P256,
    )


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = (str(each) for each in names.get_values_for_type(x509.IPAddress))
    return (*names.get_values_for_type(x509.DNSName), *addresses)


def _is_for_tls(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.SERVER_AUTH in usage or ExtendedKeyUsageOID.CLIENT_AUTH in usage
