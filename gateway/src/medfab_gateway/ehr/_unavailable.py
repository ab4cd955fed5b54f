"""When no peer of the holder answers: what Fabric says, in words that say what to do."""

from __future__ import annotations

import re

import grpc

from medfab_gateway.ehr.errors import HolderUnavailableError
from medfab_gateway.errors import GatewayError

# Fabric's gateway (internal/pkg/gateway), where discovery has no live peer of an organisation.
_NOBODY = re.compile(
    r"no peers available to evaluate chaincode|failed to find any endorsing peers for org"
)
_DOWN = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})


def unavailable_holder(error: GatewayError, holder: str | None) -> HolderUnavailableError | None:
    """The error to raise in place of ``error``; None where it is about something else."""
    if holder is None or error.chaincode is not None:
        return None
    of_holder = [detail for detail in error.details if detail.msp_id == holder]
    failed_there = bool(of_holder) and error.code in {*_DOWN, grpc.StatusCode.ABORTED}
    if not (_NOBODY.search(str(error)) or failed_there):
        return None
    return HolderUnavailableError(
        f"no peer of {holder} answers, and the records are nowhere else: ask again when it is up; "
        "a permit stays good until it expires, and nothing was lost"
    )
