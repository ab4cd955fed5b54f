"""What each purpose of use asks for: who may name it, what it needs, and what it obliges to."""

from dataclasses import dataclass

from ._consent_model import Purpose

_PRACTITIONER, _PATIENT, _REPRESENTATIVE = "practitioner", "patient", "representative"
EMERGENCY = "emergency"
"""The function that may break the glass."""


@dataclass(frozen=True, kw_only=True)
class PurposeRule:
    """One row of the table in docs/design/ehr.md."""

    roles: frozenset[str]
    """Who may request access for it."""
    needs_basis: bool = False
    """A protocol or legal basis must be named."""
    obligations: tuple[str, ...] = ()
    """HL7 v3 obligation codes."""
    accountable: bool = False
    """45 CFR 164.528: belongs into an accounting of disclosures."""


PURPOSES = {
    Purpose.TREATMENT: PurposeRule(roles=frozenset({_PRACTITIONER})),
    Purpose.EMERGENCY_TREATMENT: PurposeRule(roles=frozenset({_PRACTITIONER})),
    # Nobody asks for it: the glass is broken by its own function, with a reason and a review.
    Purpose.BREAK_GLASS: PurposeRule(roles=frozenset(), accountable=True),
    Purpose.PAYMENT: PurposeRule(
        roles=frozenset({_PRACTITIONER, "claims"}), obligations=("MINEC",)
    ),
    Purpose.OPERATIONS: PurposeRule(roles=frozenset({_PRACTITIONER}), obligations=("MINEC",)),
    Purpose.RESEARCH: PurposeRule(
        roles=frozenset({_PRACTITIONER, "researcher"}),
        needs_basis=True,
        obligations=("DEID", "MINEC", "NOREUSE"),
    ),
    Purpose.CLINICAL_TRIAL: PurposeRule(
        roles=frozenset({_PRACTITIONER, "researcher"}),
        needs_basis=True,
        obligations=("MINEC", "NOREUSE"),
    ),
    Purpose.PUBLIC_HEALTH: PurposeRule(
        roles=frozenset({"public-health"}),
        needs_basis=True,
        obligations=("MINEC",),
        accountable=True,
    ),
    Purpose.PATIENT_REQUEST: PurposeRule(roles=frozenset({_PATIENT, _REPRESENTATIVE})),
}

NO_REDISCLOSURE = "NORDSLCD"
"""Not to be passed on without consent; always so for 42 CFR Part 2 records."""
