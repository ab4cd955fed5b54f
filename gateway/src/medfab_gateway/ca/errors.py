"""What a Fabric CA call can fail with.

    MedfabError
    └── CertificateAuthorityError            the server refused, or answered nonsense
        ├── AuthenticationFailedError        code 20: wrong id, secret or token; the CA hides which
        ├── AuthorizationFailedError         code 71 or 76: known, but not allowed to
        ├── AlreadyRegisteredError           code 74
        └── CertificateAuthorityUnreachableError   no answer: not connected, timed out
            └── CertificateAuthorityTlsError       connected, but not to the server we trust

Codes are those of Fabric CA v1.5 (`lib/caerrors`). No message contains a secret or a key.
"""

from __future__ import annotations

from medfab_gateway.errors import MedfabError

__all__ = [
    "AlreadyRegisteredError",
    "AuthenticationFailedError",
    "AuthorizationFailedError",
    "CertificateAuthorityError",
    "CertificateAuthorityTlsError",
    "CertificateAuthorityUnreachableError",
]


class CertificateAuthorityError(MedfabError):
    """A call to a Fabric CA failed."""

    def __init__(
        self,
        summary: str,
        *,
        url: str,
        code: int | None = None,
        message: str = "",
        status: int | None = None,
        advice: str = "",
    ) -> None:
        self.url = url
        """Base URL of the certificate authority."""
        self.code = code
        """Fabric CA's error code; None when no answer of that form came."""
        self.message = message
        """The server's own words, secrets removed."""
        self.status = status
        """HTTP status code; None when no answer came."""
        said = f": {message} (code {code}, HTTP {status})" if status is not None else ""
        super().__init__(f"{summary} at {url}{said}" + (f". {advice}" if advice else ""))


class AuthenticationFailedError(CertificateAuthorityError):
    """The CA does not believe who is calling."""


class AuthorizationFailedError(CertificateAuthorityError):
    """The caller is known, but may not do this."""


class AlreadyRegisteredError(CertificateAuthorityError):
    """The enrollment id is taken; its secret cannot be asked for a second time."""


class CertificateAuthorityUnreachableError(CertificateAuthorityError):
    """No answer came."""


class CertificateAuthorityTlsError(CertificateAuthorityUnreachableError):
    """The TLS handshake failed; nothing was sent."""


_ERROR_TYPES: dict[int, type[CertificateAuthorityError]] = {
    20: AuthenticationFailedError,
    71: AuthorizationFailedError,
    74: AlreadyRegisteredError,
    76: AuthorizationFailedError,
}

_ADVICE = {
    19: "Check the CA name: an empty one asks for the server's default CA",
    20: (
        "The CA tells only its own log why. Enrolling: the id is unknown, the secret is wrong, or "
        "its enrollments are used up. Otherwise: the certificate is not of this CA, has expired "
        "or is revoked, or the private key does not belong to it"
    ),
    71: (
        "The CA tells only its own log why. The caller needs the hf.Registrar.* attributes for "
        "the type, the affiliation and each attribute it registers, and the affiliation must exist"
    ),
    73: "The identity is locked after too many wrong secrets; an admin must modify or remove it",
    74: "Enroll with the secret of the first registration, or choose another id",
    77: "The common name of the request must be the enrollment id",
    82: "The CA's own limit (registry.maxenrollments) is the highest that can be asked for",
}
# A registration that is refused, whatever the rule, is code 71 from outside.
_ADVICE[76] = _ADVICE[71]


def refused(
    summary: str, *, url: str, code: int, message: str, status: int
) -> CertificateAuthorityError:
    """The typed error for an error envelope of the server."""
    error_type = _ERROR_TYPES.get(code, CertificateAuthorityError)
    return error_type(
        summary, url=url, code=code, message=message, status=status, advice=_ADVICE.get(code, "")
    )
