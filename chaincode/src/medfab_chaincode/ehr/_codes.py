"""What a refusal or a decision is called: clients branch on these, so they never change meaning."""

from enum import StrEnum


class Code(StrEnum):
    """The ``code`` of a :class:`~medfab_chaincode.ContractError` of this contract."""

    NOT_AUTHORISED = "NOT_AUTHORISED"
    NOT_REGISTERED = "NOT_REGISTERED"
    ALREADY_REGISTERED = "ALREADY_REGISTERED"
    NOT_ANNOUNCED = "NOT_ANNOUNCED"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    CONFLICT = "CONFLICT"
    DUPLICATE_CONSENT = "DUPLICATE_CONSENT"
    TOO_MANY_CONSENTS = "TOO_MANY_CONSENTS"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_REVOKED = "ALREADY_REVOKED"
    ALREADY_DONE = "ALREADY_DONE"
    NOT_PERMITTED = "NOT_PERMITTED"
    PERMIT_EXPIRED = "PERMIT_EXPIRED"
    CONSENT_REVOKED = "CONSENT_REVOKED"
    SUSPENDED = "SUSPENDED"
    NOT_A_MEMBER = "NOT_A_MEMBER"
    NO_RECORDS = "NO_RECORDS"
    DATA_UNAVAILABLE = "DATA_UNAVAILABLE"
    TOO_LARGE = "TOO_LARGE"
    STALE_KEY = "STALE_KEY"
    LEGAL_HOLD = "LEGAL_HOLD"
    ERASED = "ERASED"
    NOT_ERASED = "NOT_ERASED"
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
    ROLE_NOT_FOR_PURPOSE = "role-not-for-purpose"
    BREAK_GLASS = "break-glass"
    SUSPENDED = "suspended"
    NOT_A_MEMBER = "not-a-member"

    @property
    def permits(self) -> bool:
        """Does a decision for this reason let anything out?"""
        return self in (Reason.PERMITTED, Reason.BREAK_GLASS)

    @property
    def public(self) -> "Reason":
        """What the channel and the requester are told: not that, nor how, a patient objected."""
        return self if self in _PUBLIC else Reason.NO_CONSENT


_PUBLIC = frozenset({Reason.PERMITTED, Reason.BREAK_GLASS, Reason.SUSPENDED, Reason.NOT_A_MEMBER})


class Kind(StrEnum):
    """What a log row, and the event of its transaction, tells."""

    PATIENT_REGISTERED = "patient-registered"
    HOLDER_ANNOUNCED = "holder-announced"
    HOLDER_ACCEPTED = "holder-accepted"
    HOLDER_REJECTED = "holder-rejected"
    CONSENT_GRANTED = "consent-granted"
    CONSENT_AMENDED = "consent-amended"
    CONSENT_REVOKED = "consent-revoked"
    ACCESS_PERMITTED = "access-permitted"
    ACCESS_DENIED = "access-denied"
    GLASS_BROKEN = "glass-broken"
    REVIEW_CLOSED = "review-closed"
    REVIEW_ESCALATED = "review-escalated"
    SHARED_ONWARD = "shared-onward"
    APPOINTMENT_MADE = "appointment-made"
    APPOINTMENT_ENDED = "appointment-ended"
    TAMPER_REPORTED = "tamper-reported"
    ALERT_RESOLVED = "alert-resolved"
    HOLD_PLACED = "hold-placed"
    HOLD_RELEASED = "hold-released"
    ERASURE_REQUESTED = "erasure-requested"
    HOLDER_ERASED = "holder-erased"
    ERASURE_COMPLETED = "erasure-completed"
    CUSTODIANS_ENROLLED = "custodians-enrolled"
    RECOVERY_REQUESTED = "recovery-requested"
    RECOVERY_APPROVED = "recovery-approved"


class FilingKind(StrEnum):
    """What a receipt in a holder's own collection tells."""

    FILED = "filed"
    AMENDED = "amended"
    WITHDRAWN = "withdrawn"
    ROTATED = "rotated"
    REWRAPPED = "rewrapped"
    WRAPPED = "wrapped"
    WRAPS_DROPPED = "wraps-dropped"
    ERASED = "erased"
