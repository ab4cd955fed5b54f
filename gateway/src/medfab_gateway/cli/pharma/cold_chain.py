"""`medfab pharma cold-chain`: devices, limits, readings, and what came of them."""

from __future__ import annotations

import base64
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.pharma._client import Desk, UnusableError, item, pass_desk

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group("cold-chain")
def cold_chain() -> None:
    """The temperature of goods: devices, limits, readings.

    What a device signs is judged by the contract: goods whose budget of time
    outside the limits is used up are quarantined at once.

    \b
    Examples:
      medfab pharma cold-chain device logger-7 logger-7.pem
      medfab pharma cold-chain start 00/395211410000000015 --device logger-7 \\
          --lowest 2 --highest 8 --budget 30
      medfab pharma cold-chain show 00/395211410000000015
    """


@cold_chain.command()
@click.argument("device_id")
@click.argument("public_key", type=_FILE)
@pass_desk
@pass_output
def device(device_id: str, public_key: Path, desk: Desk, output: Output) -> None:
    """Register a device with its PUBLIC_KEY (PEM, P-256).

    \b
    Example:
      medfab pharma cold-chain device logger-7 logger-7.pem
    """
    from medfab_gateway.pharma import AsyncLogistics

    pem = _text(public_key)

    async def call() -> Any:
        async with desk.client(AsyncLogistics) as client:
            return await client.register_device(device_id, pem)

    output.details({"transaction": run(call).transaction_id, "device": device_id})


@cold_chain.command()
@click.argument("item_", metavar="ITEM")
@click.option("--device", "device_id", required=True, help="A registered device.")
@click.option("--lowest", type=float, required=True, help="In degrees Celsius.")
@click.option("--highest", type=float, required=True, help="In degrees Celsius.")
@click.option("--budget", type=click.IntRange(min=0), required=True, help="Minutes outside them.")
@click.option(
    "--gap",
    type=click.IntRange(min=1),
    default=60,
    show_default=True,
    help="Minutes without a reading that count as outside.",
)
@pass_desk
@pass_output
def start(
    item_: str,
    device_id: str,
    lowest: float,
    highest: float,
    budget: int,
    gap: int,
    desk: Desk,
    output: Output,
) -> None:
    """Watch the temperature of an ITEM, and of all that is inside.

    \b
    Example:
      medfab pharma cold-chain start 00/395211410000000015 \\
          --device logger-7 --lowest 2 --highest 8 --budget 30
    """
    from medfab_gateway.pharma import AsyncLogistics

    watched = item(item_)

    async def call() -> Any:
        async with desk.client(AsyncLogistics) as client:
            return await client.start_monitoring(
                watched,
                device_id,
                lowest=round(lowest * 1000),
                highest=round(highest * 1000),
                budget_ms=budget * 60_000,
                max_gap_ms=gap * 60_000,
            )

    output.details({"transaction": run(call).transaction_id, "item": str(watched)})


@cold_chain.command()
@click.argument("item_", metavar="ITEM")
@click.argument("payload", type=_FILE)
@click.argument("signature", type=_FILE)
@pass_desk
@pass_output
def record(item_: str, payload: Path, signature: Path, desk: Desk, output: Output) -> None:
    """Pass on a batch of readings: PAYLOAD as the device signed it.

    SIGNATURE: ECDSA with SHA-256 over the bytes of PAYLOAD, DER, in base64.

    \b
    Example:
      medfab pharma cold-chain record 00/395211410000000015 \\
          batch-1.json batch-1.sig
    """
    from medfab_gateway.pharma import AsyncLogistics

    watched, said, signed = item(item_), _text(payload), _text(signature).strip()
    try:
        base64.b64decode(signed, validate=True)
    except ValueError as error:
        raise UnusableError(f"{signature} is not in base64") from error

    async def call() -> Any:
        async with desk.client(AsyncLogistics) as client:
            return await client.record_readings(watched, said, signed)

    done = run(call)
    output.details({"transaction": done.transaction_id, "breached": done.breached})


@cold_chain.command()
@click.argument("item_", metavar="ITEM")
@pass_desk
@pass_output
def stop(item_: str, desk: Desk, output: Output) -> None:
    """The ITEM has arrived: it is watched no longer.

    \b
    Example:
      medfab pharma cold-chain stop 00/395211410000000015
    """
    from medfab_gateway.pharma import AsyncLogistics

    watched = item(item_)

    async def call() -> Any:
        async with desk.client(AsyncLogistics) as client:
            return await client.stop_monitoring(watched)

    output.details({"transaction": run(call).transaction_id, "item": str(watched)})


@cold_chain.command()
@click.argument("item_", metavar="ITEM")
@pass_desk
@pass_output
def show(item_: str, desk: Desk, output: Output) -> None:
    """Tell how warm an ITEM was, as far as it matters.

    \b
    Example:
      medfab pharma cold-chain show 00/395211410000000015
    """
    from medfab_gateway.pharma import AsyncLogistics

    watched = item(item_)

    async def call() -> Any:
        async with desk.client(AsyncLogistics) as client:
            return await client.monitoring(watched)

    found = run(call)
    if found is None:
        from medfab_gateway.cli._exit_codes import NotFoundError

        raise NotFoundError(f"{watched} is not watched: `medfab pharma cold-chain start` begins.")
    facts = asdict(found)
    facts["last_at"] = None if found.last_at is None else found.last_at.isoformat()
    output.details(facts)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableError(f"{file} cannot be read: {error}") from error
