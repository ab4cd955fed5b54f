"""Typed clients of the health-record contract (``medfab_chaincode.ehr``).

::

    from medfab_gateway.ehr import AsyncPatient, AsyncPractitioner, AsyncProvider, FilingKey

:class:`AsyncProvider` files FHIR bundles, :class:`AsyncPatient` registers, consents, revokes and
sees who asked, :class:`AsyncPractitioner` asks and reads, :class:`AsyncAuditor` sees the skeleton,
:class:`AsyncKeyAgent` gives keys to permits. :func:`scan_blocks` proves that none of a
bundle's :func:`phi_values` is in a channel's blocks. Without asyncio, on a blocking contract:
:class:`Provider`, :class:`Patient`, :class:`Practitioner`, :class:`Auditor`, :class:`KeyAgent`.
What goes where: docs/design/ehr.md.
"""

from medfab_gateway.ehr._audit_fhir import (
    accounting_start,
    audit_bundle,
    audit_event,
    provenance,
)
from medfab_gateway.ehr._auditor import Auditor
from medfab_gateway.ehr._auditor_async import AsyncAuditor
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
from medfab_gateway.ehr._erasure_certificate import ErasureCertifier
from medfab_gateway.ehr._erasure_certificate_async import AsyncErasureCertifier
from medfab_gateway.ehr._erasure_proof import (
    CertifiedHolder,
    VerifiedErasure,
    verify_erasure_certificate,
)
from medfab_gateway.ehr._filing_key import FilingKey
from medfab_gateway.ehr._key_agent import KeyAgent
from medfab_gateway.ehr._key_agent_async import AgentStep, AsyncKeyAgent
from medfab_gateway.ehr._keys.key_store import KeyStore
from medfab_gateway.ehr._keys.sealed_box import (
    PrivateKey,
    PublicKey,
    load_private_key,
    open_sealed,
    seal_to,
)
from medfab_gateway.ehr._keys.shares import Share, combine_shares, split_secret
from medfab_gateway.ehr._labels import LabelPolicy, Labels
from medfab_gateway.ehr._leak_files import FileFinding, FileReport, scan_files
from medfab_gateway.ehr._leaks import Finding, ScanReport, scan_blocks
from medfab_gateway.ehr._patient import Patient
from medfab_gateway.ehr._patient_async import AsyncPatient
from medfab_gateway.ehr._phi import PhiValue, phi_values
from medfab_gateway.ehr._practitioner import Practitioner
from medfab_gateway.ehr._practitioner_async import AsyncPractitioner
from medfab_gateway.ehr._provider import Provider
from medfab_gateway.ehr._provider_async import AsyncProvider
from medfab_gateway.ehr._recovery import Custodian, KeyRecovery
from medfab_gateway.ehr._recovery_async import AsyncCustodian, AsyncKeyRecovery
from medfab_gateway.ehr._recovery_custodian import RecoveryCustodian
from medfab_gateway.ehr._types import (
    Access,
    AccessDecision,
    Acting,
    Appointment,
    Consent,
    ConsentHistory,
    ConsentStatus,
    ConsentVersion,
    Counted,
    Disclosure,
    Erasure,
    Explanation,
    FiledRecord,
    Filing,
    FilingProgress,
    FilingResult,
    Holder,
    HolderErasure,
    LogRow,
    NumberedTerms,
    OnwardRecipient,
    PermittedBy,
    Purpose,
    ReadResult,
    RecordVersion,
    ReleasedRecord,
    Review,
    Sanction,
    TraceStep,
)
from medfab_gateway.ehr._validation import FhirVersion
from medfab_gateway.ehr.errors import (
    BundleError,
    CertificateOfErasureError,
    ConsentError,
    DataKeyError,
    DocumentError,
    FilingKeyError,
    HolderUnavailableError,
    ShareError,
    TamperError,
)
from medfab_gateway.ehr.fhir import Bundle, Resource, example_bundle, load_bundle, load_resource

__all__ = [
    "Access",
    "AccessDecision",
    "Acting",
    "AgentStep",
    "Appointment",
    "AsyncAuditor",
    "AsyncCustodian",
    "AsyncErasureCertifier",
    "AsyncKeyAgent",
    "AsyncKeyRecovery",
    "AsyncPatient",
    "AsyncPractitioner",
    "AsyncProvider",
    "Auditor",
    "Bundle",
    "BundleError",
    "CertificateOfErasureError",
    "CertifiedHolder",
    "Consent",
    "ConsentError",
    "ConsentException",
    "ConsentHistory",
    "ConsentStatus",
    "ConsentTerms",
    "ConsentType",
    "ConsentVersion",
    "Counted",
    "Custodian",
    "DataKeyError",
    "Disclosure",
    "DocumentError",
    "DocumentReference",
    "DocumentStore",
    "Erasure",
    "ErasureCertifier",
    "Explanation",
    "FhirVersion",
    "FileFinding",
    "FileReport",
    "FiledRecord",
    "Filing",
    "FilingKey",
    "FilingKeyError",
    "FilingProgress",
    "FilingResult",
    "Finding",
    "Holder",
    "HolderErasure",
    "HolderUnavailableError",
    "KeyAgent",
    "KeyRecovery",
    "KeyStore",
    "LabelPolicy",
    "Labels",
    "LogRow",
    "NumberedTerms",
    "OnwardRecipient",
    "Patient",
    "PermittedBy",
    "PhiValue",
    "Practitioner",
    "PrivateKey",
    "Provider",
    "PublicKey",
    "Purpose",
    "ReadResult",
    "Recipient",
    "RecordVersion",
    "RecoveryCustodian",
    "ReleasedRecord",
    "Resource",
    "Review",
    "Rule",
    "Sanction",
    "ScanReport",
    "Share",
    "ShareError",
    "TamperError",
    "TraceStep",
    "VerifiedErasure",
    "accounting_start",
    "audit_bundle",
    "audit_event",
    "combine_shares",
    "consent_json",
    "example_bundle",
    "load_bundle",
    "load_private_key",
    "load_resource",
    "open_sealed",
    "phi_values",
    "provenance",
    "read_consent",
    "scan_blocks",
    "scan_files",
    "seal_to",
    "split_secret",
    "verify_erasure_certificate",
    "write_consent",
]
