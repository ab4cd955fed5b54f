"""Names of collections and composite keys; every key of the contract is made here.

The form is Fabric's own: U+0000, then the object type and each attribute, each ended by U+0000.
"""

from enum import StrEnum

CONSENTS_COLLECTION = "consents"
"""Consent terms, access details, notes; its members are the custodians, set at deployment."""


class ObjectType(StrEnum):
    """First part of a key; what has the same one in public and in private is one thing."""

    PATIENT = "patient"
    HOLDER = "holder"
    APPOINTMENT = "appointment"
    CONSENT = "consent"
    CONSENT_ENDED = "consent-ended"
    """Public pointers that no decision reads any more."""
    CONSENT_VERSION = "consent-version"
    ACCESS = "access"
    LOG = "log"
    LOG_AFTER = "log-after"
    """What happens after an erasure, so that its certificate's digest stays true."""
    NOTE = "note"
    """Private: the reasons and texts that belong to public pointers."""
    ALERT = "alert"
    REVIEW = "review"
    """By due time, so that overdue ones are the beginning of one range."""
    REVIEW_ESCALATED = "review-escalated"
    HOLD = "hold"
    ERASURE = "erasure"
    SHARE = "share"
    RECOVERY = "recovery"
    RECOVERY_APPROVAL = "recovery-approval"
    EXCHANGE = "exchange"
    MEMBER = "member"
    PROPOSAL = "proposal"
    SANCTION = "sanction"
    CASE = "case"
    # In the holder's own collection:
    FOLDER = "folder"
    FILING = "filing"
    RECORD = "record"
    RECORD_VERSION = "record-version"
    DATA_KEY = "key"
    WRAP = "wrap"


def implicit_collection(msp_id: str) -> str:
    """The collection that Fabric gives each organisation, endorsed by that organisation alone."""
    return f"_implicit_org_{msp_id}"


def time_part(milliseconds: int) -> str:
    """Make a part of a key that sorts as the time does."""
    return f"{milliseconds:015d}"


_YEAR_MILLISECONDS = 31_556_952_000


def year_of(milliseconds: int) -> int:
    """Make a number that is one for each year: the log is read by it."""
    return milliseconds // _YEAR_MILLISECONDS


def log_parts(milliseconds: int) -> tuple[str, str]:
    """Parts of a log row's key: a year, so that a period is few ranges, and the time."""
    return f"{year_of(milliseconds):04d}", time_part(milliseconds)


def number_part(number: int) -> str:
    """Make a part of a key that sorts as the number does."""
    return f"{number:06d}"
