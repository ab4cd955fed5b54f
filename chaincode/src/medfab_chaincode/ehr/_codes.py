"""What a refusal or a decision is called: clients branch on these, so they never change meaning."""

from enum import StrEnum


class Code(StrEnum):
    """The ``code`` of a :class:`~medfab_chaincode.ContractError` of this contract."""

    NOT_AUTHORISED = "NOT_AUTHORISED"
    NOT_REGISTERED = "NOT_REGISTERED"
    ALREADY_REGISTERED = "ALREADY_REGISTERED"
    CONFLICT = "CONFLICT"
    DUPLICATE_CONSENT = "DUPLICATE_CONSENT"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_REVOKED = "ALREADY_REVOKED"
    NOT_PERMITTED = "NOT_PERMITTED"
    PERMIT_EXPIRED = "PERMIT_EXPIRED"
    CONSENT_REVOKED = "CONSENT_REVOKED"
    NO_RECORDS = "NO_RECORDS"
    DATA_UNAVAILABLE = "DATA_UNAVAILABLE"
    TOO_LARGE = "TOO_LARGE"
    INVALID_ARGUMENT = "INVALID_ARGUMENT"


class Reason(StrEnum):
    """Why a request was decided as it was; exact ones are for the patient alone."""

    PERMITTED = "permitted"
    NO_CONSENT = "no-consent"
    CONSENT_REVOKED = "consent-revoked"
    CONSENT_NOT_STARTED = "consent-not-started"
    CONSENT_EXPIRED = "consent-expired"
    PURPOSE_NOT_PERMITTED = "purpose-not-permitted"
    PORTION_NOT_PERMITTED = "portion-not-permitted"
    DENIED_BY_PATIENT = "denied-by-patient"

    @property
    def public(self) -> "Reason":
        """What the channel and the requester are told: not that, nor how, a patient objected."""
        return self if self is Reason.PERMITTED else Reason.NO_CONSENT
