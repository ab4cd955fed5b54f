"""`medfab ehr keys`: the holder's key agent."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medfab_gateway.cli._connection import Connection
from medfab_gateway.cli._output import Output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.ehr._shared import (
    CHAINCODE,
    contract_of,
    ehr_command,
    keys_of,
    msp_id_of,
    plain,
)

if TYPE_CHECKING:
    from medfab_gateway.ehr import AgentStep


@click.group()
def keys() -> None:
    """The keys of sealed records: give them, take them away.

    \b
    Examples:
      medfab ehr keys serve --org hospital --identity practitioner
    """


@keys.command()
@click.option("--from", "start", type=click.IntRange(min=0), help="First block. Default: the next.")
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Go on after the last event that this file has; it is made where there is none.",
)
@ehr_command
def serve(
    start: int | None,
    checkpoint: Path | None,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Give keys to permits, and new ones after revocations.

    Must run wherever sealed records are held, or nobody can open what a
    permit releases. Ends with Ctrl-C. With --checkpoint nothing is missed
    in between.

    \b
    Examples:
      medfab ehr keys serve --org hospital --identity practitioner
      medfab ehr keys serve --checkpoint keys.checkpoint --json \\
          --org hospital --identity practitioner
    """

    def report(step: AgentStep) -> None:
        if output.as_json:
            output.json_line(plain(step))
        else:
            click.echo(f"{step.kind} {step.patient} {step.ref[:16]}: {step.done}")

    async def follow() -> None:
        from medfab_gateway import AsyncFileCheckpointer
        from medfab_gateway.ehr import AsyncKeyAgent

        with AsyncFileCheckpointer(checkpoint) if checkpoint else nullcontext() as kept:
            after = await kept.load() if kept else None
            async with connection.gateway(label) as gateway:
                network = gateway.network(channel)
                agent = AsyncKeyAgent(
                    network.contract(CHAINCODE),
                    msp_id=msp_id_of(connection, label),
                    keys=keys_of(connection),
                )
                events = network.chaincode_events(CHAINCODE, start, checkpoint=after)
                async with events as stream:
                    async for event in stream:
                        await agent.handle(event, report=report)
                        if kept:
                            await kept.checkpoint_chaincode_event(event)

    run(follow)


@keys.command()
@click.argument("patient")
@ehr_command
def rotate(
    patient: str, channel: str, label: str | None, connection: Connection, output: Output
) -> None:
    """Make a new data key for PATIENT.

    What was wrapped before opens nothing more.

    \b
    Examples:
      medfab ehr keys rotate PSEUDONYM --org hospital --identity practitioner
    """

    async def call() -> None:
        from medfab_gateway.ehr import AsyncKeyAgent

        async with contract_of(connection, label, channel) as contract:
            agent = AsyncKeyAgent(
                contract, msp_id=msp_id_of(connection, label), keys=keys_of(connection)
            )
            await agent.rotate(patient)

    run(call)
    output.details({"rotated": patient})
