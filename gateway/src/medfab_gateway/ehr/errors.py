"""Errors of the health-record clients; refusals of the contract are ``GatewayError.chaincode``.

::

    MedfabError
    ├── BundleError        a file is not a FHIR bundle that can be filed
    ├── ConsentError       a FHIR Consent is invalid, or says what cannot be enforced
    ├── FilingKeyError     the file with the holder's key cannot be used
    ├── DataKeyError       a data key is not there, is another, or opens nothing
    ├── ShareError         shares do not give back the key: too few, or changed
    ├── DocumentError      a document cannot be stored, or is not there
    └── TamperError        what was read is not what was filed
"""

from __future__ import annotations

from medfab_gateway.errors import MedfabError


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
