"""Client of Fabric CA: enrollment, registration and re-enrollment over its REST interface.

    from medfab_gateway.ca import AsyncCertificateAuthority

    async with AsyncCertificateAuthority(
        "https://localhost:7054", ca_name="ca-hospital", tls_root_certificates=pem
    ) as ca:
        admin = await ca.enroll("admin", secret)

Verified against Fabric CA 1.5.21.
"""

from medfab_gateway.ca._client import AsyncCertificateAuthority
from medfab_gateway.ca._csr import signing_request
from medfab_gateway.ca._types import (
    AttributeRequest,
    CertificateAuthorityInfo,
    Credential,
    Enrollment,
    IssuedCertificate,
    Subject,
)
from medfab_gateway.ca.errors import (
    AlreadyRegisteredError,
    AuthenticationFailedError,
    AuthorizationFailedError,
    CertificateAuthorityError,
    CertificateAuthorityTlsError,
    CertificateAuthorityUnreachableError,
)

__all__ = [
    "AlreadyRegisteredError",
    "AsyncCertificateAuthority",
    "AttributeRequest",
    "AuthenticationFailedError",
    "AuthorizationFailedError",
    "CertificateAuthorityError",
    "CertificateAuthorityInfo",
    "CertificateAuthorityTlsError",
    "CertificateAuthorityUnreachableError",
    "Credential",
    "Enrollment",
    "IssuedCertificate",
    "Subject",
    "signing_request",
]
