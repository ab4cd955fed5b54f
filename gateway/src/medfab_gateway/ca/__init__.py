"""Client of Fabric CA: enrollment, registration, revocation and the registry, over REST.

    from medfab_gateway.ca import AsyncCertificateAuthority

    async with AsyncCertificateAuthority(
        "https://localhost:7054", ca_name="ca-hospital", tls_root_certificates=pem
    ) as ca:
        admin = await ca.enroll("admin", secret)
        for identity in await ca.identities.list(admin.credential):
            print(identity.enrollment_id)

The same without asyncio is `CertificateAuthority`. Verified against Fabric CA 1.5.21.
"""

from medfab_gateway._certificate_attributes import certificate_attributes
from medfab_gateway.ca._affiliations import Affiliations
from medfab_gateway.ca._affiliations_async import AsyncAffiliations
from medfab_gateway.ca._certificates import Certificates
from medfab_gateway.ca._certificates_async import AsyncCertificates
from medfab_gateway.ca._client import CertificateAuthority
from medfab_gateway.ca._client_async import AsyncCertificateAuthority
from medfab_gateway.ca._csr import signing_request
from medfab_gateway.ca._identities import Identities
from medfab_gateway.ca._identities_async import AsyncIdentities
from medfab_gateway.ca._registered import Affiliation, RegisteredIdentity
from medfab_gateway.ca._renewal import Renewal
from medfab_gateway.ca._renewal_async import AsyncRenewal
from medfab_gateway.ca._renewed import KeyMaker, MadeKey
from medfab_gateway.ca._revocation import CertificateId, Revocation, RevocationReason
from medfab_gateway.ca._revocation_list import (
    RevocationList,
    RevocationListError,
    RevokedCertificate,
)
from medfab_gateway.ca._types import (
    AttributeRequest,
    CertificateAuthorityInfo,
    Credential,
    Enrollment,
    IssuedCertificate,
    KeyAlgorithm,
    Subject,
)
from medfab_gateway.ca.errors import (
    AlreadyExistsError,
    AlreadyRegisteredError,
    AlreadyRevokedError,
    AuthenticationFailedError,
    AuthorityFailedError,
    AuthorizationFailedError,
    CertificateAuthorityError,
    CertificateAuthorityTlsError,
    CertificateAuthorityUnreachableError,
    IdentityLockedError,
    InvalidRequestError,
    NotFoundError,
)

__all__ = [
    "Affiliation",
    "Affiliations",
    "AlreadyExistsError",
    "AlreadyRegisteredError",
    "AlreadyRevokedError",
    "AsyncAffiliations",
    "AsyncCertificateAuthority",
    "AsyncCertificates",
    "AsyncIdentities",
    "AsyncRenewal",
    "AttributeRequest",
    "AuthenticationFailedError",
    "AuthorityFailedError",
    "AuthorizationFailedError",
    "CertificateAuthority",
    "CertificateAuthorityError",
    "CertificateAuthorityInfo",
    "CertificateAuthorityTlsError",
    "CertificateAuthorityUnreachableError",
    "CertificateId",
    "Certificates",
    "Credential",
    "Enrollment",
    "Identities",
    "IdentityLockedError",
    "InvalidRequestError",
    "IssuedCertificate",
    "KeyAlgorithm",
    "KeyMaker",
    "MadeKey",
    "NotFoundError",
    "RegisteredIdentity",
    "Renewal",
    "Revocation",
    "RevocationList",
    "RevocationListError",
    "RevocationReason",
    "RevokedCertificate",
    "Subject",
    "certificate_attributes",
    "signing_request",
]
