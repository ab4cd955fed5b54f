"""`medfab contract`: call a contract's functions."""

from __future__ import annotations

import base64
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

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
    from medfab_gateway import AsyncSubmittedTransaction, Status


@click.group(cls=Group)
def contract() -> None:
    """Evaluate or submit a function of a contract.

    Arguments of a submitted transaction are in the block for every member of
    the channel to read: patient data goes into --transient, from a file.

    \b
    Examples:
      medfab contract evaluate ehr ListAccess --channel care \\
          --org hospital --identity PATIENT
      medfab contract submit ehr GrantConsent --channel care \\
          --org hospital --identity PATIENT --transient consent=consent.json
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
    label: str | None,
    transient: tuple[str, ...],
    targets: tuple[str, ...],
    timeout: float | None,
    connection: Connection,
    output: Output,
) -> None:
    """Ask a peer; nothing is written to the ledger.

    Prints the answer. With --json: "result" is the answer, or null where it
    is not JSON; "result_base64" is its bytes then.

    \b
    Examples:
      medfab contract evaluate ehr ListConsents --channel care \\
          --org hospital --identity PATIENT
      medfab contract evaluate ehr ListAccess --channel care \\
          --org hospital --identity PATIENT --target HospitalMSP --json
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

    _print_result(run(call), None, output)


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
    label: str | None,
    transient: tuple[str, ...],
    endorsers: tuple[str, ...],
    timeout: float | None,
    connection: Connection,
    output: Output,
) -> None:
    """Write to the ledger, and wait until it is committed.

    Prints the answer. With --json also "transaction_id" and "block_number".

    \b
    Examples:
      medfab contract submit ehr RevokeConsent CONSENT_ID --channel care \\
          --org hospital --identity PATIENT
      medfab contract submit ehr RequestAccess PSEUDONYM --channel care \\
          --org clinic --identity practitioner --transient request=request.json
    """
    data = _read_transient(transient)

    async def call() -> tuple[bytes, Status]:
        async with connection.gateway(label) as gateway:
            began = time.monotonic()
            submitted = (
                await gateway.network(channel)
                .contract(chaincode)
                .submit_async(
                    function,
                    *arguments,
                    transient=data,
                    endorsing_organizations=list(endorsers) or None,
                    timeout=timeout,
                )
            )
            left = None if timeout is None else max(0.0, timeout - (time.monotonic() - began))
            return submitted.result, await _outcome(submitted, left)

    result, status = run(call)
    _print_result(result, status, output)


async def _outcome(submitted: AsyncSubmittedTransaction[bytes], timeout: float | None) -> Status:
    """The status of a valid transaction; the errors of `AsyncContract.submit` otherwise."""
    from medfab_gateway import (
        CommitError,
        CommitStatusError,
        ConnectionFailedError,
        RequestLimitError,
    )

    try:
        status = await submitted.commit.status(timeout=timeout)
    except (ConnectionFailedError, RequestLimitError) as error:
        # Its own advice is to repeat the call, which here is to submit a second time.
        happened, _, _ = str(error).partition("\n")
        raise CommitStatusError(
            f"{happened}\nThe transaction {submitted.transaction_id} has been submitted and may "
            "become valid: look for it with `medfab events --from` before you submit it again.",
            code=error.code,
            transaction_id=submitted.transaction_id,
        ) from error
    if not status.successful:
        raise CommitError(
            code=status.code,
            transaction_id=status.transaction_id,
            block_number=status.block_number,
        )
    return status


def _read_transient(entries: tuple[str, ...]) -> dict[str, bytes]:
    """NAME=FILE entries; values never come from the command line, where others could read them."""
    data: dict[str, bytes] = {}
    for entry in entries:
        name, separator, file = entry.partition("=")
        if not name or not separator or not file:
            # Not quoted: who did not give a file may have given the value.
            raise click.BadParameter(
                "it is not NAME=FILE; the value is read from the file", param_hint="--transient"
            )
        if name in data:
            raise click.BadParameter(f"{name!r} is given twice", param_hint="--transient")
        try:
            data[name] = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError as error:
            raise click.BadParameter(
                f"the file for {name!r} cannot be read ({error.strerror}); the value itself does "
                "not go onto the command line",
                param_hint="--transient",
            ) from None
    return data


def _print_result(result: bytes, status: Status | None, output: Output) -> None:
    text = _json_text(result)
    if output.as_json:
        members = {
            # The answer goes in as it came: parsing it would change the digits of its numbers.
            "result": text or "null",
            "result_base64": "null" if text else json.dumps(base64.b64encode(result).decode()),
        }
        if status is not None:
            members["transaction_id"] = json.dumps(status.transaction_id)
            members["block_number"] = json.dumps(status.block_number)
        joined = ",".join(f"{json.dumps(name)}:{value}" for name, value in members.items())
        output.answer(f"{{{joined}}}")
    elif text:
        output.answer(text)
    elif result:
        output.text(result.decode(errors="replace"))
    if status is not None and not output.as_json:
        click.echo(f"Committed in block {status.block_number}.", err=True)


def _json_text(result: bytes) -> str | None:
    """The result as text if it is JSON, else None; an empty one is `null`."""
    try:
        text = result.decode() or "null"
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    return text
