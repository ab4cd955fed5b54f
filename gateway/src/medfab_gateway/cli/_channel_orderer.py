"""`medfab channel orderer`: which channels an orderer has (channel participation)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from medfab_gateway.cli._admin import read_file
from medfab_gateway.cli._confirm import confirm, yes_option
from medfab_gateway.cli._group import Group
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run

if TYPE_CHECKING:
    from medfab_gateway.admin import AsyncOrdererAdmin

_NOT_FOUND = 404
_F = TypeVar("_F", bound=Callable[..., Any])


@click.group(cls=Group)
def orderer() -> None:
    """The channels of an orderer, by its admin endpoint.

    Orderers know their administrators by TLS certificates alone.

    \b
    Examples:
      medfab channel orderer list --url https://localhost:17004 \\
          --tls-ca ca.pem --tls-certificate cert.pem --tls-key key.pem
      medfab channel orderer join care.block --url https://localhost:17004 \\
          --tls-ca ca.pem --tls-certificate cert.pem --tls-key key.pem
    """


def _pass_orderer(function: _F) -> _F:
    """Options that say which orderer and as whom, given as `admin`: makes the client."""

    def file_option(name: str, help: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return click.option(
            f"--{name}",
            required=True,
            type=click.Path(path_type=Path, dir_okay=False),
            envvar=f"MEDFAB_ORDERER_{name.upper().replace('-', '_')}",
            help=help,
        )

    @click.option("--url", required=True, envvar="MEDFAB_ORDERER_URL", help="https://host:port.")
    @file_option("tls-ca", "What the orderer's certificate must chain to, PEM.")
    @file_option("tls-certificate", "The administrator's TLS certificate, PEM.")
    @file_option("tls-key", "Its private key, PEM.")
    def command(url: str, tls_ca: Path, tls_certificate: Path, tls_key: Path, **others: Any) -> Any:
        def admin() -> AsyncOrdererAdmin:
            from medfab_gateway.admin import AsyncOrdererAdmin

            try:
                return AsyncOrdererAdmin(
                    url,
                    tls_root_certificates=read_file(tls_ca, "--tls-ca"),
                    client_certificate=read_file(tls_certificate, "--tls-certificate"),
                    client_key=read_file(tls_key, "--tls-key"),
                )
            except ValueError as error:
                raise click.UsageError(f"{error}.") from error

        return function(admin=admin, **others)

    command.__name__ = function.__name__
    command.__doc__ = function.__doc__
    own = getattr(function, "__click_params__", [])
    command.__click_params__ = [*own, *command.__click_params__]  # type: ignore[attr-defined]
    return command  # type: ignore[return-value]


@orderer.command("list")
@_pass_orderer
@pass_output
def list_channels(admin: Callable[[], AsyncOrdererAdmin], output: Output) -> None:
    """List the channels that the orderer has joined, with their state.

    \b
    Example:
      medfab channel orderer list --url https://localhost:17004 \\
          --tls-ca ca.pem --tls-certificate cert.pem --tls-key key.pem
    """

    async def ask() -> list[dict[str, Any]]:
        from medfab_gateway.admin import OrdererAdminError

        found = []
        async with admin() as client:
            for name in await client.channels():
                try:
                    found.append(await client.channel(name))
                except OrdererAdminError as error:
                    if error.status != _NOT_FOUND:  # it is just leaving
                        raise
        return [
            {
                "channel": each.name,
                "status": each.status,
                "relation": each.consensus_relation,
                "height": each.height,
            }
            for each in found
        ]

    rows = run(ask)
    if rows or output.as_json:
        output.table(rows, columns=["channel", "status", "relation", "height"])
    else:
        output.line("The orderer has joined no channel; `medfab channel orderer join` lets it.")


@orderer.command()
@click.argument("block", type=click.Path(path_type=Path, dir_okay=False))
@_pass_orderer
@pass_output
def join(block: Path, admin: Callable[[], AsyncOrdererAdmin], output: Output) -> None:
    """Let the orderer join the channel of the block in BLOCK.

    BLOCK is block 0 of a new channel, or the newest configuration block of a
    running one (`medfab block fetch config`).

    \b
    Example:
      medfab channel orderer join care.block --url https://localhost:17004 \\
          --tls-ca ca.pem --tls-certificate cert.pem --tls-key key.pem
    """
    from medfab_gateway.admin import ChannelConfig

    content = read_file(block, "BLOCK")
    name = ChannelConfig.from_block(content).channel_name

    async def call() -> dict[str, Any]:
        async with admin() as client:
            outcome = await client.join(content)
            state = await client.channel(name)
        return {"channel": name, "outcome": outcome.value, "status": state.status}

    output.details(run(call))


@orderer.command()
@click.argument("channel")
@_pass_orderer
@yes_option
@pass_output
def leave(channel: str, admin: Callable[[], AsyncOrdererAdmin], yes: bool, output: Output) -> None:
    """Let the orderer leave CHANNEL, and delete its blocks there.

    Take it out of the consensus first (`medfab channel edit remove-orderer`).

    \b
    Example:
      medfab channel orderer leave care --url https://localhost:17004 \\
          --tls-ca ca.pem --tls-certificate cert.pem --tls-key key.pem
    """
    confirm(f"Delete the blocks of {channel} at this orderer?", yes=yes)

    async def call() -> None:
        async with admin() as client:
            await client.leave(channel)

    run(call)
    output.details({"channel": channel, "outcome": "left"})
