"""What revoking takes and gives."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from cryptography import x509

from medfab_gateway.ca._result import Result
from medfab_gateway.ca.errors import CertificateAuthorityError


class RevocationReason(enum.StrEnum):
    """Why; RFC 5280, section 5.3.1, in the words of Fabric CA. The CA keeps it in its database;
    its CRLs do not tell it.
    """

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keycompromise"
    CA_COMPROMISE = "cacompromise"
    AFFILIATION_CHANGED = "affiliationchanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationofoperation"
    CERTIFICATE_HOLD = "certificatehold"
    REMOVE_FROM_CRL = "removefromcrl"
    PRIVILEGE_WITHDRAWN = "privilegewithdrawn"
    AA_COMPROMISE = "aacompromise"


@dataclass(frozen=True, kw_only=True)
class CertificateId:
    """What names a certificate for a CA."""

    serial_number: int
    authority_key_id: str
    """Of the CA that issued it: hexadecimal, lower case, without leading zeros."""

    @classmethod
    def of(cls, certificate: bytes) -> CertificateId:
        """That of a PEM certificate. Raises `ValueError` for one that no Fabric CA has issued."""
        parsed = x509.load_pem_x509_certificate(certificate)
        try:
            extension = parsed.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
        except x509.ExtensionNotFound as error:
            raise ValueError("The certificate does not tell the key of its authority") from error
        key_id = extension.value.key_identifier or b""
        return cls(serial_number=parsed.serial_number, authority_key_id=key_id.hex().lstrip("0"))

    @property
    def serial_text(self) -> str:
        """Hexadecimal, as the tools of Fabric CA print it."""
        return format(self.serial_number, "x")

    @classmethod
    def parse(cls, result: Result, *, url: str) -> CertificateId:
        try:
            return cls(
                serial_number=int(result.text("Serial"), 16), authority_key_id=result.text("AKI")
            )
        except ValueError as error:
            raise CertificateAuthorityError(
                "The server named a serial number that is none", url=url
            ) from error


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """What a revocation has done."""

    certificates: tuple[CertificateId, ...]
    """Those that are revoked now and were not before; none where the identity had no others."""
    revocation_list: bytes | None
    """The CRL, PEM, if it was asked for and a certificate was revoked."""

    @classmethod
    def parse(cls, result: Result, *, url: str) -> Revocation:
        revoked = [CertificateId.parse(part, url=url) for part in result.parts("RevokedCerts")]
        return cls(
            certificates=tuple(revoked),
            revocation_list=result.decoded("CRL") if result.optional_text("CRL") else None,
        )
