"""`medfab ca crl`: certificate revocation lists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._group import Group
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli.ca._authority import ask, ca_name_option, credential, registrar_option

if TYPE_CHECKING:
    from medfab_gateway.ca import AsyncCertificateAuthority, RevocationList


@click.group(cls=Group)
def crl() -> None:
    """Revocation lists: make them, and read them.

    Peers learn of a revocation from the list in their channel's configuration.

    \b
    Examples:
      medfab ca crl make --org hospital --file hospital.crl
      medfab ca crl show hospital.crl
    """


@crl.command()
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write it; default: standard output.",
)
@registrar_option
@ca_name_option
@pass_connection
@pass_output
def make(
    file: Path | None,
    registrar: str,
    ca_name: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Let the CA make a list of all certificates that it has revoked, PEM.

    \b
    Example:
      medfab ca crl make --org hospital --file hospital.crl
    """
    from medfab_gateway.ca import RevocationList

    caller = credential(connection, registrar)

    async def call(authority: AsyncCertificateAuthority) -> bytes:
        return await authority.certificates.revocation_list(caller)

    made = RevocationList(ask(connection, ca_name, call))
    if file is not None:
        write_list(file, made.pem)
        output.line(f"Wrote {file}: {_count(made)}.")
    if output.as_json:
        output.json(_summary(made) | {"file": None if file is None else str(file)})
    elif file is None:
        click.echo(made.pem.decode("ascii").strip())


@crl.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--ca-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Check that this CA (certificate, PEM) has signed it.",
)
@pass_output
def show(file: Path, ca_file: Path | None, output: Output) -> None:
    """Show what is in the list in FILE. Needs no network.

    \b
    Examples:
      medfab ca crl show hospital.crl
      medfab ca crl show hospital.crl --ca-file ca.pem --json
    """
    from medfab_gateway.ca import RevocationList

    revocations = RevocationList(file.read_bytes())
    if ca_file is not None:
        revocations.verify(ca_file.read_bytes())
    output.details(_summary(revocations))


def write_list(file: Path, pem: bytes) -> None:
    """Whole or not at all, and for everybody to read: a list is public."""
    from medfab_gateway._files import write_private_file

    write_private_file(file, pem)
    file.chmod(0o644)


def _count(revocations: RevocationList) -> str:
    count = len(revocations.certificates)
    return f"{count} revoked certificate{'' if count == 1 else 's'}"


def _summary(revocations: RevocationList) -> dict[str, Any]:
    until = revocations.next_update
    return {
        "issuer": revocations.issuer,
        "authority_key_id": revocations.authority_key_id,
        "made": revocations.last_update.isoformat(sep=" "),
        "next_update": None if until is None else until.isoformat(sep=" "),
        "overdue": revocations.is_overdue(),
        "revoked": [format(each.serial_number, "x") for each in revocations.certificates],
    }
