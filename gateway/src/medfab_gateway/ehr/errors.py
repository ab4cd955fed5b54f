"""Errors of the health-record clients; refusals of the contract are ``GatewayError.chaincode``.

::

    MedfabError
    ├── BundleError        a file is not a FHIR bundle that can be filed
    ├── ConsentError       a FHIR Consent is invalid, or says what cannot be enforced
    ├── FilingKeyError     the file with the holder's key cannot be used
    ├── KeyError_          see the subclasses
    └── …
"""

from __future__ import annotations

from medfab_gateway.errors import MedfabError


class BundleError(MedfabError):
    """A bundle cannot be filed; the message names entry and path, and never a value."""


class ConsentError(MedfabError):
    """A FHIR Consent cannot be used; the message names the element, and never a value."""


class FilingKeyError(MedfabError):
    """The file with the holder's key cannot be read or made."""
