"""What the exit codes of `medfab` mean, and which error gives which."""

from __future__ import annotations

import enum
import re
from typing import ClassVar

import click


class ExitCode(enum.IntEnum):
    """Exit codes of `medfab`; what each means is in `MEANINGS`."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    NOT_FOUND = 4
    UNREACHABLE = 5
    CONFLICT = 6
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "failed; `network status`: not every node is healthy",
    ExitCode.USAGE: "wrong usage, or an input file that cannot be used",
    ExitCode.REFUSED: "refused by a contract, a peer or a certificate authority",
    ExitCode.NOT_FOUND: "not found: network, organisation, identity, channel, function, …",
    ExitCode.UNREACHABLE: "unreachable, or no answer in time",
    ExitCode.CONFLICT: "conflict: with what is on the ledger, another transaction, command, …",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C, SIGTERM, SIGHUP)",
}
"""In `medfab --help` and docs/cli.md."""


class RefusedError(click.ClickException):
    """What was asked for is refused before anybody is asked; the message says what to do."""

    exit_code: ClassVar[int] = ExitCode.REFUSED


class NotFoundError(click.ClickException):
    """What was named is not there; the message says what is."""

    exit_code: ClassVar[int] = ExitCode.NOT_FOUND


class ConflictError(click.ClickException):
    """What was asked for would overwrite something."""

    exit_code: ClassVar[int] = ExitCode.CONFLICT


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
        case MedfabError() if type(error).__module__.startswith("medfab_gateway.ca."):
            return _of_certificate_authority(error)
        case MedfabError() if type(error).__module__.startswith("medfab_gateway.admin."):
            from medfab_gateway.cli._exit_codes_admin import admin_exit_code

            return admin_exit_code(error)
        case MedfabError() | OSError():
            return ExitCode.FAILED
    return None


# What Fabric's gateway says (internal/pkg/gateway) where the name of a channel, chaincode or
# organisation leads nowhere; its gRPC code is that of a passing failure.
_NOWHERE = re.compile(
    r"failed to get config for channel|no peers available to evaluate chaincode|"
    r"No metadata was found for chaincode|failed to find any endorsing peers for org"
)


# A peer's access control, and its filters (core/handlers/auth/filter): without a code of their own.
_DENIED = re.compile(r"access denied|identity expired")


def _of_gateway(error: object) -> ExitCode:
    import grpc

    chaincode = getattr(error, "chaincode", None)
    if chaincode is not None:
        if chaincode.status == 404:
            return ExitCode.NOT_FOUND
        if chaincode.status == 409:  # who asks may do it, but not in the state that the ledger has
            return ExitCode.CONFLICT
        return ExitCode.REFUSED if 400 <= chaincode.status < 500 else ExitCode.FAILED
    if _NOWHERE.search(str(error)):
        return ExitCode.NOT_FOUND
    if _DENIED.search(str(error)):
        return ExitCode.REFUSED
    code = getattr(error, "code", None)
    if code in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED):
        return ExitCode.REFUSED
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        return ExitCode.UNREACHABLE
    if code is grpc.StatusCode.NOT_FOUND:
        return ExitCode.NOT_FOUND
    return ExitCode.FAILED


def _of_certificate_authority(error: BaseException) -> ExitCode:
    from medfab_gateway.ca import (
        AlreadyExistsError,
        AuthenticationFailedError,
        AuthorizationFailedError,
        CertificateAuthorityUnreachableError,
        InvalidRequestError,
        RevocationListError,
    )
    from medfab_gateway.ca import NotFoundError as NotFoundAtAuthorityError

    match error:
        case AuthenticationFailedError() | AuthorizationFailedError():
            return ExitCode.REFUSED
        case NotFoundAtAuthorityError():
            return ExitCode.NOT_FOUND
        case AlreadyExistsError():
            return ExitCode.CONFLICT
        case InvalidRequestError() | RevocationListError():
            return ExitCode.USAGE
        case CertificateAuthorityUnreachableError():
            return ExitCode.UNREACHABLE
    return ExitCode.FAILED
