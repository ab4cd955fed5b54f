"""`medfab ca renew`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._exit_codes import ExitCode, exit_code
from medfab_gateway.cli._expiry import SOON, time_left
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli._settings import IDENTITY, completion_of
from medfab_gateway.cli._times import Duration
from medfab_gateway.cli.ca._authority import ca_name_option, open_authority

if TYPE_CHECKING:
    from medfab_gateway.hsm import HsmToken
    from medfab_gateway.identity import Identity
    from medfab_gateway.wallet import Wallet


@click.command()
@click.argument("labels", metavar="[LABEL]...", nargs=-1, shell_complete=completion_of(IDENTITY))
@click.option(
    "--before",
    "within",
    type=Duration(),
    default=SOON,
    show_default="30d",
    help="Renew what expires within this time.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be renewed.")
@ca_name_option
@pass_connection
@pass_output
def renew(
    labels: tuple[str, ...],
    within: timedelta,
    dry_run: bool,
    ca_name: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Exchange certificates that expire soon for new ones, over new keys.

    Of the identities in the wallet those that expire within --before; or each
    LABEL, whenever it expires. The certificate itself proves who asks: no
    secret is needed, but one that has expired must be enrolled again.

    A certificate stays in the wallet until the new one is written. Where one
    cannot be renewed, the others are all the same; the exit code is that of the
    first failure. To be run daily: what is not due is left alone.

    \b
    Examples:
      medfab ca renew --org hospital --before 30d
      medfab ca renew --org hospital --before 90d --dry-run
      medfab ca renew dr-okafor --org hospital
    """
    failures: list[_Failure] = []
    due = _named(connection, labels) or _due(connection, within, failures)
    if dry_run or not due:
        rows = [_row(label, old) for label, old in due.items()]
    else:
        rows = _renew(connection, ca_name, due, failures)
    _report(rows, output, dry_run=dry_run)
    for label, error in failures:
        notes = "".join(f" {note}" for note in getattr(error, "__notes__", ()))
        output.error(f"{label!r} is not renewed: {str(error).rstrip('.')}.{notes}")
    if failures:
        code = exit_code(failures[0][1])
        click.get_current_context().exit(ExitCode.FAILED if code is None else code)


_Failure: TypeAlias = tuple[str, Exception]
"""Whose, and why."""


def _named(connection: Connection, labels: tuple[str, ...]) -> dict[str, Identity]:
    """What the caller names must be there."""
    wallet = connection.wallet()
    return {label: wallet.get(label).identity for label in labels}


def _due(
    connection: Connection, within: timedelta, failures: list[_Failure]
) -> dict[str, Identity]:
    """What a daily run finds due; one damaged file must not keep it from the others."""
    from medfab_gateway.errors import MedfabError

    wallet, found = connection.wallet(), {}
    for label in wallet.list():
        try:
            identity = wallet.get(label).identity
        except MedfabError as error:
            failures.append((label, error))
            continue
        if identity.valid_until - datetime.now(UTC) <= within:
            found[label] = identity
    return found


def _renew(
    connection: Connection,
    ca_name: str | None,
    due: dict[str, Identity],
    failures: list[_Failure],
) -> list[dict[str, Any]]:
    from medfab_gateway.ca import AsyncRenewal
    from medfab_gateway.errors import MedfabError

    store, token = _opened(connection, due)
    rows: list[dict[str, Any]] = []

    async def call() -> None:
        async with open_authority(connection, ca_name) as authority:
            renewal = AsyncRenewal(authority, store, token=token)
            for label, old in due.items():
                try:
                    rows.append(_row(label, old, await renewal.renew(label)))
                except MedfabError as error:
                    rows.append(_row(label, old))
                    if time_left(old.valid_until) == "expired":
                        error.add_note(
                            f"Its certificate has expired: `medfab ca enroll {label} --replace` "
                            "with its secret."
                        )
                    failures.append((label, error))

    run(call)
    return rows


def _opened(connection: Connection, due: dict[str, Identity]) -> tuple[Wallet, HsmToken | None]:
    """The wallet, with the token open where it is needed and named; without, those who need it
    fail, and say so."""
    wallet = connection.wallet()
    needed = any(wallet.get(label).private_key_pem is None for label in due)
    if not needed or connection.hsm_module is None or connection.hsm_token is None:
        return wallet, None
    from medfab_gateway.hsm import HsmWallet

    token = connection.token()
    return HsmWallet(wallet, token), token


def _row(label: str, old: Identity, new: Identity | None = None) -> dict[str, Any]:
    return {
        "label": label,
        "old_valid_until": old.valid_until.isoformat(sep=" ", timespec="minutes"),
        "valid_until": (new or old).valid_until.isoformat(sep=" ", timespec="minutes"),
        "expires": time_left((new or old).valid_until),
        "renewed": new is not None,
    }


def _report(rows: list[dict[str, Any]], output: Output, *, dry_run: bool) -> None:
    if rows or output.as_json:
        output.table(rows, columns=["label", "valid_until", "expires", "renewed"])
    else:
        output.line("No certificate in the wallet is due.")
    if dry_run and rows:
        output.line("Nothing was renewed (--dry-run).")
