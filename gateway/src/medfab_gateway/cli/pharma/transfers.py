"""`medfab pharma transfer`: a product goes to another owner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.pharma._client import Desk, UnusableError, gtin_of, pass_desk


@click.group()
def transfer() -> None:
    """A product goes to another owner, who has to accept it.

    \b
    Examples:
      medfab pharma transfer offer 09521141012345 --to Manufacturer2MSP \\
          --lot-key-out lot-key
      medfab pharma transfer accept 09521141012345 lot-key
    """


@transfer.command()
@click.argument("gtin")
@click.option("--to", required=True, metavar="MSP", help="MSP id of the new owner.")
@click.option(
    "--lot-key-out",
    "key_file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Where to write the product's lot key, for the new owner alone.",
)
@pass_desk
@pass_output
def offer(gtin: str, to: str, key_file: Path, desk: Desk, output: Output) -> None:
    """Offer a product to another organisation.

    Its lot key, which names its lots on the ledger, goes to the new owner in
    a file that only you can read; take care how it gets there.

    \b
    Example:
      medfab pharma transfer offer 09521141012345 --to Manufacturer2MSP \\
          --lot-key-out lot-key
    """
    from medfab_gateway._files import write_private_file
    from medfab_gateway.pharma import AsyncManufacturer

    product = gtin_of(gtin)
    write_private_file(key_file, desk.lot_keys().of_product(product).encode())

    async def call() -> Any:
        async with desk.client(AsyncManufacturer) as client:
            return await client.offer_transfer(product, to)

    output.details({"transaction": run(call).transaction_id, "gtin": product.value, "to": to})


@transfer.command()
@click.argument("gtin")
@pass_desk
@pass_output
def withdraw(gtin: str, desk: Desk, output: Output) -> None:
    """Take an offer back.

    \b
    Example:
      medfab pharma transfer withdraw 09521141012345
    """
    from medfab_gateway.pharma import AsyncManufacturer

    product = gtin_of(gtin)

    async def call() -> Any:
        async with desk.client(AsyncManufacturer) as client:
            return await client.withdraw_transfer(product)

    output.details({"transaction": run(call).transaction_id, "gtin": product.value})


@transfer.command()
@click.argument("gtin")
@click.argument("lot_key", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@pass_desk
@pass_output
def accept(gtin: str, lot_key: Path, desk: Desk, output: Output) -> None:
    """Become the owner of a product, with its lot key.

    LOT_KEY: the file that `medfab pharma transfer offer` wrote.

    \b
    Example:
      medfab pharma transfer accept 09521141012345 lot-key
    """
    from medfab_gateway.pharma import AsyncManufacturer

    product = gtin_of(gtin)
    try:
        key = lot_key.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableError(f"{lot_key} cannot be read: {error}") from error

    async def call() -> Any:
        async with desk.client(AsyncManufacturer) as client:
            return await client.accept_transfer(product, key)

    output.details({"transaction": run(call).transaction_id, "gtin": product.value})
