"""Who calls: taken from the certificate, never from an argument."""

import hashlib
from dataclasses import dataclass

from medfab_chaincode import Attribute, Context

from ._decision import Requester
from ._model import check_patient

_ROLE = "medfab.role"
_PRACTITIONER = "medfab.practitioner"
_PATIENT = "medfab.patient"

PATIENTS = (Attribute(_ROLE, "patient"), Attribute(_PATIENT))
"""Access to what patients do for themselves."""

PRACTITIONERS = (Attribute(_ROLE, "practitioner"), Attribute(_PRACTITIONER))
"""Access to what practitioners do."""


@dataclass(frozen=True, kw_only=True)
class PatientCaller:
    """A patient; which MSP may speak for the pseudonym is the registration's to say."""

    msp_id: str
    pseudonym: str


def calling_patient(context: Context) -> PatientCaller:
    """Read the patient from the certificate, in a function that is open to `PATIENTS` alone."""
    identity = context.client_identity
    pseudonym = check_patient(identity.attributes[_PATIENT])
    return PatientCaller(msp_id=identity.msp_id, pseudonym=pseudonym)


def calling_practitioner(context: Context) -> Requester:
    """Read the practitioner from the certificate, in a function open to `PRACTITIONERS` alone."""
    identity = context.client_identity
    return Requester(msp_id=identity.msp_id, practitioner=identity.attributes[_PRACTITIONER])


def client_digest(context: Context) -> str:
    """SHA-256 (hex) of the client's id: tells clients apart without naming them."""
    return hashlib.sha256(context.client_identity.id.encode()).hexdigest()
