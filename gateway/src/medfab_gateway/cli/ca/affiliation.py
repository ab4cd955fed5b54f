"""`medfab ca affiliation`: the tree of affiliations of a CA."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from medfab_gateway.cli._confirm import confirm, yes_option
from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._group import Group
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli.ca._authority import ask, ca_name_option, credential, registrar_option

if TYPE_CHECKING:
    from medfab_gateway.ca import Affiliation, AsyncCertificateAuthority


@click.group(cls=Group, short_help="Affiliations: the departments of identities, as a tree.")
def affiliation() -> None:
    """Affiliations: the departments of the CA's identities, as a tree.

    \b
    Examples:
      medfab ca affiliation list --org hospital
      medfab ca affiliation add hospital.cardiology --org hospital
    """


@affiliation.command("list")
@click.argument("name", required=False)
@registrar_option
@ca_name_option
@pass_connection
@pass_output
def list_affiliations(
    name: str | None, registrar: str, ca_name: str | None, connection: Connection, output: Output
) -> None:
    """List the affiliations, or NAME and those below it.

    \b
    Examples:
      medfab ca affiliation list --org hospital
      medfab ca affiliation list hospital.cardiology --org hospital
    """
    caller = credential(connection, registrar)

    async def call(authority: AsyncCertificateAuthority) -> Affiliation:
        if name is None:
            return await authority.affiliations.list(caller)
        return await authority.affiliations.get(caller, name)

    names = ask(connection, ca_name, call).names()
    if output.as_json:
        output.json(list(names))
    for each in names:
        output.line("  " * each.count(".") + each)


@affiliation.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Add its missing parents, too.")
@registrar_option
@ca_name_option
@pass_connection
@pass_output
def add(
    name: str,
    force: bool,
    registrar: str,
    ca_name: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Add an affiliation.

    \b
    Examples:
      medfab ca affiliation add hospital.cardiology --org hospital
      medfab ca affiliation add hospital.surgery.night --org hospital --force
    """
    caller = credential(connection, registrar)

    async def call(authority: AsyncCertificateAuthority) -> Affiliation:
        return await authority.affiliations.add(caller, name, force=force)

    ask(connection, ca_name, call)
    output.line(f"Added {name}.")
    if output.as_json:
        output.json({"name": name})


@affiliation.command()
@click.argument("name")
@click.argument("new_name")
@click.option("--force", is_flag=True, help="Even where identities have it: they get the new one.")
@registrar_option
@ca_name_option
@pass_connection
@pass_output
def rename(
    name: str,
    new_name: str,
    force: bool,
    registrar: str,
    ca_name: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Rename an affiliation, with all below it.

    \b
    Example:
      medfab ca affiliation rename hospital.surgery hospital.theatre \\
          --org hospital --force
    """
    caller = credential(connection, registrar)

    async def call(authority: AsyncCertificateAuthority) -> Affiliation:
        return await authority.affiliations.rename(caller, name, new_name, force=force)

    _report("Renamed", f"{name} to {new_name}", ask(connection, ca_name, call), output)


@affiliation.command()
@click.argument("name")
@click.option(
    "--force", is_flag=True, help="With all below it and their identities, which are revoked."
)
@yes_option
@registrar_option
@ca_name_option
@pass_connection
@pass_output
def remove(
    name: str,
    force: bool,
    yes: bool,
    registrar: str,
    ca_name: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Remove an affiliation.

    The CA must allow it (cfg.affiliations.allowremove, and with identities in
    it cfg.identities.allowremove).

    \b
    Example:
      medfab ca affiliation remove hospital.cardiology --org hospital --yes
    """
    what = f"{name} with all below it and their identities" if force else name
    confirm(f"Remove the affiliation {what}?", yes=yes)
    caller = credential(connection, registrar)

    async def call(authority: AsyncCertificateAuthority) -> Affiliation:
        return await authority.affiliations.remove(caller, name, force=force)

    _report("Removed", name, ask(connection, ca_name, call), output)


def _report(done: str, what: str, affected: Affiliation, output: Output) -> None:
    identities = sorted(_identities(affected))
    touched = f" Identities: {', '.join(identities)}." if identities else ""
    output.line(f"{done} {what}.{touched}")
    if output.as_json:
        output.json({"affiliations": list(affected.names()), "identities": identities})


def _identities(affiliation: Affiliation) -> list[str]:
    own = [each.enrollment_id for each in affiliation.identities]
    return own + [name for child in affiliation.children for name in _identities(child)]
