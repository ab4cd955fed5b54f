"""Who calls: taken from the certificate, never from an argument."""

import hashlib
from dataclasses import dataclass

from medfab_chaincode import Context, ContractError

from ._codes import Code
from ._decision import Requester
from ._model import check_patient

_ROLE = "medfab.role"
_PRACTITIONER = "medfab.practitioner"
_PATIENT = "medfab.patient"


@dataclass(frozen=True, kw_only=True)
class PatientCaller:
    """A patient; which MSP may speak for the pseudonym is the registration's to say."""

    msp_id: str
    pseudonym: str


def require_patient(context: Context) -> PatientCaller:
    """Read the patient from the certificate; refuse anybody else."""
    pseudonym = _require(context, role="patient", attribute=_PATIENT)
    return PatientCaller(msp_id=context.client_identity.msp_id, pseudonym=check_patient(pseudonym))


def require_practitioner(context: Context) -> Requester:
    """Read the practitioner from the certificate; refuse anybody else."""
    practitioner = _require(context, role="practitioner", attribute=_PRACTITIONER)
    return Requester(msp_id=context.client_identity.msp_id, practitioner=practitioner)


def client_digest(context: Context) -> str:
    """SHA-256 (hex) of the client's id: tells clients apart without naming them."""
    return hashlib.sha256(context.client_identity.id.encode()).hexdigest()


def _require(context: Context, *, role: str, attribute: str) -> str:
    identity = context.client_identity
    value = identity.attribute(attribute)
    if identity.attribute(_ROLE) != role or not value:
        raise ContractError(
            f"only a {role} may call this: enrol with the certificate attributes "
            f"{_ROLE}={role} and {attribute}",
            code=Code.NOT_AUTHORISED,
            status=403,
        )
    return value
