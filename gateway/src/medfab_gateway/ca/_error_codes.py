"""The error codes of Fabric CA 1.5 (`lib/caerrors`): which error each is, and what to do.

Many codes are for the server's log alone: it tells clients 20 instead of why authentication failed,
and 71 instead of why authorization did. They are here all the same, for servers that say more.
"""

from __future__ import annotations

from medfab_gateway.ca.errors import (
    AlreadyExistsError,
    AlreadyRegisteredError,
    AlreadyRevokedError,
    AuthenticationFailedError,
    AuthorityFailedError,
    AuthorizationFailedError,
    CertificateAuthorityError,
    IdentityLockedError,
    InvalidRequestError,
    NotFoundError,
)

_ErrorType = type[CertificateAuthorityError]

_SEE_LOG = "The CA's own log says more (medfab network logs ca.ORG); repeat it once that is mended"
_DATABASE = "The CA cannot work with its database; look at its log, and repeat it then"
_WHO = (
    "The CA tells only its own log why. Enrolling: the id is unknown, the secret is wrong, or its "
    "enrollments are used up. Otherwise: the certificate is not of this CA, has expired or is "
    "revoked, or the private key does not belong to it"
)
_EXPIRED = (
    "Enroll the identity again with its secret; where that is lost, a registrar sets a new one"
)
_MAY_NOT = (
    "The CA tells only its own log why. The caller needs the attribute for what it does "
    "(hf.Registrar.Roles and hf.Registrar.Attributes to register and to see identities, "
    "hf.Revoker, hf.GenCRL, hf.AffiliationMgr), and an affiliation equal to or above the other's, "
    "which must exist; removing an affiliation needs cfg.affiliations.allowremove at the server, "
    "and where identities have it cfg.identities.allowremove and force"
)
_AFFILIATION = "List the affiliations there are; add a parent first, or use force"
_REPEATED = "This client sends it right: is something between us and the CA, or another version?"
_REGISTERED = "Enroll with the secret of the first registration, or choose another id"

CODES: dict[int, tuple[_ErrorType, str]] = {
    0: (AuthorityFailedError, _SEE_LOG),
    1: (InvalidRequestError, "Is the server older than Fabric CA 1.4? It does not know the call"),
    2: (AuthenticationFailedError, _REPEATED),
    3: (AuthorityFailedError, "The request was cut off on its way: repeat it"),
    4: (InvalidRequestError, _REPEATED),
    5: (InvalidRequestError, _REPEATED),
    6: (AuthenticationFailedError, _WHO),
    7: (AuthorizationFailedError, "The caller needs the attribute hf.Revoker=true"),
    8: (NotFoundError, "List the certificates: serial number and authority key id must both fit"),
    9: (InvalidRequestError, "The certificate belongs to another identity: leave the id out"),
    10: (NotFoundError, "List the identities there are; ids are case-sensitive"),
    11: (NotFoundError, "List the identities there are; ids are case-sensitive"),
    12: (AuthorityFailedError, _DATABASE),
    13: (AuthorityFailedError, _DATABASE),
    14: (AuthorityFailedError, _DATABASE),
    15: (InvalidRequestError, "Name an identity, or a serial number with its authority key id"),
    16: (NotFoundError, _AFFILIATION),
    17: (
        AuthorizationFailedError,
        "The caller's affiliation must be equal to or above the other's",
    ),
    18: (AuthorityFailedError, _SEE_LOG),
    19: (NotFoundError, "Check the CA name: an empty one asks for the server's default CA"),
    20: (AuthenticationFailedError, _WHO),
    21: (AuthenticationFailedError, _REPEATED),
    22: (
        AuthenticationFailedError,
        "The server allows no enrollment: registry.maxenrollments is 0",
    ),
    23: (AuthenticationFailedError, _WHO),
    24: (AuthenticationFailedError, _WHO),
    25: (AuthenticationFailedError, _WHO),
    26: (AuthenticationFailedError, "The certificate is of another CA: check URL and CA name"),
    27: (AuthenticationFailedError, _EXPIRED),
    28: (AuthenticationFailedError, "The certificate is revoked: use another identity"),
    29: (AuthenticationFailedError, _SEE_LOG),
    30: (
        AuthenticationFailedError,
        "The CA has no record of the certificate: was its database lost?",
    ),
    31: (InvalidRequestError, "The certificate request must be PKCS#10 in PEM form"),
    32: (AuthorityFailedError, _SEE_LOG),
    33: (AuthenticationFailedError, _WHO),
    34: (AuthorityFailedError, "A setting of the server is wrong; its log names it"),
    35: (AuthorizationFailedError, "The caller needs the attribute hf.GenCRL=true"),
    36: (InvalidRequestError, "revoked_after must not be later than revoked_before"),
    37: (InvalidRequestError, "expire_after must not be later than expire_before"),
    38: (AuthorityFailedError, _DATABASE),
    39: (AuthorityFailedError, "The CA cannot read its own certificate (ca.certfile)"),
    40: (AuthorityFailedError, "The CA cannot use its own key (ca.keyfile, bccsp)"),
    41: (AuthorityFailedError, _SEE_LOG),
    42: (
        AuthorizationFailedError,
        "hf.Registrar.Attributes of the caller must cover the attribute",
    ),
    43: (AuthorizationFailedError, "The caller needs the attribute hf.Registrar.Attributes"),
    44: (
        AuthorizationFailedError,
        "The caller's affiliation must be equal to or above the other's",
    ),
    45: (AuthorizationFailedError, "hf.Registrar.Roles of the caller must name the type"),
    46: (
        AuthorityFailedError,
        "The CA's certificate lacks the key usage 'crl sign'; it must be renewed",
    ),
    47: (
        AuthorityFailedError,
        "The server is older than its database: install the newer one again",
    ),
    48: (
        AuthorityFailedError,
        "The server is older than its configuration: install the newer one again",
    ),
    49: (AuthorityFailedError, _DATABASE),
    50: (AuthorityFailedError, _SEE_LOG),
    51: (AuthorityFailedError, _DATABASE),
    52: (InvalidRequestError, "An identity needs an id"),
    53: (AuthorizationFailedError, _MAY_NOT),
    54: (AuthorizationFailedError, "hf.Registrar.Roles of the caller must name the type"),
    55: (
        AuthorizationFailedError,
        "The caller's affiliation must be equal to or above the other's",
    ),
    56: (
        AuthorizationFailedError,
        "Removing needs cfg.identities.allowremove at the server, and oneself force; to lock an "
        "identity out, revoke it",
    ),
    57: (InvalidRequestError, _REPEATED),
    58: (InvalidRequestError, _AFFILIATION),
    59: (AuthorizationFailedError, "The attribute of the caller is there, but false"),
    60: (AlreadyExistsError, "List the affiliations there are"),
    61: (AuthorizationFailedError, _MAY_NOT),
    62: (AuthorityFailedError, _DATABASE),
    63: (
        NotFoundError,
        "List what is there: names are case-sensitive; an affiliation needs its parent, or force",
    ),
    64: (InvalidRequestError, "Identities have the affiliation: use force to change theirs too"),
    65: (AuthorityFailedError, _DATABASE),
    66: (AlreadyRevokedError, "Nothing is left to do, but for the CRL: make it and send it around"),
    67: (InvalidRequestError, "A time is not RFC 3339, or two filters contradict each other"),
    68: (AuthorityFailedError, "A variable FABRIC_CA_SERVER_MAX_…_PER_CHUNK is no number"),
    69: (AuthorityFailedError, "The CA has no certificate yet (ca.certfile)"),
    70: (AuthorizationFailedError, "The identity is revoked: use another"),
    71: (AuthorizationFailedError, _MAY_NOT),
    72: (AuthorizationFailedError, "The identities are in LDAP: change them there"),
    73: (IdentityLockedError, "A registrar unlocks it by setting a new secret (identity modify)"),
    74: (AlreadyRegisteredError, _REGISTERED),
    75: (AuthorityFailedError, _SEE_LOG),
    76: (AuthorizationFailedError, _MAY_NOT),
    77: (InvalidRequestError, "The common name of the request must be the enrollment id"),
    78: (AuthorizationFailedError, "The caller lacks the attribute that the message names"),
    79: (InvalidRequestError, "The attribute of the caller must be true or false"),
    80: (InvalidRequestError, "A field of the subject is too long: 64 characters, 2 of a country"),
    81: (AuthorityFailedError, _SEE_LOG),
    82: (
        InvalidRequestError,
        "The CA's own limit (registry.maxenrollments) is the highest that can be asked for",
    ),
}

# One code, several meanings: the HTTP status tells them apart.
_BY_STATUS: dict[tuple[int, int], tuple[_ErrorType, str]] = {
    (16, 500): (AuthorityFailedError, _DATABASE),
    (16, 409): (AuthorityFailedError, _DATABASE),
    (52, 500): (AuthorityFailedError, _DATABASE),
    (56, 400): (InvalidRequestError, "An identity needs an id"),
    (56, 500): (AuthorityFailedError, _DATABASE),
    (60, 400): (InvalidRequestError, _AFFILIATION),
    (60, 500): (AuthorityFailedError, _DATABASE),
    (61, 400): (InvalidRequestError, _REPEATED),
    (67, 500): (AuthorityFailedError, _DATABASE),
}

# Where the server has no code for it (0), only its words are left.
_BY_WORDS: dict[str, tuple[_ErrorType, str]] = {
    "required attributes are missing": (
        InvalidRequestError,
        "Have them registered for the identity first, or ask for them as optional",
    ),
    "Invalid profile": (InvalidRequestError, "Ask the CA's operator for its signing.profiles"),
    # Of two registrations at the same moment both look first whether the id is free.
    "UNIQUE constraint failed: users.id": (AlreadyRegisteredError, _REGISTERED),
    "cannot be used to sign": (
        InvalidRequestError,
        "Ask the CA's operator for its signing.profiles",
    ),
}


def refused(
    summary: str, *, url: str, code: int, message: str, status: int
) -> CertificateAuthorityError:
    """The typed error for an error envelope of the server."""
    error_type, advice = _BY_STATUS.get((code, status)) or CODES.get(
        code, (CertificateAuthorityError, "Fabric CA 1.5 has no such code: is it another version?")
    )
    if code == 0:
        for words, meaning in _BY_WORDS.items():
            if words in message:
                error_type, advice = meaning
    return error_type(summary, url=url, code=code, message=message, status=status, advice=advice)
