"""`medfab events`: follow the blocks of a channel."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._connection import (
    Connection,
    channel_option,
    identity_option,
    pass_connection,
)
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli._text import printable

if TYPE_CHECKING:
    from medfab_gateway import Block, BlockTransaction


@click.command(short_help="Print the transactions of a channel as they are committed.")
@channel_option
@identity_option
@click.option("--from", "start", type=click.IntRange(min=0), help="First block; default: the next.")
@click.option("--to", "stop", type=click.IntRange(min=0), help="Last block; default: go on.")
@pass_connection
@pass_output
def events(
    channel: str,
    label: str | None,
    start: int | None,
    stop: int | None,
    connection: Connection,
    output: Output,
) -> None:
    """Print the transactions of a channel as their blocks are committed.

    Arguments and values are not printed. Ends with Ctrl-C, or after the block
    --to, for which it waits. With --json, one object a line.

    \b
    Examples:
      medfab events --channel care --org hospital --identity admin --from 0
      medfab events --channel care --org hospital --identity admin \\
          --from 0 --to 5 --json
    """
    if stop is not None and start is not None and stop < start:
        raise click.UsageError(f"--to {stop} is before --from {start}.")
    if not output.as_json:
        click.echo(_columns("block", "time", "outcome", "function", "by", "transaction"))

    async def follow() -> None:
        async with (
            connection.gateway(label) as gateway,
            gateway.network(channel).block_events(start, stop) as blocks,
        ):
            async for block in blocks:
                _print_block(block, output)

    run(follow)


def _print_block(block: Block, output: Output) -> None:
    for transaction in block.transactions:
        row = _row(block, transaction)
        if output.as_json:
            output.json_line(row)
        else:
            time = transaction.timestamp
            click.echo(
                _columns(
                    str(row["block"]),
                    f"{time:%H:%M:%S}" if time else "-",
                    row["validation_code"],
                    row["function"] or row["type"],
                    row["creator"] or "-",
                    row["transaction_id"] or "-",
                )
            )


def _columns(block: str, time: str, outcome: str, function: str, by: str, identifier: str) -> str:
    """A line; as wide as the terminal, or whole where it is not read on one."""
    line = printable(f"{block:>6}  {time:<8}  {outcome:<7}  {function:<28}  {by:<14}  {identifier}")
    return line[: shutil.get_terminal_size().columns] if sys.stdout.isatty() else line


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
