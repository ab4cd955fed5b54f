"""`medfab channel`: join channels, read and change their configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._admin import (
    channel_admin,
    discovery,
    endpoints,
    out_option,
    peer_admin,
    peer_option,
    read_file,
    write_file,
)
from medfab_gateway.cli._channel_edit import edit
from medfab_gateway.cli._channel_orderer import orderer
from medfab_gateway.cli._channel_snapshot import snapshot
from medfab_gateway.cli._channel_update import update
from medfab_gateway.cli._connection import (
    Connection,
    channel_option,
    identity_option,
    pass_connection,
)
from medfab_gateway.cli._group import Group
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run

if TYPE_CHECKING:
    from medfab_gateway.admin import ChannelConfig


@click.group(cls=Group)
def channel() -> None:
    """Channels: join them, read and change their configuration.

    What changes a channel is signed by a majority of its organisations'
    administrators. `edit --out` writes a signed update to a file; the file
    travels; the others look at it with `update show`, sign it with `update
    sign`; anybody hands it in with `update submit`.

    \b
    Examples:
      medfab channel list --org hospital --identity admin
      medfab channel config --channel care --org hospital --identity admin
      medfab channel edit batch --timeout 1s --out update.pb --channel care \\
          --org hospital --identity admin
      medfab channel update sign update.pb --org clinic --identity admin
      medfab channel update submit update.pb --org clinic --identity admin
    """


channel.add_command(edit)
channel.add_command(orderer)
channel.add_command(snapshot)
channel.add_command(update)


@channel.command("list")
@identity_option
@peer_option
@pass_connection
@pass_output
def list_channels(
    label: str | None, peer: str | None, connection: Connection, output: Output
) -> None:
    """List the channels that your peers have joined.

    \b
    Example:
      medfab channel list --org hospital --identity admin
    """

    async def ask() -> list[dict[str, Any]]:
        rows = []
        for endpoint in endpoints(connection, peer):
            async with peer_admin(connection, label, endpoint) as admin:
                for name in await admin.channels():
                    height = (await admin.chain_info(name)).height
                    rows.append({"channel": name, "peer": endpoint.address, "height": height})
        return rows

    rows = run(ask)
    if rows or output.as_json:
        output.table(rows, columns=["channel", "peer", "height"])
    else:
        output.line("The peers have joined no channel; `medfab channel join` lets them.")


@channel.command()
@click.argument("block", type=click.Path(path_type=Path, dir_okay=False))
@identity_option
@peer_option
@pass_connection
@pass_output
def join(
    block: Path, label: str | None, peer: str | None, connection: Connection, output: Output
) -> None:
    """Let your peers join the channel of BLOCK.

    BLOCK holds block 0 of the channel: `medfab block fetch 0` of a member, or
    of an orderer, writes it. All peers of the organisation join, or --peer
    alone. Repeating it does no harm.

    \b
    Example:
      medfab channel join care.block --org pharmacy2 --identity admin
    """
    from medfab_gateway.admin import ChannelConfig

    content = read_file(block, "BLOCK")
    name = ChannelConfig.from_block(content).channel_name

    async def call() -> list[dict[str, Any]]:
        rows = []
        for endpoint in endpoints(connection, peer):
            async with peer_admin(connection, label, endpoint) as admin:
                outcome = await admin.join_channel(content)
                row = {"channel": name, "peer": endpoint.address, "outcome": outcome.value}
                rows.append(row)
        return rows

    output.table(run(call), columns=["channel", "peer", "outcome"])


@channel.command()
@channel_option
@identity_option
@pass_connection
@pass_output
def info(channel: str, label: str | None, connection: Connection, output: Output) -> None:
    """Show the height and hashes of a ledger.

    \b
    Example:
      medfab channel info --channel care --org hospital --identity admin
    """

    async def ask() -> dict[str, Any]:
        async with peer_admin(connection, label) as admin:
            facts = await admin.chain_info(channel)
            config = await admin.channel_config(channel)
        return {
            "channel": channel,
            "height": facts.height,
            "current_block_hash": facts.current_block_hash.hex(),
            "previous_block_hash": facts.previous_block_hash.hex(),
            "config_sequence": config.typed.sequence,
        }

    output.details(run(ask))


@channel.command()
@channel_option
@identity_option
@out_option("Also write the configuration (protobuf, common.Config) to this file.")
@pass_connection
@pass_output
def config(
    channel: str,
    label: str | None,
    out: Path | None,
    connection: Connection,
    output: Output,
) -> None:
    """Show the configuration in force.

    With --json all of it, as `configtxlator proto_decode` writes it. Change
    that and hand it in with `medfab channel edit json`.

    \b
    Examples:
      medfab channel config --channel care --org hospital --identity admin
      medfab channel config --channel care --org hospital --identity admin \\
          --json > care.json
    """

    async def ask() -> ChannelConfig:
        async with channel_admin(connection, label) as channels:
            return await channels.config(channel)

    found = run(ask)
    if out is not None:
        write_file(out, found.serialized)
    if output.as_json:
        output.json(found.to_json())
    else:
        output.details(_summary(found))


def _summary(found: ChannelConfig) -> dict[str, Any]:
    from medfab_gateway.admin import orderer_endpoints
    from medfab_gateway.cli._config_summary import members, setting

    typed = found.typed
    return {
        "channel": found.channel_name,
        "sequence": typed.sequence,
        "organisations": [each["msp_id"] for each in members(found)],
        "orderers": [each.address for each in orderer_endpoints(found)],
        "consensus": setting(found, "Orderer", "ConsensusType", "type"),
        "batch_timeout": setting(found, "Orderer", "BatchTimeout"),
        "max_message_count": setting(found, "Orderer", "BatchSize", "max_message_count"),
        "absolute_max_bytes": setting(found, "Orderer", "BatchSize", "absolute_max_bytes"),
        "preferred_max_bytes": setting(found, "Orderer", "BatchSize", "preferred_max_bytes"),
        "access_rules": setting(found, "Application", "ACLs"),
    }


@channel.command()
@channel_option
@identity_option
@pass_connection
@pass_output
def peers(channel: str, label: str | None, connection: Connection, output: Output) -> None:
    """List the peers of a channel.

    Those that the organisation's own peer knows.

    \b
    Example:
      medfab channel peers --channel care --org hospital --identity admin
    """

    async def ask() -> list[dict[str, Any]]:
        async with discovery(connection, label) as asked:
            return [
                {
                    "msp_id": each.msp_id,
                    "peer": each.endpoint,
                    "height": each.ledger_height,
                    "chaincodes": [f"{name} ({sequence})" for name, sequence in each.chaincodes],
                }
                for each in await asked.peers(channel)
            ]

    output.table(run(ask), columns=["msp_id", "peer", "height", "chaincodes"])
