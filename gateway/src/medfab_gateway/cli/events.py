"""`medfab events`: follow the blocks of a channel."""

from __future__ import annotations

import json
from typing import Any

import click

from medfab_gateway._block import Block, BlockTransaction
from medfab_gateway.cli._connection import (
    Connection,
    channel_option,
    identity_option,
    pass_connection,
)
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run


@click.command()
@channel_option
@identity_option
@click.option("--from", "start", type=click.IntRange(min=0), help="First block; default: the next.")
@click.option("--to", "stop", type=click.IntRange(min=0), help="Last block; default: go on.")
@pass_connection
@pass_output
def events(
    channel: str,
    label: str,
    start: int | None,
    stop: int | None,
    connection: Connection,
    output: Output,
) -> None:
    """Print the transactions of a channel as their blocks are committed.

    Arguments and values are not printed. Ends with Ctrl-C, or after --to.
    With --json, one object a line.

    \b
    Examples:
      medfab events --channel care --org hospital --identity practitioner --from 0
      medfab events --channel care --org hospital --identity admin --from 0 --to 5 --json
    """

    async def follow() -> None:
        async with (
            connection.gateway(label) as gateway,
            gateway.network(channel).block_events(start, stop) as blocks,
        ):
            async for block in blocks:
                _print_block(block, output)

    run(follow())


def _print_block(block: Block, output: Output) -> None:
    for transaction in block.transactions:
        row = _row(block, transaction)
        if output.as_json:
            click.echo(json.dumps(row))
        else:
            click.echo(
                f"block {row['block']:>5}  {row['validation_code']:<10} "
                f"{row['function'] or row['type']:<40} {row['creator']:<16} "
                f"{row['transaction_id'][:16]}"
            )


def _row(block: Block, transaction: BlockTransaction) -> dict[str, Any]:
    function = None
    if transaction.chaincode_name and transaction.args:
        name = transaction.args[0].decode(errors="replace")
        function = f"{transaction.chaincode_name}.{name}"
    return {
        "block": block.number,
        "transaction_id": transaction.transaction_id,
        "type": transaction.type,
        "validation_code": transaction.validation_code,
        "timestamp": transaction.timestamp.isoformat() if transaction.timestamp else None,
        "creator": transaction.creator.msp_id,
        "function": function,
        "endorsers": list(transaction.endorser_msp_ids),
        "event": transaction.event.name if transaction.event else None,
    }
