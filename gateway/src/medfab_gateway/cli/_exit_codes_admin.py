"""Exit codes for the errors of administration."""

from __future__ import annotations

import re

from fabric_protos.common import common_pb2

from medfab_gateway.admin.errors import (
    CollectionError,
    ConfigError,
    ConfigUpdateError,
    DefinitionError,
    DiscoveryError,
    OrdererAdminError,
    OrdererError,
    PackageError,
    PeerAdminError,
    PolicyError,
    UpdateConflictError,
    UpdateNotSignedError,
)
from medfab_gateway.errors import MedfabError

USAGE, REFUSED, NOT_FOUND, UNREACHABLE, CONFLICT, FAILED = 2, 3, 4, 5, 6, 1

# Fabric has no statuses for these: core/ledger, core/scc/qscc and core/chaincode/lifecycle.
_NOT_FOUND = re.compile(
    r"not found|no such|does not exist|Invalid chain ID|could not find|channel .* not joined|"
    r"entry not found",
    re.IGNORECASE,
)
_DENIED = re.compile(r"access denied|ACL check|denied", re.IGNORECASE)


def admin_exit_code(error: MedfabError) -> int:
    """The code for an error of `medfab_gateway.admin`."""
    match error:
        case PolicyError() | CollectionError() | PackageError() | DefinitionError() | ConfigError():
            return USAGE
        case UpdateConflictError():
            return CONFLICT
        case UpdateNotSignedError():
            return REFUSED
        case ConfigUpdateError():
            return UNREACHABLE if error.status is None else REFUSED
        case OrdererError():
            return _ORDERER.get(error.status or 0, FAILED)
        case OrdererAdminError(status=None):
            return UNREACHABLE
        case OrdererAdminError():
            return {401: REFUSED, 403: REFUSED, 404: NOT_FOUND}.get(error.status or 0, FAILED)
        case PeerAdminError() | DiscoveryError():
            if _DENIED.search(error.message):
                return REFUSED
            return NOT_FOUND if _NOT_FOUND.search(error.message) else FAILED
    return FAILED


_ORDERER = {
    common_pb2.FORBIDDEN: REFUSED,
    common_pb2.BAD_REQUEST: REFUSED,
    common_pb2.NOT_FOUND: NOT_FOUND,
    common_pb2.SERVICE_UNAVAILABLE: UNREACHABLE,
}
