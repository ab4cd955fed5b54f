"""Why orderers refuse a configuration update, in words that say what to do. Pure.

Their own words are from fabric `common/configtx/update.go` and `orderer/common/msgprocessor`.
"""

from __future__ import annotations

import re
from typing import Any

from fabric_protos.common import common_pb2

from medfab_gateway.admin._config_changes import UpdateState
from medfab_gateway.admin._config_update_request import ConfigUpdateRequest
from medfab_gateway.admin.errors import (
    ConfigUpdateError,
    OrdererError,
    UpdateConflictError,
    UpdateNotSignedError,
)

_NOT_SATISFIED = re.compile(r"policy for \[(?P<element>[^\]]+)\]\s+(?P<path>\S+) not satisfied")
_COUNTED = re.compile(
    r"(?P<have>\d+) sub-policies were satisfied, but this policy requires (?P<need>\d+) of the "
    r"'(?P<name>\w+)' sub-policies"
)


def refusal(request: ConfigUpdateRequest, error: OrdererError) -> ConfigUpdateError | None:
    """What to raise for an orderer's answer; None where another orderer may take it."""
    if error.status in (None, common_pb2.SERVICE_UNAVAILABLE, common_pb2.NOT_FOUND):
        return None
    words = error.message
    facts: dict[str, Any] = {"address": error.address, "message": words, "status": error.status}
    summary = f"The update of {request.channel_name} was refused, and nothing has changed"
    if "not satisfied" in words:
        cause = _missing(request, words)
        return UpdateNotSignedError(summary, cause=cause, advice=_SIGN, **facts)
    if re.search(r"to be at version|was not in the current config|readset|ReadSet", words):
        cause = "the configuration has changed since the update was made"
        return UpdateConflictError(summary, cause=cause, advice=_COMPUTE_AGAIN, **facts)
    return ConfigUpdateError(summary, **facts)


def overtaken_error(request: ConfigUpdateRequest, address: str) -> UpdateConflictError:
    """For an update that does not fit the configuration any more; it was not sent."""
    return UpdateConflictError(
        f"The update of {request.channel_name} was not submitted",
        address=address,
        message="the configuration has changed since the update was made",
        status=None,
        advice=_COMPUTE_AGAIN,
    )


def not_in_force_error(
    request: ConfigUpdateRequest, address: str, state: UpdateState
) -> ConfigUpdateError:
    """For an update that an orderer took, and that the peer does not have."""
    if state is UpdateState.OVERTAKEN:
        return UpdateConflictError(
            f"The update of {request.channel_name} was overtaken by another",
            address=address,
            message="both were submitted at the same time",
            status=None,
            advice="See with `medfab channel config` what is in force, and compute it again",
        )
    return ConfigUpdateError(
        f"The update of {request.channel_name} was taken by the orderers",
        address=address,
        message="the peer has not got its block in time",
        status=None,
        advice="See with `medfab channel config` whether it is in force; submitting it again "
        "does no harm",
    )


def no_orderer_error(request: ConfigUpdateRequest, address: str) -> ConfigUpdateError:
    """For a configuration that names no orderer."""
    return ConfigUpdateError(
        f"The update of {request.channel_name} was not submitted",
        address=address,
        message="the configuration names no orderer",
        status=None,
    )


_COMPUTE_AGAIN = "Make it again from the configuration in force, and have it signed again"
_SIGN = "Let more administrators sign it (`medfab channel update sign`)"


def _missing(request: ConfigUpdateRequest, words: str) -> str:
    """Which signatures an update lacks, from an orderer's words."""
    signed = ", ".join(sorted({each.msp_id for each in request.signers})) or "nobody"
    place, count = _NOT_SATISFIED.search(words), _COUNTED.search(words)
    if place is None:
        return f"it is signed by {signed}, which is not enough ({words})"
    path = place["path"]
    if count is None:
        return f"{path} asks for an administrator's signature that it has not; signed by {signed}"
    whose = (
        "organisations with orderers" if path.startswith("/Channel/Orderer") else "organisations"
    )
    return (
        f"{path} asks for the {count['name']} of {count['need']} {whose} and has {count['have']}; "
        f"it is signed by {signed}"
    )
