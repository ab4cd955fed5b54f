"""What the exit codes of `medfab` mean, and which error gives which."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """Exit codes of `medfab`; 2 (usage) and 130 (interrupted) are set by the shell's custom."""

    FAILED = 1
    USAGE = 2
    REFUSED = 3
    NOT_FOUND = 4
    UNREACHABLE = 5
    CONFLICT = 6


def exit_code(error: BaseException) -> int | None:
    """The code for an error that is ours to explain; None for a defect, which keeps its trace."""
    from medfab_gateway.errors import (
        CommitError,
        ConnectionFailedError,
        GatewayError,
        IdentityNotFoundError,
        MedfabError,
        RequestLimitError,
    )

    named = getattr(error, "exit_code", None)
    if isinstance(named, int):
        return named
    match error:
        case IdentityNotFoundError():
            return ExitCode.NOT_FOUND
        case ConnectionFailedError() | RequestLimitError():
            return ExitCode.UNREACHABLE
        case CommitError(code="MVCC_READ_CONFLICT" | "PHANTOM_READ_CONFLICT"):
            return ExitCode.CONFLICT
        case GatewayError():
            return _of_gateway(error)
        case MedfabError():
            return ExitCode.FAILED
    return None


def _of_gateway(error: object) -> int:
    import grpc

    chaincode = getattr(error, "chaincode", None)
    if chaincode is not None:
        if chaincode.code == "CONFLICT":
            return ExitCode.CONFLICT
        return ExitCode.REFUSED if 400 <= chaincode.status < 500 else ExitCode.FAILED
    code = getattr(error, "code", None)
    if code in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED):
        return ExitCode.REFUSED
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        return ExitCode.UNREACHABLE
    if code is grpc.StatusCode.NOT_FOUND:
        return ExitCode.NOT_FOUND
    return ExitCode.FAILED
