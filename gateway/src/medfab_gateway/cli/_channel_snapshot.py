"""`medfab channel snapshot`: snapshots of a channel at a peer."""

from __future__ import annotations

from typing import Any

import click

from medfab_gateway.cli._admin import endpoints, peer_admin, peer_option
from medfab_gateway.cli._connection import (
    Connection,
    channel_option,
    identity_option,
    pass_connection,
)
from medfab_gateway.cli._group import Group
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run


@click.group(cls=Group)
def snapshot() -> None:
    """Snapshots of a channel: made at one peer, joined with at another.

    A snapshot has the state as of one block, with the hashes of private data.
    It has no blocks before that one, and no private data: that comes from
    peers that hold it. The peer writes it to its own disk, to
    completed/CHANNEL/BLOCK in the folder `ledger.snapshots.rootDir`; only its
    own organisation's administrator can ask for one. How a peer is rebuilt
    with it: docs/replace-a-node.md.

    \b
    Examples:
      medfab channel snapshot request --channel care --org hospital \\
          --identity admin --peer peer1.hospital
      medfab channel snapshot join /var/snapshots/care/1042 --channel care \\
          --org hospital --identity admin --peer peer0.hospital
    """


@snapshot.command()
@click.option("--at-block", type=click.IntRange(min=1), help="A block to come; default: now.")
@channel_option
@identity_option
@peer_option
@pass_connection
@pass_output
def request(
    at_block: int | None,
    channel: str,
    label: str | None,
    peer: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Let a peer make a snapshot as of its newest block, or of one to come.

    Returns at once; `snapshot list` shows those not made yet. Without --peer,
    the organisation's first peer is asked.

    \b
    Example:
      medfab channel snapshot request --channel care --org hospital \\
          --identity admin --peer peer1.hospital
    """
    endpoint = endpoints(connection, peer)[0]

    async def call() -> int:
        async with peer_admin(connection, label, endpoint) as admin:
            await admin.snapshots.request(channel, at_block)
            return at_block or (await admin.chain_info(channel)).height - 1

    output.details({"channel": channel, "peer": endpoint.address, "block": run(call)})


@snapshot.command("list")
@channel_option
@identity_option
@peer_option
@pass_connection
@pass_output
def list_pending(
    channel: str, label: str | None, peer: str | None, connection: Connection, output: Output
) -> None:
    """List the snapshots that peers have been asked for and have not made yet.

    \b
    Example:
      medfab channel snapshot list --channel care --org hospital --identity admin
    """

    async def ask() -> list[dict[str, Any]]:
        rows = []
        for endpoint in endpoints(connection, peer):
            async with peer_admin(connection, label, endpoint) as admin:
                pending = await admin.snapshots.pending(channel)
                rows += [
                    {"channel": channel, "peer": endpoint.address, "block": number}
                    for number in pending
                ]
        return rows

    rows = run(ask)
    if rows or output.as_json:
        output.table(rows, columns=["channel", "peer", "block"])
    else:
        output.line("No snapshot is to be made.")


@snapshot.command()
@click.argument("block", type=click.IntRange(min=1))
@channel_option
@identity_option
@peer_option
@pass_connection
@pass_output
def cancel(
    block: int,
    channel: str,
    label: str | None,
    peer: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Take back the request for a snapshot as of BLOCK.

    \b
    Example:
      medfab channel snapshot cancel 5000 --channel care --org hospital \\
          --identity admin --peer peer1.hospital
    """
    endpoint = endpoints(connection, peer)[0]

    async def call() -> None:
        async with peer_admin(connection, label, endpoint) as admin:
            await admin.snapshots.cancel(channel, block)

    run(call)
    output.details(
        {"channel": channel, "peer": endpoint.address, "block": block, "outcome": "cancelled"}
    )


@snapshot.command()
@click.argument("folder")
@channel_option
@identity_option
@peer_option
@pass_connection
@pass_output
def join(
    folder: str,
    channel: str,
    label: str | None,
    peer: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Let a peer that is not on the channel join it with the snapshot in FOLDER.

    FOLDER is on the peer's machine, and the peer can read it. Waits until the
    peer has joined; it then fetches the blocks since.

    \b
    Example:
      medfab channel snapshot join /var/snapshots/care/1042 --channel care \\
          --org hospital --identity admin --peer peer0.hospital
    """
    endpoint = endpoints(connection, peer)[0]

    async def call() -> int:
        async with peer_admin(connection, label, endpoint) as admin:
            await admin.snapshots.join(folder)
            await admin.snapshots.wait_until_joined(channel)
            return (await admin.chain_info(channel)).height

    output.details(
        {"channel": channel, "peer": endpoint.address, "outcome": "joined", "height": run(call)}
    )
