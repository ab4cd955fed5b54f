"""`medfab events`: follow the blocks of a channel, or the events of a chaincode."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from medfab_gateway.cli._connection import (
    Connection,
    identity_option,
    pass_connection,
)
from medfab_gateway.cli._event_lines import (
    BLOCK_HEADING,
    EVENT_HEADING,
    FILTERED_HEADING,
    Line,
    block_lines,
    columns,
    event_lines,
    filtered_lines,
)
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli._settings import CHANNEL, setting_option
from medfab_gateway.cli.consumers import dead_letters, rebuild, run_command, status

if TYPE_CHECKING:
    from medfab_gateway import AsyncEventStream, Block, CommittedEvent, FilteredBlock

_Item = TypeVar("_Item")


@click.group(
    invoke_without_command=True,
    short_help="Print a channel's transactions or events as they are committed.",
    subcommand_metavar="[COMMAND]",
)
@setting_option(CHANNEL, "channel", help=f"{CHANNEL.help}  [required]")
@identity_option
@click.option("--from", "start", type=click.IntRange(min=0), help="First block; default: the next.")
@click.option("--to", "stop", type=click.IntRange(min=0), help="Last block; default: go on.")
@click.option("--chaincode", help="Print the events of this chaincode instead of transactions.")
@click.option("--filtered", is_flag=True, help="Read blocks without what is in their transactions.")
@click.option(
    "--checkpoint",
    "checkpoint_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Go on where this file says, and write to it what has been printed.",
)
@pass_connection
@pass_output
@click.pass_context
def events(
    ctx: click.Context,
    channel: str | None,
    label: str | None,
    start: int | None,
    stop: int | None,
    chaincode: str | None,
    filtered: bool,
    checkpoint_file: Path | None,
    connection: Connection,
    output: Output,
) -> None:
    """Print the transactions of a channel as their blocks are committed.

    Or, with --chaincode, the events of a chaincode. The commands below keep
    what happens in databases, files and webhooks instead. Arguments, values and
    payloads are not printed. Ends with Ctrl-C, or after the block --to, for
    which it waits. Where the connection breaks, it is made again, and nothing
    is left out or printed twice. With --json, one object a line.

    With --checkpoint, --from counts only while the file does not exist. One
    command at a time may use a file.

    \b
    Examples:
      medfab events --channel care --org hospital --identity admin --from 0
      medfab events --channel care --org hospital --identity admin \\
          --from 0 --to 5 --json
      medfab events --channel care --org hospital --identity admin \\
          --chaincode ehr --from 0 --checkpoint ehr.checkpoint
    """
    if ctx.invoked_subcommand is not None:
        return
    if channel is None:
        option = next(param for param in ctx.command.params if param.name == "channel")
        raise click.MissingParameter(ctx=ctx, param=option)
    _print(channel, label, start, stop, chaincode, filtered, checkpoint_file, connection, output)


for _command in (run_command, status, rebuild, dead_letters):
    events.add_command(_command)


def _print(
    channel: str,
    label: str | None,
    start: int | None,
    stop: int | None,
    chaincode: str | None,
    filtered: bool,
    checkpoint_file: Path | None,
    connection: Connection,
    output: Output,
) -> None:
    if stop is not None and start is not None and stop < start:
        raise click.UsageError(f"--to {stop} is before --from {start}.")
    if chaincode is not None and (filtered or stop is not None):
        raise click.UsageError("--chaincode goes with neither --filtered nor --to.")
    if not output.as_json:
        heading = FILTERED_HEADING if filtered else BLOCK_HEADING
        click.echo(columns(EVENT_HEADING if chaincode is not None else heading))

    async def follow() -> None:
        from medfab_gateway import AsyncFileCheckpointer

        async def save_block(block: Block | FilteredBlock) -> None:
            if kept:
                await kept.checkpoint_block(block.number)

        async def save_event(event: CommittedEvent) -> None:
            if kept:
                await kept.checkpoint_chaincode_event(event)

        with AsyncFileCheckpointer(checkpoint_file) if checkpoint_file else nullcontext() as kept:
            checkpoint = await kept.load() if kept else None
            async with connection.gateway(label) as gateway:
                network = gateway.network(channel)
                if chaincode is not None:
                    events = network.chaincode_events(chaincode, start, checkpoint=checkpoint)
                    await _follow(events, event_lines, save_event, output)
                elif filtered:
                    outcomes = network.filtered_block_events(start, stop, checkpoint=checkpoint)
                    await _follow(outcomes, filtered_lines, save_block, output)
                else:
                    blocks = network.block_events(start, stop, checkpoint=checkpoint)
                    await _follow(blocks, block_lines, save_block, output)

    run(follow)


async def _follow(
    stream: AsyncEventStream[_Item],
    lines: Callable[[_Item], Iterable[Line]],
    save: Callable[[_Item], Awaitable[None]],
    output: Output,
) -> None:
    async with stream:
        async for item in stream:
            for line in lines(item):
                if output.as_json:
                    output.json_line(line.row)
                else:
                    click.echo(columns(line.cells))
            await save(item)
