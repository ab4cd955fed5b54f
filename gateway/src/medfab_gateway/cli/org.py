"""`medfab org`: the organisations of a channel, and what one tells of itself."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click

from medfab_gateway.cli._admin import (
    channel_admin,
    host_and_port,
    out_option,
    read_text,
    write_file,
)
from medfab_gateway.cli._config_summary import members
from medfab_gateway.cli._connection import (
    Connection,
    channel_option,
    identity_option,
    pass_connection,
)
from medfab_gateway.cli._exit_codes import NotFoundError
from medfab_gateway.cli._group import Group
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run

_PLUGINS = "medfab.commands.org"


class _WithPlugins(Group):
    """Also the commands of distributions that can start nodes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        points = {point.name for point in entry_points(group=_PLUGINS)}
        return sorted({*super().list_commands(ctx), *points})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        for point in entry_points(group=_PLUGINS):
            if point.name == cmd_name:
                command: click.Command = point.load()
                return command
        return None


@click.group(cls=_WithPlugins)
def org() -> None:
    """Organisations of a channel, and how one is taken in.

    A new organisation writes its definition and sends it; a member takes it
    in with `medfab channel edit add-org`, and the others sign.

    \b
    Examples:
      medfab org list --channel care --org hospital --identity admin
      medfab org definition --org pharmacy2 --anchor localhost:17202 \\
          --out pharmacy2.json
      medfab org show pharmacy2.json
    """


@org.command("list")
@channel_option
@identity_option
@pass_connection
@pass_output
def list_organizations(
    channel: str, label: str | None, connection: Connection, output: Output
) -> None:
    """List the organisations of a channel.

    \b
    Example:
      medfab org list --channel care --org hospital --identity admin
    """

    async def ask() -> list[dict[str, Any]]:
        async with channel_admin(connection, label) as channels:
            return members(await channels.config(channel))

    columns = ["msp_id", "role", "anchor_peers", "endpoints", "revocation_lists"]
    output.table(run(ask), columns=columns)


@org.command()
@click.option(
    "--msp",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="MSP folder (cacerts, tlscacerts, config.yaml); default: the organisation's in --dir.",
)
@click.option("--msp-id", help="Default: as the connection profile says.")
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    metavar="HOST:PORT",
    help="A peer that others turn to first, as they reach it; may be repeated.",
)
@out_option("The definition, JSON.", required=True)
@pass_connection
@pass_output
def definition(
    folder: Path | None,
    msp_id: str | None,
    anchors: tuple[str, ...],
    out: Path,
    connection: Connection,
    output: Output,
) -> None:
    """Write what the others need to take you in.

    No secrets: certificates, policies and anchor peers, as `configtxgen -printOrg`
    writes them. Tell the others the fingerprint that is printed by another
    way than the file, so that they know that the file is yours.

    \b
    Examples:
      medfab org definition --org pharmacy2 --anchor localhost:17202 \\
          --out pharmacy2.json
      medfab org definition --msp ./msp --msp-id Pharmacy2MSP --out pharmacy2.json
    """
    from medfab_gateway.admin import OrganizationDefinition

    if folder is None or msp_id is None:
        profile = connection.profile()
        name = connection.organization_name(profile)
        msp_id = msp_id or profile.msp_id(name)
        folder = folder or connection.directory / "organizations" / name / "msp"
    if not folder.is_dir():
        raise NotFoundError(f"There is no MSP folder {folder}: name it with --msp.")
    peers = [host_and_port(each, "--anchor") for each in anchors]
    made = OrganizationDefinition.from_msp(folder, msp_id, anchor_peers=peers)
    write_file(out, made.to_json())
    output.details({**_facts(made), "file": str(out)})


@org.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_output
def show(file: Path, output: Output) -> None:
    """Show the definition of an organisation in FILE.

    Compare the fingerprint with what the organisation has told you by another
    way, before you take it in or sign for it.

    \b
    Example:
      medfab org show pharmacy2.json
    """
    from medfab_gateway.admin import OrganizationDefinition

    text = read_text(file, "FILE")
    found = OrganizationDefinition.from_json(text)
    facts = _facts(found)
    output.details(facts | {"definition": json.loads(text)} if output.as_json else facts)


def _facts(definition: Any) -> dict[str, Any]:
    return {
        "msp_id": definition.msp_id,
        "anchor_peers": [f"{host}:{port}" for host, port in definition.anchor_peers],
        "root_sha256": list(definition.fingerprints),
    }
