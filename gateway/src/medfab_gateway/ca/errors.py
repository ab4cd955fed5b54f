"""What a Fabric CA call can fail with.

    MedfabError
    └── CertificateAuthorityError            an answer that makes no sense, or a code we do not know
        ├── AuthenticationFailedError        wrong id, secret, token, certificate; it hides which
        │   └── IdentityLockedError          after too many wrong secrets
        ├── AuthorizationFailedError         known, but not allowed to
        ├── NotFoundError                    no such identity, affiliation, certificate or CA
        ├── AlreadyExistsError               an affiliation that is there already
        │   ├── AlreadyRegisteredError       the enrollment id is taken
        │   └── AlreadyRevokedError          the certificate is revoked already
        ├── InvalidRequestError              what was asked for makes no sense to the CA
        ├── AuthorityFailedError             the CA could not do it: its database, its own key, …
        └── CertificateAuthorityUnreachableError   no answer: not connected, timed out
            └── CertificateAuthorityTlsError       connected, but not to the server we trust

Codes and advice are in `_error_codes.py`. No message contains a secret or a key.
"""

from __future__ import annotations

from medfab_gateway.errors import MedfabError

__all__ = [
    "AlreadyExistsError",
    "AlreadyRegisteredError",
    "AlreadyRevokedError",
    "AuthenticationFailedError",
    "AuthorityFailedError",
    "AuthorizationFailedError",
    "CertificateAuthorityError",
    "CertificateAuthorityTlsError",
    "CertificateAuthorityUnreachableError",
    "IdentityLockedError",
    "InvalidRequestError",
    "NotFoundError",
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


class IdentityLockedError(AuthenticationFailedError):
    """Too many wrong secrets were tried; a new secret unlocks the identity."""


class AuthorizationFailedError(CertificateAuthorityError):
    """The caller is known, but may not do this."""


class NotFoundError(CertificateAuthorityError):
    """What was named is not there, or not for this caller to see."""


class AlreadyExistsError(CertificateAuthorityError):
    """What was asked for is so already."""


class AlreadyRegisteredError(AlreadyExistsError):
    """The enrollment id is taken; its secret cannot be asked for a second time."""


class AlreadyRevokedError(AlreadyExistsError):
    """The certificate has been revoked before."""


class InvalidRequestError(CertificateAuthorityError):
    """The CA cannot do what was asked for, whoever asks."""


class AuthorityFailedError(CertificateAuthorityError):
    """Something is wrong at the CA itself; its log says what."""


class CertificateAuthorityUnreachableError(CertificateAuthorityError):
    """No answer came."""


class CertificateAuthorityTlsError(CertificateAuthorityUnreachableError):
    """The TLS handshake failed; nothing was sent."""
