"""`medfab channel update`: an update of a channel's configuration, on its way between people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._admin import channel_admin, read_file, write_file
from medfab_gateway.cli._connection import Connection, identity_option, pass_connection
from medfab_gateway.cli._group import Group
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run

if TYPE_CHECKING:
    from medfab_gateway.admin import ChannelConfig, ConfigUpdateRequest

_file = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.group(cls=Group)
def update() -> None:
    """An update on its way: look at it, sign it, hand it in.

    The file is what `medfab channel edit --out` or `peer channel signconfigtx`
    writes.

    \b
    Examples:
      medfab channel update show update.pb --org clinic --identity admin
      medfab channel update sign update.pb --org clinic --identity admin
      medfab channel update submit update.pb --org clinic --identity admin
    """


@update.command()
@_file
@identity_option
@pass_connection
@pass_output
def show(file: Path, label: str | None, connection: Connection, output: Output) -> None:
    """Show what the update in FILE would change, and who has signed it.

    Compared with the configuration that your own peer has: an update does not
    say by itself what it removes. Look before you sign. With --json also the
    new contents, as `configtxlator` writes them.

    \b
    Example:
      medfab channel update show update.pb --org clinic --identity admin
    """
    request = _read(file)
    facts = described(request, _config(connection, label, request.channel_name))
    if output.as_json:
        output.json(facts | {"config_update": request.to_json()})
        return
    output.details({k: facts[k] for k in ("channel", "state", "signed_by")})
    output.table(facts["changes"], columns=["action", "kind", "path", "needs"])


@update.command()
@_file
@identity_option
@pass_connection
@pass_output
def sign(file: Path, label: str | None, connection: Connection, output: Output) -> None:
    """Sign the update in FILE for your organisation; the file keeps all signatures.

    Asks no node: it can be done on a machine without a network.

    \b
    Example:
      medfab channel update sign update.pb --org clinic --identity admin
    """
    entry = connection.entry(label)
    signed = _read(file).sign(entry.identity, entry.signer())
    write_file(file, signed.to_bytes())
    signers = [each.msp_id for each in signed.signers]
    if output.as_json:
        output.json({"file": str(file), "channel": signed.channel_name, "signed_by": signers})
    else:
        output.line(f"{file} is signed by {', '.join(signers)}.")


@update.command()
@_file
@identity_option
@pass_connection
@pass_output
def submit(file: Path, label: str | None, connection: Connection, output: Output) -> None:
    """Hand in the update in FILE, and wait until it is in force.

    Whoever hands it in need not have signed it. The exit code is 3 where
    signatures are missing, 6 where the configuration has changed since the
    update was made; nothing has changed then.

    \b
    Example:
      medfab channel update submit update.pb --org hospital --identity admin
    """
    submit_request(_read(file), label, connection, output)


def submit_request(
    request: ConfigUpdateRequest, label: str | None, connection: Connection, output: Output
) -> None:
    """Hand in an update, and say what became of it."""

    async def call() -> tuple[bool, int]:
        async with channel_admin(connection, label) as channels:
            changed = await channels.submit(request)
            return changed, (await channels.config(request.channel_name)).typed.sequence

    changed, sequence = run(call)
    if output.as_json:
        facts = {"channel": request.channel_name, "changed": changed, "sequence": sequence}
        output.json(facts)
    elif changed:
        output.line(f"In force on {request.channel_name} as configuration {sequence}.")
    else:
        output.line(f"It is in force on {request.channel_name} already.")


def described(request: ConfigUpdateRequest, config: ChannelConfig) -> dict[str, Any]:
    """What an update would do, for people and programs."""
    from medfab_gateway.admin import UpdateState

    state = request.state(config)
    changes = request.changes(config) if state is UpdateState.PENDING else ()
    return {
        "channel": request.channel_name,
        "state": state.value,
        "signed_by": [each.msp_id for each in request.signers],
        "changes": [
            {
                "action": each.action,
                "kind": each.kind,
                "path": each.path,
                "needs": each.mod_policy,
            }
            for each in changes
        ],
    }


def _config(connection: Connection, label: str | None, channel: str) -> ChannelConfig:
    async def ask() -> ChannelConfig:
        async with channel_admin(connection, label) as channels:
            return await channels.config(channel)

    return run(ask)


def _read(file: Path) -> ConfigUpdateRequest:
    from medfab_gateway.admin import ConfigUpdateRequest

    return ConfigUpdateRequest.from_bytes(read_file(file, "FILE"))
