"""Certificate revocation lists (CRL), RFC 5280."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from medfab_gateway.errors import MedfabError


class RevocationListError(MedfabError):
    """No CRL, or not one of the authority that was expected."""


@dataclass(frozen=True)
class RevokedCertificate:
    """One line of a CRL."""

    serial_number: int
    revoked_at: datetime
    """UTC."""


@dataclass(frozen=True)
class RevocationList:
    """A CRL that has been read.

        async with AsyncCertificateAuthority(
            url, ca_name="ca.hospital", tls_root_certificates=pem
        ) as ca:
            revocations = RevocationList(await ca.certificates.revocation_list(registrar))
        revocations.verify(ca_certificate)
        print(revocations.next_update, identity.x509.serial_number in revocations)

    Raises `RevocationListError` where it is no CRL in PEM form.
    """

    pem: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _ = self.x509  # read here, so that a wrong file is an error where it was named

    @cached_property
    def x509(self) -> x509.CertificateRevocationList:
        """The list, parsed."""
        try:
            return x509.load_pem_x509_crl(self.pem)
        except ValueError as error:
            raise RevocationListError(
                "This is no certificate revocation list in PEM form (-----BEGIN X509 CRL-----)."
            ) from error

    @property
    def issuer(self) -> str:
        """Who has issued it, such as `CN=ca.hospital,O=hospital,C=US`."""
        return self.x509.issuer.rfc4514_string()

    @property
    def authority_key_id(self) -> str:
        """The key of the authority: hexadecimal, lower case; empty where the list does not tell."""
        try:
            extension = self.x509.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
        except x509.ExtensionNotFound:
            return ""
        return (extension.value.key_identifier or b"").hex()

    @property
    def last_update(self) -> datetime:
        """When it was made, UTC."""
        return self.x509.last_update_utc

    @property
    def next_update(self) -> datetime | None:
        """By when there should be another one, UTC; Fabric's peers do not look at it."""
        return self.x509.next_update_utc

    def is_overdue(self, now: datetime | None = None) -> bool:
        """Whether there should be another one by now."""
        return self.next_update is not None and self.next_update <= (now or datetime.now(UTC))

    @cached_property
    def certificates(self) -> tuple[RevokedCertificate, ...]:
        """The revoked certificates, the earliest first."""
        found = [RevokedCertificate(c.serial_number, c.revocation_date_utc) for c in self.x509]
        return tuple(sorted(found, key=lambda each: (each.revoked_at, each.serial_number)))

    def __contains__(self, serial_number: object) -> bool:
        """Whether the certificate of that serial number is revoked."""
        return isinstance(serial_number, int) and (
            self.x509.get_revoked_certificate_by_serial_number(serial_number) is not None
        )

    def verify(self, ca_certificate: bytes) -> None:
        """Raises `RevocationListError` unless that authority (certificate, PEM) has signed it."""
        try:
            authority = x509.load_pem_x509_certificate(ca_certificate)
        except ValueError as error:
            raise RevocationListError("The authority's certificate is not in PEM form.") from error
        key = authority.public_key()
        kinds = (ec.EllipticCurvePublicKey, rsa.RSAPublicKey, ed25519.Ed25519PublicKey)
        valid = False
        if isinstance(key, kinds) and self.x509.issuer == authority.subject:
            try:
                valid = self.x509.is_signature_valid(key)
            except (InvalidSignature, TypeError, ValueError):
                valid = False
        if not valid:
            raise RevocationListError(
                f"The revocation list of {self.issuer} is not signed by "
                f"{authority.subject.rfc4514_string()}: was the CA's key renewed, or is the "
                "list of another CA?"
            )
