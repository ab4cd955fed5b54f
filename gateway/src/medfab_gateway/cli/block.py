"""`medfab block`: blocks and transactions of a channel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from medfab_gateway.cli._admin import out_option, peer_admin, read_file, write_file
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
    from medfab_gateway import Block, BlockTransaction


@click.group(cls=Group)
def block() -> None:
    """Blocks of a channel: fetch and look into them.

    \b
    Examples:
      medfab block show 7 --channel care --org hospital --identity admin
      medfab block fetch 0 --out care.block --channel care \\
          --org hospital --identity admin
      medfab block decode care.block
    """


@block.command()
@click.argument("which", metavar="NUMBER|newest|config")
@out_option("The block, as Fabric's tools read it.", required=True)
@click.option("--orderer", metavar="HOST:PORT", help="Ask this orderer, not your own peer.")
@click.option(
    "--tls-ca",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What the orderer's certificate must chain to, PEM.",
)
@channel_option
@identity_option
@pass_connection
@pass_output
def fetch(
    which: str,
    out: Path,
    orderer: str | None,
    tls_ca: Path | None,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Fetch a block into a file: by its number, the newest, or the configuration.

    An organisation that has just been taken in has no peer on the channel:
    it asks an orderer.

    \b
    Examples:
      medfab block fetch 0 --out care.block --channel care \\
          --org hospital --identity admin
      medfab block fetch 0 --out care.block --channel care \\
          --org pharmacy2 --identity admin \\
          --orderer localhost:17002 --tls-ca orderers.pem
    """
    number = _number(which)
    if (orderer is None) != (tls_ca is None):
        raise click.UsageError("--orderer and --tls-ca go together.")

    async def ask() -> bytes:
        if orderer is None or tls_ca is None:
            async with peer_admin(connection, label) as admin:
                if which == "config":
                    return await admin.config_block(channel)
                wanted = number
                if wanted is None:
                    wanted = (await admin.chain_info(channel)).height - 1
                return (await admin.block_by_number(channel, wanted)).raw
        from medfab_gateway.admin import AsyncOrderer
        from medfab_gateway.endpoint import Endpoint

        entry = connection.entry(label)
        endpoint = Endpoint(orderer, tls_root_certificates=read_file(tls_ca, "--tls-ca"))
        async with AsyncOrderer(endpoint, entry.identity, entry.signer()) as asked:
            if which == "config":
                return await asked.config_block(channel)
            return await asked.block(channel, number)

    from medfab_gateway import decode_block

    found = decode_block(run(ask))
    write_file(out, found.raw)
    output.details({"channel": channel, "number": found.number, "file": str(out)})


@block.command()
@click.argument("number", type=click.IntRange(min=0), required=False)
@click.option("--hash", "block_hash", metavar="HEX", help="The block whose header has this hash.")
@click.option("--transaction", metavar="ID", help="The block that this transaction is in.")
@channel_option
@identity_option
@pass_connection
@pass_output
def show(
    number: int | None,
    block_hash: str | None,
    transaction: str | None,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Show a block: NUMBER, or the one of --hash or --transaction; default the newest.

    No arguments and no values: `fetch` and `decode` show all of it.

    \b
    Examples:
      medfab block show 7 --channel care --org hospital --identity admin
      medfab block show --transaction 5c0f… --channel care \\
          --org hospital --identity admin
    """
    if sum(each is not None for each in (number, block_hash, transaction)) > 1:
        raise click.UsageError("One of NUMBER, --hash and --transaction.")
    wanted_hash = _bytes(block_hash) if block_hash is not None else None

    async def ask() -> Block:
        async with peer_admin(connection, label) as admin:
            if wanted_hash is not None:
                return await admin.block_by_hash(channel, wanted_hash)
            if transaction is not None:
                return await admin.block_by_transaction(channel, transaction)
            wanted = number
            if wanted is None:
                wanted = (await admin.chain_info(channel)).height - 1
            return await admin.block_by_number(channel, wanted)

    found = run(ask)
    rows = [_row(each) for each in found.transactions]
    facts = {
        "channel": channel,
        "number": found.number,
        "hash": found.hash.hex(),
        "previous_hash": found.previous_hash.hex(),
        "data_hash": found.data_hash.hex(),
    }
    if output.as_json:
        output.json(facts | {"transactions": rows})
        return
    output.details(facts)
    output.table(rows, columns=["transaction_id", "type", "code", "creator", "chaincode"])


@block.command()
@click.argument("transaction_id", metavar="ID")
@channel_option
@identity_option
@pass_connection
@pass_output
def transaction(
    transaction_id: str,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Show a transaction by its id: who made it, and whether it is valid.

    \b
    Example:
      medfab block transaction 5c0f… --channel care \\
          --org hospital --identity admin
    """

    async def ask() -> Block:
        async with peer_admin(connection, label) as admin:
            return await admin.block_by_transaction(channel, transaction_id)

    found = run(ask)
    [one] = [each for each in found.transactions if each.transaction_id == transaction_id][:1]
    output.details({"channel": channel, "block": found.number, **_row(one)})


@block.command()
@click.argument("file", type=click.File("rb"))
def decode(file: BinaryIO) -> None:
    """Print the block in FILE ("-": standard input) as JSON.

    FILE holds a serialised block, as `peer channel fetch` and configtxgen
    write it. The JSON says the same as configtxlator's: everything in the
    block, arguments and values too.

    \b
    Example:
      medfab block decode care_0.block
    """
    from medfab_gateway import BlockDecodeError, block_json

    try:
        decoded = block_json(file.read())
    except BlockDecodeError as error:
        raise click.BadParameter(str(error), param_hint="FILE") from error
    Output(as_json=True).json(decoded)


def _number(which: str) -> int | None:
    if which in ("newest", "config"):
        return None
    if not which.isdecimal():
        raise click.BadParameter(
            f"{which!r} is no number, nor newest, nor config", param_hint="NUMBER|newest|config"
        )
    return int(which)


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not hexadecimal", param_hint="--hash") from error


def _row(transaction: BlockTransaction) -> dict[str, Any]:
    return {
        "transaction_id": transaction.transaction_id,
        "type": transaction.type,
        "code": transaction.validation_code,
        "creator": transaction.creator.msp_id,
        "chaincode": transaction.chaincode_name,
    }
