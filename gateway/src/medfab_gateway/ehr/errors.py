"""Errors of the health-record clients; refusals of the contract are ``GatewayError.chaincode``.

::

    MedfabError
    ├── BundleError        a file is not a FHIR bundle that can be filed
    ├── ConsentError       a FHIR Consent is invalid, or says what cannot be enforced
    ├── FilingKeyError     the file with the holder's key cannot be used
    ├── DataKeyError       a data key is not there, is another, or opens nothing
    ├── ShareError         shares do not give back the key: too few, or changed
    ├── DocumentError      a document cannot be stored, or is not there
    ├── CertificateOfErasureError  it cannot be made, or does not prove what it says
    ├── HolderUnavailableError  no peer of the holder answers
    └── TamperError        what was read is not what was filed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medfab_gateway.errors import MedfabError

if TYPE_CHECKING:
    from medfab_gateway.ehr._types import ReadResult


class BundleError(MedfabError):
    """A bundle cannot be filed; the message names entry and path, and never a value."""


class ConsentError(MedfabError):
    """A FHIR Consent cannot be used; the message names the element, and never a value."""


class FilingKeyError(MedfabError):
    """The file with the holder's key cannot be read or made."""


class DataKeyError(MedfabError):
    """A data key is not there, is not the right one, or cannot be read."""


class ShareError(MedfabError):
    """Shares of a key do not give it back; ``numbers``: those that were changed."""

    def __init__(self, message: str, *, numbers: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.numbers = numbers


class DocumentError(MedfabError):
    """A document cannot be stored, or the store does not have it."""


class TamperError(MedfabError):
    """Bytes are not those that were filed: somebody changed them, or mixed them up."""

    kind = "record"
    """``record`` or ``document``."""
    expected: str | None = None
    """SHA-256 (hex) of what was filed, where it is known."""
    observed: str | None = None
    """SHA-256 (hex) of the bytes that are there in its place."""
    alert_id: str | None = None
    """The alert that was raised on the ledger; None: none was."""
    intact: ReadResult | None = None
    """What else was read, and is as it was filed."""


class CertificateOfErasureError(MedfabError):
    """An erasure cannot be certified, or a certificate does not prove what it says."""


class HolderUnavailableError(MedfabError):
    """No peer of the organisation that holds the records answers; they are nowhere else."""

    exit_code = 5
