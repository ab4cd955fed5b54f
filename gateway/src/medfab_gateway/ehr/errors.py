"""Errors of the health-record clients; refusals of the contract are ``GatewayError.chaincode``.

::

    MedfabError
    ├── BundleError        a file is not a FHIR bundle that can be filed
    └── FilingKeyError     the file with the holder's key cannot be used
"""

from __future__ import annotations

from medfab_gateway.errors import MedfabError


class BundleError(MedfabError):
    """A bundle cannot be filed; the message names entry and path, and never a value."""


class FilingKeyError(MedfabError):
    """The file with the holder's key cannot be read or made."""
