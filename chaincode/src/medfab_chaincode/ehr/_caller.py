"""Who calls: taken from the certificate, never from an argument."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from medfab_chaincode import AccessDeniedError, Attribute, Context

from ._checks import check_patient, check_person
from ._record_model import Filer
from ._rules import Requester

_ROLE = "medfab.role"
_PRACTITIONER = "medfab.practitioner"
_PATIENT = "medfab.patient"
_REPRESENTATIVE = "medfab.representative"
_FUNCTIONS = "medfab.functions"

PATIENT, REPRESENTATIVE, PRACTITIONER = "patient", "representative", "practitioner"
CLAIMS, RESEARCHER, PUBLIC_HEALTH = "claims", "researcher", "public-health"
KEY_AGENT, REGISTRAR, ADMINISTRATOR = "key-agent", "registrar", "administrator"
PRIVACY_OFFICER, AUDITOR = "privacy-officer", "auditor"

ROLES = (
    PATIENT, REPRESENTATIVE, PRACTITIONER, CLAIMS, RESEARCHER, PUBLIC_HEALTH, KEY_AGENT,
    REGISTRAR, PRIVACY_OFFICER, AUDITOR, ADMINISTRATOR,
)  # fmt: skip

_SUBJECTS = {PATIENT: _PATIENT, REPRESENTATIVE: _REPRESENTATIVE}
"""The attribute that says who somebody is; of all other roles: the practitioner's."""


def _only(*roles: str) -> tuple[Attribute, ...]:
    return (Attribute(_ROLE, *roles),)


ONLY_PATIENTS = (Attribute(_ROLE, PATIENT), Attribute(_PATIENT))
"""Access to what nobody does in a patient's place."""

PATIENTS = _only(PATIENT, REPRESENTATIVE)
"""Access to what patients do, or who acts for them."""

PRACTITIONERS = (Attribute(_ROLE, PRACTITIONER), Attribute(_PRACTITIONER))
"""Access to what practitioners do."""

REQUESTERS = (
    Attribute(_ROLE, PRACTITIONER, CLAIMS, RESEARCHER, PUBLIC_HEALTH),
    Attribute(_PRACTITIONER),
)
"""Access to what whoever may ask for records does."""

READERS = _only(PATIENT, REPRESENTATIVE, PRACTITIONER, CLAIMS, RESEARCHER, PUBLIC_HEALTH)
"""Access to what needs a permit."""

KEEPERS = (Attribute(_ROLE, PRACTITIONER, KEY_AGENT), Attribute(_PRACTITIONER))
"""Access to what holders of records do with data keys."""

REGISTRARS = _only(REGISTRAR)
APPOINTERS = _only(PATIENT, REPRESENTATIVE, REGISTRAR)
AUDITORS = _only(PRIVACY_OFFICER, AUDITOR)
SKELETON = _only(PATIENT, REPRESENTATIVE, PRIVACY_OFFICER, AUDITOR)
ADMINISTRATORS = _only(ADMINISTRATOR)
OVERSEERS = _only(PRIVACY_OFFICER, AUDITOR, ADMINISTRATOR)
CUSTODIANS = (
    Attribute(_ROLE, PRACTITIONER, PRIVACY_OFFICER, AUDITOR, REGISTRAR),
    Attribute(_PRACTITIONER),
)
"""Access to what custodians of recovery shares do."""
ANYBODY = _only(*ROLES)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The client, as the certificate says."""

    msp_id: str
    role: str
    subject: str
    """Who it is: pseudonym of a patient, id of a representative or practitioner; may be empty."""
    functions: frozenset[str]
    client: str
    """SHA-256 (hex) of the client's id: tells clients apart without naming them."""

    @property
    def requester(self) -> Requester:
        """The caller as consents name recipients."""
        return Requester(
            msp_id=self.msp_id,
            practitioner=self.subject,
            role=self.role,
            functions=self.functions,
        )

    @property
    def filer(self) -> Filer:
        """The caller as a record names who filed it."""
        return Filer(msp_id=self.msp_id, practitioner=self.subject)


def caller_of(context: Context) -> Caller:
    """Read the certificate, in a function whose rules have looked at the role."""
    identity = context.client_identity
    role = identity.attributes.get(_ROLE, "")
    subject = identity.attributes.get(_SUBJECTS.get(role, _PRACTITIONER), "")
    if role == PATIENT:
        check_patient(subject)
    elif subject:
        check_person(subject, "the certificate's person")
    elif role == REPRESENTATIVE:
        raise AccessDeniedError(
            f"only representatives with attribute {_REPRESENTATIVE} may call this function"
        )
    return Caller(
        msp_id=identity.msp_id,
        role=role,
        subject=subject,
        functions=frozenset(_listed(identity.attributes.get(_FUNCTIONS, ""))),
        client=hashlib.sha256(identity.id.encode()).hexdigest(),
    )


def _listed(text: str) -> Sequence[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
