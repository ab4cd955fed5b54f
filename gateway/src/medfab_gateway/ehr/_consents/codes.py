"""The code systems and codes that a consent can be enforced with, and whose they are.

IHE Privacy Consent on FHIR (PCF): purposes (Basic), data periods and meanings (Intermediate),
sensitivity and confidentiality labels (Advanced).
"""

from __future__ import annotations

ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
CONSENT_ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
CONSENT_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
RESOURCE_TYPES = ("http://hl7.org/fhir/resource-types", "http://hl7.org/fhir/fhir-types")
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
LOINC = "http://loinc.org"

MSP = "urn:medfab:msp"
"""Identifier of an organisation: its MSP id."""
ROLE = "urn:medfab:role"
"""Identifier of the people of a role: ``<MSP id>/<role>``; any organisation's: ``/<role>``."""
PRACTITIONER = "urn:medfab:practitioner"
"""Identifier of a practitioner: ``<MSP id>/<practitioner id>``."""
RECIPIENT_ROLE_LIMIT = "urn:medfab:fhir:recipient-role"
"""Extension of a reference to a practitioner: only while having this role."""
REDISCLOSURE = "urn:medfab:fhir:redisclosure"
"""Extension of a Consent: may recipients pass on what they received?"""
PATIENT = "urn:medfab:patient"
"""Identifier of a patient: the pseudonym."""

RECIPIENT_ROLE = "IRCP"
"""Information recipient: the only part that an actor of a provision can have."""

CONFIDENTIALITY_CODES = frozenset({"U", "L", "M", "N", "R", "V"})
SENSITIVITY_CODES = frozenset({"ETH", "ETHUD", "OPIOIDUD", "PSY", "SDV", "HIV"})
PURPOSE_CODES = frozenset(
    {"TREAT", "ETREAT", "BTG", "HPAYMT", "HOPERAT", "HRESCH", "CLINTRCH", "PUBHLTH", "PATRQT"}
)
READING_ACTIONS = frozenset({"access", "disclose", "use"})
