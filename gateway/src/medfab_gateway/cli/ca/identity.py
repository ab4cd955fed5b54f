"""`medfab ca identity`: whom a CA knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._confirm import confirm, yes_option
from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._group import Group
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli.ca._authority import (
    ask,
    attribute_options,
    attribute_pairs,
    ca_name_option,
    credential,
    registrar_option,
)
from medfab_gateway.cli.ca._secret import given_secret, secret_file_type

if TYPE_CHECKING:
    from medfab_gateway.ca import AsyncCertificateAuthority, RegisteredIdentity


@click.group(cls=Group)
def identity() -> None:
    """Identities that the CA knows: list, show, modify, remove.

    `medfab ca register` adds one.

    \b
    Examples:
      medfab ca identity list --org hospital
      medfab ca identity modify dr-okafor --org hospital --attribute ward=4
    """


@identity.command("list")
@click.option("--type", "kind", help="Only those of this type.")
@click.option("--affiliation", help="Only those of this affiliation, or below it.")
@registrar_option
@ca_name_option
@pass_connection
@pass_output
def list_identities(
    kind: str | None,
    affiliation: str | None,
    registrar: str,
    ca_name: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """List the identities that the registrar may see.

    \b
    Examples:
      medfab ca identity list --org hospital
      medfab ca identity list --org hospital --type peer --json
    """
    caller = credential(connection, registrar)

    async def call(authority: AsyncCertificateAuthority) -> tuple[RegisteredIdentity, ...]:
        return await authority.identities.list(caller)

    rows = [
        _row(each)
        for each in ask(connection, ca_name, call)
        if kind in (None, each.type)
        and (affiliation is None or f"{each.affiliation}.".startswith(f"{affiliation}."))
    ]
    output.table(
        rows,
        columns=["enrollment_id", "type", "affiliation", "max_enrollments", "attributes"],
    )


@identity.command()
@click.argument("enrollment_id")
@registrar_option
@ca_name_option
@pass_connection
@pass_output
def show(
    enrollment_id: str,
    registrar: str,
    ca_name: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Show an identity with all its attributes.

    \b
    Example:
      medfab ca identity show dr-okafor --org hospital
    """
    caller = credential(connection, registrar)

    async def call(authority: AsyncCertificateAuthority) -> RegisteredIdentity:
        return await authority.identities.get(caller, enrollment_id)

    output.details(_row(ask(connection, ca_name, call)))


@identity.command()
@click.argument("enrollment_id")
@click.option("--type", "kind", help="Another type: client, peer, admin, …")
@click.option("--affiliation", help="Another affiliation; '.' is the root.")
@attribute_options
@click.option("--remove-attribute", "removed", multiple=True, metavar="NAME", help="Take it away.")
@click.option(
    "--max-enrollments",
    type=click.IntRange(min=-1),
    help="How often the secret may be used in all; -1: without limit, 0: no more.",
)
@click.option(
    "--secret-file", type=secret_file_type, help="File with another secret; it unlocks, too."
)
@registrar_option
@ca_name_option
@pass_connection
@pass_output
def modify(
    enrollment_id: str,
    kind: str | None,
    affiliation: str | None,
    attributes: tuple[str, ...],
    registry_attributes: tuple[str, ...],
    removed: tuple[str, ...],
    max_enrollments: int | None,
    secret_file: Path | None,
    registrar: str,
    ca_name: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Change what is given, and nothing else.

    Certificates that are there do not change: `medfab ca renew` or `enroll`
    gives one with the new attributes.

    \b
    Examples:
      medfab ca identity modify dr-okafor --org hospital --attribute ward=4 \\
          --remove-attribute night-shift
      medfab ca identity modify dr-okafor --org hospital --secret-file new.secret
    """
    changes: dict[str, tuple[str, bool] | None] = dict.fromkeys(removed)
    for name, value in attribute_pairs(attributes, registry_attributes).items():
        if name in changes:
            raise click.UsageError(f"{name!r} is both to be set and to be removed.")
        changes[name] = value
    secret = given_secret(secret_file) if secret_file is not None else None
    given = (kind, affiliation, secret, max_enrollments)
    if not changes and all(each is None for each in given):
        raise click.UsageError("Nothing to change: name it by an option, see --help.")
    caller = credential(connection, registrar)

    async def call(authority: AsyncCertificateAuthority) -> RegisteredIdentity:
        return await authority.identities.modify(
            caller,
            enrollment_id,
            type=kind,
            affiliation=affiliation,
            attributes=changes,
            secret=secret,
            max_enrollments=max_enrollments,
        )

    output.details(_row(ask(connection, ca_name, call)))


@identity.command()
@click.argument("enrollment_id")
@click.option("--force", is_flag=True, help="Even the registrar itself.")
@yes_option
@registrar_option
@ca_name_option
@pass_connection
@pass_output
def remove(
    enrollment_id: str,
    force: bool,
    yes: bool,
    registrar: str,
    ca_name: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Take an identity out of the CA, and revoke its certificates.

    The CA must allow it (cfg.identities.allowremove). `medfab ca revoke` always
    works, and leaves a trace of who there was.

    \b
    Example:
      medfab ca identity remove dr-okafor --org hospital --yes
    """
    confirm(f"Remove {enrollment_id} from the CA for good, and revoke its certificates?", yes=yes)
    caller = credential(connection, registrar)

    async def call(authority: AsyncCertificateAuthority) -> RegisteredIdentity:
        return await authority.identities.remove(caller, enrollment_id, force=force)

    removed = ask(connection, ca_name, call)
    output.line(f"Removed {removed.enrollment_id}; its certificates are revoked.")
    if output.as_json:
        output.json(_row(removed))


def _row(identity: RegisteredIdentity) -> dict[str, Any]:
    return {
        "enrollment_id": identity.enrollment_id,
        "type": identity.type,
        "affiliation": identity.affiliation,
        "max_enrollments": identity.max_enrollments,
        "attributes": {name: value for name, (value, _) in identity.attributes.items()},
        "in_certificates": [name for name, (_, flag) in identity.attributes.items() if flag],
    }
