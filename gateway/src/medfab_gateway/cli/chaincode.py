"""`medfab chaincode`: the lifecycle of contracts on a channel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from medfab_gateway.cli._admin import (
    endpoints,
    out_option,
    peer_admin,
    peer_option,
    read_file,
    write_file,
)
from medfab_gateway.cli._chaincode_definitions import (
    approve,
    commit,
    endorsers,
    list_definitions,
    query,
    readiness,
)
from medfab_gateway.cli._chaincode_terms import json_file
from medfab_gateway.cli._connection import (
    Connection,
    identity_option,
    pass_connection,
)
from medfab_gateway.cli._group import Group
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run

if TYPE_CHECKING:
    pass

_F = TypeVar("_F", bound=Callable[..., Any])
_package_argument = click.argument("package", type=click.Path(path_type=Path, dir_okay=False))


@click.group(cls=Group)
def chaincode() -> None:
    """Deploy contracts: package, install, approve, commit.

    Each organisation installs the package at its peers and approves the
    definition; when enough have (see `readiness`), anybody commits it.
    An upgrade is the same again with the next sequence.

    \b
    Examples:
      medfab chaincode package ehr_1.0 --out ehr.tgz
      medfab chaincode install ehr.tgz --org hospital --identity admin
      medfab chaincode approve ehr --version 1.0 --package ehr.tgz \\
          --channel care --org hospital --identity admin
      medfab chaincode readiness ehr --version 1.0 \\
          --channel care --org hospital --identity admin
      medfab chaincode commit ehr --version 1.0 \\
          --channel care --org hospital --identity admin
    """


for _command in (approve, commit, endorsers, list_definitions, query, readiness):
    chaincode.add_command(_command)


@chaincode.command()
@click.argument("label")
@out_option("The package, a tar.gz.", required=True)
@click.option(
    "--connection",
    "connection_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="connection.json to put in: address, dial_timeout, tls_required, …",
)
@pass_output
def package(label: str, out: Path, connection_file: Path | None, output: Output) -> None:
    """Package a chaincode that runs as a service, by the name LABEL.

    Without --connection the package holds no address: it is the same for all
    organisations, and each one's external builder knows where its service is.
    The same LABEL gives the same package, and package id, anywhere.

    \b
    Examples:
      medfab chaincode package ehr_1.0 --out ehr.tgz
      medfab chaincode package ehr_1.0 --connection connection.json --out ehr.tgz
    """
    from medfab_gateway.admin import package_ccaas, package_id

    connection = None
    if connection_file is not None:
        connection = json_file(connection_file, "--connection", dict)
    content = package_ccaas(label, connection)
    write_file(out, content)
    output.details({"package_id": package_id(content), "file": str(out)})


@chaincode.command("id")
@_package_argument
@pass_output
def show_id(package: Path, output: Output) -> None:
    """Print the package id of the package in PACKAGE.

    \b
    Example:
      medfab chaincode id ehr.tgz
    """
    from medfab_gateway.admin import package_id

    identifier = package_id(read_file(package, "PACKAGE"))
    if output.as_json:
        output.json({"package_id": identifier})
    else:
        output.line(identifier)


@chaincode.command()
@_package_argument
@identity_option
@peer_option
@pass_connection
@pass_output
def install(
    package: Path, label: str | None, peer: str | None, connection: Connection, output: Output
) -> None:
    """Install PACKAGE at all peers of the organisation, or at --peer alone.

    Repeating it does no harm.

    \b
    Example:
      medfab chaincode install ehr.tgz --org hospital --identity admin
    """
    content = read_file(package, "PACKAGE")

    async def call() -> list[dict[str, Any]]:
        rows = []
        for endpoint in endpoints(connection, peer):
            async with peer_admin(connection, label, endpoint) as admin:
                identifier = await admin.install_chaincode(content)
                rows.append({"peer": endpoint.address, "package_id": identifier})
        return rows

    output.table(run(call), columns=["peer", "package_id"])


@chaincode.command()
@identity_option
@peer_option
@pass_connection
@pass_output
def installed(label: str | None, peer: str | None, connection: Connection, output: Output) -> None:
    """List the packages at the organisation's peers, and what uses them.

    \b
    Example:
      medfab chaincode installed --org hospital --identity admin
    """

    async def ask() -> list[dict[str, Any]]:
        rows = []
        for endpoint in endpoints(connection, peer):
            async with peer_admin(connection, label, endpoint) as admin:
                for each in await admin.installed_chaincodes():
                    used = [
                        f"{name} {version} on {channel}"
                        for channel, definitions in each.references.items()
                        for name, version in definitions
                    ]
                    rows.append(
                        {
                            "package_id": each.package_id,
                            "label": each.label,
                            "peer": endpoint.address,
                            "used_by": used,
                        }
                    )
        return rows

    rows = run(ask)
    if rows or output.as_json:
        output.table(rows, columns=["package_id", "peer", "used_by"])
    else:
        output.line("No package is installed; `medfab chaincode install` does it.")


@chaincode.command()
@click.argument("package_id", metavar="PACKAGE_ID")
@out_option("The package.", required=True)
@identity_option
@pass_connection
@pass_output
def fetch(
    package_id: str, out: Path, label: str | None, connection: Connection, output: Output
) -> None:
    """Get an installed package back from the organisation's first peer.

    \b
    Example:
      medfab chaincode fetch ehr_1.0:0ca… --out ehr.tgz \\
          --org hospital --identity admin
    """

    async def ask() -> bytes:
        async with peer_admin(connection, label) as admin:
            return await admin.installed_package(package_id)

    write_file(out, run(ask))
    output.details({"package_id": package_id, "file": str(out)})
