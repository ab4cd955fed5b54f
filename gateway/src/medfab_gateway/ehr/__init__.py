"""Typed clients of the health-record contract (``medfab_chaincode.ehr``).

::

    from medfab_gateway.ehr import AsyncPatient, AsyncPractitioner, AsyncProvider, FilingKey

:class:`AsyncProvider` files FHIR bundles, :class:`AsyncPatient` registers, consents, revokes and
sees who asked, :class:`AsyncPractitioner` asks and reads. :func:`scan_blocks` proves that none of a
bundle's :func:`phi_values` is in a channel's blocks. Without asyncio, on a blocking contract:
:class:`Provider`, :class:`Patient`, :class:`Practitioner`. What goes where: docs/design/ehr.md.
"""

from medfab_gateway.ehr._consents.model import (
    ConsentException,
    ConsentTerms,
    ConsentType,
    Recipient,
    Rule,
)
from medfab_gateway.ehr._consents.reading import read_consent
from medfab_gateway.ehr._consents.writing import consent_json, write_consent
from medfab_gateway.ehr._documents import DocumentReference, DocumentStore
from medfab_gateway.ehr._filing_key import FilingKey
from medfab_gateway.ehr._keys.key_store import KeyStore
from medfab_gateway.ehr._keys.sealed_box import open_sealed, seal_to
from medfab_gateway.ehr._keys.shares import Share, combine_shares, split_secret
from medfab_gateway.ehr._labels import LabelPolicy, Labels
from medfab_gateway.ehr._leaks import Finding, ScanReport, scan_blocks
from medfab_gateway.ehr._patient import Patient
from medfab_gateway.ehr._patient_async import AsyncPatient
from medfab_gateway.ehr._phi import PhiValue, phi_values
from medfab_gateway.ehr._practitioner import Practitioner
from medfab_gateway.ehr._practitioner_async import AsyncPractitioner
from medfab_gateway.ehr._provider import Provider
from medfab_gateway.ehr._provider_async import AsyncProvider
from medfab_gateway.ehr._types import (
    Access,
    AccessDecision,
    Consent,
    ConsentStatus,
    ConsentVersion,
    FilingProgress,
    FilingResult,
    Purpose,
    ReadResult,
)
from medfab_gateway.ehr._validation import FhirVersion
from medfab_gateway.ehr.errors import (
    BundleError,
    ConsentError,
    DataKeyError,
    DocumentError,
    FilingKeyError,
    ShareError,
    TamperError,
)
from medfab_gateway.ehr.fhir import Bundle, Resource, example_bundle, load_bundle

__all__ = [
    "Access",
    "AccessDecision",
    "AsyncPatient",
    "AsyncPractitioner",
    "AsyncProvider",
    "Bundle",
    "BundleError",
    "Consent",
    "ConsentError",
    "ConsentException",
    "ConsentStatus",
    "ConsentTerms",
    "ConsentType",
    "ConsentVersion",
    "DataKeyError",
    "DocumentError",
    "DocumentReference",
    "DocumentStore",
    "FhirVersion",
    "FilingKey",
    "FilingKeyError",
    "FilingProgress",
    "FilingResult",
    "Finding",
    "KeyStore",
    "LabelPolicy",
    "Labels",
    "Patient",
    "PhiValue",
    "Practitioner",
    "Provider",
    "Purpose",
    "ReadResult",
    "Recipient",
    "Resource",
    "Rule",
    "ScanReport",
    "Share",
    "ShareError",
    "TamperError",
    "combine_shares",
    "consent_json",
    "example_bundle",
    "load_bundle",
    "open_sealed",
    "phi_values",
    "read_consent",
    "scan_blocks",
    "seal_to",
    "split_secret",
    "write_consent",
]
