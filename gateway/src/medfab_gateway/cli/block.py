"""`medfab block`: what is in a block."""

from __future__ import annotations

from typing import BinaryIO

import click

from medfab_gateway.cli._output import Output


@click.group()
def block() -> None:
    """What is in a block.

    \b
    Example:
      medfab block decode care_0.block
    """


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
