"""`medfab contract`: call a contract's functions."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from medfab_gateway.cli._connection import (
    Connection,
    channel_option,
    identity_option,
    pass_connection,
)
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run


@click.group()
def contract() -> None:
    """Evaluate or submit a function of a contract.

    Arguments of a submitted transaction are in the block for every member of
    the channel to read: patient data goes into --transient, from a file.

    \b
    Examples:
      medfab contract evaluate ehr ListAccess --channel care \\
          --org hospital --identity patient-…
      medfab contract submit ehr GrantConsent --channel care \\
          --org hospital --identity patient-… --transient consent=consent.json
    """


_transient = click.option(
    "--transient",
    "transient",
    multiple=True,
    metavar="NAME=FILE",
    help="Transient data from a file ('-' is standard input); may be repeated.",
)
_timeout = click.option(
    "--timeout", type=click.FloatRange(min=0.1), help="Seconds for the whole call."
)


@contract.command()
@click.argument("chaincode")
@click.argument("function")
@click.argument("arguments", nargs=-1)
@channel_option
@identity_option
@_transient
@click.option("--target", "targets", multiple=True, metavar="MSP", help="Whose peer answers.")
@_timeout
@pass_connection
@pass_output
def evaluate(
    chaincode: str,
    function: str,
    arguments: tuple[str, ...],
    channel: str,
    label: str,
    transient: tuple[str, ...],
    targets: tuple[str, ...],
    timeout: float | None,
    connection: Connection,
    output: Output,
) -> None:
    """Ask a peer; nothing is written to the ledger.

    \b
    Example:
      medfab contract evaluate ehr ListConsents --channel care \\
          --org hospital --identity patient-…
    """
    data = _read_transient(transient)

    async def call() -> bytes:
        async with connection.gateway(label) as gateway:
            return (
                await gateway.network(channel)
                .contract(chaincode)
                .evaluate(
                    function,
                    *arguments,
                    transient=data,
                    target_organizations=list(targets) or None,
                    timeout=timeout,
                )
            )

    _print_result(run(call()), output)


@contract.command()
@click.argument("chaincode")
@click.argument("function")
@click.argument("arguments", nargs=-1)
@channel_option
@identity_option
@_transient
@click.option("--endorser", "endorsers", multiple=True, metavar="MSP", help="Who endorses.")
@_timeout
@pass_connection
@pass_output
def submit(
    chaincode: str,
    function: str,
    arguments: tuple[str, ...],
    channel: str,
    label: str,
    transient: tuple[str, ...],
    endorsers: tuple[str, ...],
    timeout: float | None,
    connection: Connection,
    output: Output,
) -> None:
    """Write to the ledger, and wait until it is committed.

    \b
    Example:
      medfab contract submit ehr RevokeConsent CONSENT_ID --channel care \\
          --org hospital --identity patient-…
    """
    data = _read_transient(transient)

    async def call() -> bytes:
        async with connection.gateway(label) as gateway:
            return (
                await gateway.network(channel)
                .contract(chaincode)
                .submit(
                    function,
                    *arguments,
                    transient=data,
                    endorsing_organizations=list(endorsers) or None,
                    timeout=timeout,
                )
            )

    _print_result(run(call()), output)


def _read_transient(entries: tuple[str, ...]) -> dict[str, bytes]:
    """NAME=FILE entries; values never come from the command line, where others could read them."""
    data = {}
    for entry in entries:
        name, separator, file = entry.partition("=")
        if not name or not separator or not file:
            raise click.BadParameter(f"{entry!r} is not NAME=FILE", param_hint="--transient")
        try:
            data[name] = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError as error:
            raise click.BadParameter(
                f"{file}: {error.strerror}", param_hint="--transient"
            ) from error
    return data


def _print_result(result: bytes, output: Output) -> None:
    try:
        value = json.loads(result) if result else None
    except ValueError:
        click.echo(result.decode(errors="replace"))
        return
    if output.as_json or isinstance(value, dict | list):
        output.json(value)
    elif value is not None:
        click.echo(result.decode())
