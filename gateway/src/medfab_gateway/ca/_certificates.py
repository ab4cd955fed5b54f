# Made by scripts/make_sync.py from _certificates_async.py: change that, and run it.
"""The certificates that a CA has issued."""

from __future__ import annotations

from datetime import UTC, datetime

from medfab_gateway.ca._rest import RestClient
from medfab_gateway.ca._revocation import CertificateId, Revocation, RevocationReason
from medfab_gateway.ca._types import Credential


class Certificates:
    """The certificates of one CA: `ca.certificates`.

        with CertificateAuthority(
            url, ca_name="ca.hospital", tls_root_certificates=pem
        ) as ca:
            soon = datetime.now(UTC) + timedelta(days=30)
            pems = ca.certificates.list(registrar, expire_before=soon, revoked=False)

    The caller (`Credential`) needs `hf.Registrar.Roles` or `hf.Revoker`.
    """

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    def list(
        self,
        caller: Credential,
        *,
        enrollment_id: str | None = None,
        serial_number: int | None = None,
        authority_key_id: str | None = None,
        expired: bool | None = None,
        revoked: bool | None = None,
        expire_after: datetime | None = None,
        expire_before: datetime | None = None,
        revoked_after: datetime | None = None,
        revoked_before: datetime | None = None,
    ) -> tuple[bytes, ...]:
        """Those of identities that the caller may see and that all filters fit, PEM.

        Args:
            caller: Who asks.
            enrollment_id: Whose.
            serial_number: With exactly this number.
            authority_key_id: Issued with this key of the CA, hexadecimal.
            expired: False: none that has expired; True: only those.
            revoked: False: none that is revoked; True: only those.
            expire_after: Not before this time. A time without a zone is UTC.
            expire_before: Before this time.
            revoked_after: Revoked at this time or later.
            revoked_before: Revoked before this time.

        Raises:
            InvalidRequestError: Filters that contradict each other.
        """
        parameters: dict[str, str] = {}
        if enrollment_id is not None:
            parameters["id"] = enrollment_id
        if serial_number is not None:
            parameters["serial"] = format(serial_number, "x")
        if authority_key_id is not None:
            parameters["aki"] = authority_key_id
        if expired is False:
            parameters["notexpired"] = "true"
        elif expired and expire_before is None:
            expire_before = datetime.now(UTC)
        if revoked is False:
            parameters["notrevoked"] = "true"
        elif revoked and revoked_after is None:
            revoked_after = datetime(1970, 1, 1, tzinfo=UTC)
        for name, time in (
            ("expired_start", expire_after),
            ("expired_end", expire_before),
            ("revoked_start", revoked_after),
            ("revoked_end", revoked_before),
        ):
            if time is not None:
                parameters[name] = rfc3339(time)
        result = self._rest.get(
            "certificates", "Cannot list certificates", credential=caller, parameters=parameters
        )
        return tuple(part.text("PEM").encode() for part in result.parts("certs"))

    def revoke(
        self,
        caller: Credential,
        certificate: CertificateId,
        *,
        reason: RevocationReason = RevocationReason.UNSPECIFIED,
        with_list: bool = False,
    ) -> Revocation:
        """Revoke one certificate; its identity may go on with others, and enrol again.

        Arguments are those of `ca.identities.revoke`; `CertificateId.of(pem)` names a certificate.

        Raises:
            NotFoundError: The CA has not issued it.
            AlreadyRevokedError: It was revoked before.
        """
        result = self._rest.post(
            "revoke",
            f"Cannot revoke certificate {certificate.serial_text}",
            {
                "serial": certificate.serial_text,
                "aki": certificate.authority_key_id,
                "reason": reason.value,
                "gencrl": with_list,
            },
            credential=caller,
        )
        return Revocation.parse(result, url=self._rest.url)

    def revocation_list(
        self,
        caller: Credential,
        *,
        revoked_after: datetime | None = None,
        revoked_before: datetime | None = None,
        expire_after: datetime | None = None,
        expire_before: datetime | None = None,
    ) -> bytes:
        """Let the CA make a CRL, PEM, with all its revoked certificates or some; see
        `RevocationList`.

        The caller needs `hf.GenCRL`. For a channel use no filter: a certificate that is missing in
        the list is accepted again. A time without a zone is UTC.

        Raises:
            InvalidRequestError: Times in the wrong order.
        """
        times = {
            "revokedafter": revoked_after,
            "revokedbefore": revoked_before,
            "expireafter": expire_after,
            "expirebefore": expire_before,
        }
        result = self._rest.post(
            "gencrl",
            "Cannot make a revocation list",
            {name: rfc3339(time) for name, time in times.items() if time is not None},
            credential=caller,
        )
        return result.decoded("CRL")


def rfc3339(time: datetime) -> str:
    """A time as the server reads it, to the second; without a zone it is UTC."""
    zoned = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return zoned.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
