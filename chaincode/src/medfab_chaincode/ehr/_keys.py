"""Names of collections and composite keys; every key of the contract is made here.

The form is Fabric's own: U+0000, then the object type and each attribute, each ended by U+0000.
"""

from enum import StrEnum

CONSENTS_COLLECTION = "consents"
"""Consent terms and access details; its members are the custodians, set at deployment."""


class ObjectType(StrEnum):
    """First part of a key."""

    PATIENT = "patient"
    CONSENT = "consent"
    ACCESS = "access"
    FOLDER = "folder"
    FILING = "filing"
    RECORD = "record"


def implicit_collection(msp_id: str) -> str:
    """The collection that Fabric gives each organisation, endorsed by that organisation alone."""
    return f"_implicit_org_{msp_id}"
