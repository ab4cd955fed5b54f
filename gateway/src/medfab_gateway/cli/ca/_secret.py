"""Enrolment secrets: from files, the environment or a prompt; never from an option."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import click

VARIABLE = "MEDFAB_SECRET"

secret_file_type = click.Path(path_type=Path, dir_okay=False)


def given_secret(file: Path | None) -> str | None:
    """The secret of the file, else of the environment; None where there is neither."""
    if file is None:
        return os.environ.get(VARIABLE) or None
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise click.BadParameter(
            f"{file} cannot be read: {reason}", param_hint="--secret-file"
        ) from None
    if not text.strip():
        raise click.BadParameter(f"{file} is empty", param_hint="--secret-file")
    return text.strip()


def make_secret_file(file: Path | None) -> Path | None:
    """Make the file with a new secret if it does not exist; returns it if it was made."""
    if file is None or str(file) == "-":
        return None
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return None
    except OSError as error:
        raise click.BadParameter(
            f"{file} cannot be made: {error.strerror}", param_hint="--secret-file"
        ) from error
    with os.fdopen(handle, "w") as stream:
        stream.write(secrets.token_urlsafe(24) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    return file


def ask_secret(enrollment_id: str) -> str:
    """What somebody types, unseen."""
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"There is no secret, and nobody to ask: give --secret-file, or set {VARIABLE}."
        )
    answer: str = click.prompt(f"Secret of {enrollment_id}", hide_input=True, err=True)
    return answer


def outcome_is_open(error: BaseException) -> bool:
    """Whether the CA may have done what was asked for all the same."""
    from medfab_gateway.ca import CertificateAuthorityTlsError, CertificateAuthorityUnreachableError

    return isinstance(error, CertificateAuthorityUnreachableError) and not isinstance(
        error, CertificateAuthorityTlsError
    )
