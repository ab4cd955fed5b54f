"""What every command of `medfab pharma` needs: a client of the contract, and items from words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from medfab_gateway.cli._connection import (
    Connection,
    identity_option,
    pass_connection,
)
from medfab_gateway.cli._exit_codes import ExitCode
from medfab_gateway.cli._settings import CHANNEL, setting_option

if TYPE_CHECKING:
    from medfab_gateway.pharma import AsyncLogistics, Item, LotKeys
    from medfab_gateway.pharma.identifiers import Gtin

_F = TypeVar("_F", bound=Callable[..., Any])
_C = TypeVar("_C", bound="AsyncLogistics")
CHAINCODE = "pharma"


class UnusableError(click.ClickException):
    """Something given cannot be used; the message says why."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Who works, and where."""

    connection: Connection
    channel: str
    label: str | None
    gln: str | None
    lot_keys_file: Path | None

    @asynccontextmanager
    async def client(self, kind: type[_C], *, owner: bool = False) -> AsyncIterator[_C]:
        """A client of the contract. owner: with the lot keys of a product's owner."""
        from medfab_gateway.pharma import AsyncSupply
        from medfab_gateway.pharma.identifiers import Gln

        entry = self.connection.entry(self.label)
        msp_id = entry.identity.msp_id
        keys = self.lot_keys() if owner else None
        async with self.connection.gateway(self.label) as gateway:
            contract = gateway.network(self.channel).contract(CHAINCODE)
            gln = Gln(self.gln) if self.gln else None
            if gln is None:
                partner = await AsyncSupply(contract).partner(msp_id)
                gln = Gln(partner.glns[0]) if partner is not None and partner.glns else None
            yield kind(contract, msp_id=msp_id, gln=gln, lot_keys=keys)

    def lot_keys(self) -> LotKeys:
        """The owner's; made where there are none."""
        from medfab_gateway.pharma import LotKeys

        file = self.lot_keys_file or self.connection.wallet_path() / "lot-keys"
        return LotKeys.load_or_create(file)


def pass_desk(function: _F) -> _F:
    """Adds channel, identity, connection, `--gln` and `--lot-keys`; gives a `Desk`."""

    @setting_option(CHANNEL, "channel", default="supply", show_default=True)
    @identity_option
    @click.option("--gln", help="GLN of the premises; default: the first of the partner entry.")
    @click.option(
        "--lot-keys",
        "lot_keys_file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File of the owner's lot keys; default: lot-keys in the wallet.",
    )
    @pass_connection
    def command(
        connection: Connection,
        channel: str,
        label: str | None,
        gln: str | None,
        lot_keys_file: Path | None,
        **others: Any,
    ) -> Any:
        desk = Desk(
            connection=connection,
            channel=channel,
            label=label,
            gln=gln,
            lot_keys_file=lot_keys_file,
        )
        return function(desk=desk, **others)

    command.__name__ = function.__name__
    command.__doc__ = function.__doc__
    params = getattr(function, "__click_params__", [])
    command.__click_params__ = [*params, *command.__click_params__]  # type: ignore[attr-defined]
    return command  # type: ignore[return-value]


def items_of(words: tuple[str, ...], file: Path | None = None) -> list[Item]:
    """Items from the command line, and from the lines of a file."""
    lines = _lines(file) if file is not None else []
    found = [item(word) for word in (*words, *lines)]
    if not found:
        raise click.UsageError("Which items? Name them, or give --items FILE.")
    return found


def item(word: str) -> Item:
    """One pack, case or pallet."""
    from medfab_gateway.pharma import IdentifierError, ScanError, item_of
    from medfab_gateway.pharma.codes import scan
    from medfab_gateway.pharma.identifiers import Sgtin, Sscc

    try:
        if word.startswith(("01/", "00/", "urn:")) or "://" in word:
            return item_of(word)
        found = scan(word).identifier
    except (IdentifierError, ScanError) as error:
        raise UnusableError(str(error)) from error
    if not isinstance(found, Sgtin | Sscc):
        raise UnusableError(f"{word!r} names no single pack or pallet")
    return found


def gtin_of(word: str) -> Gtin:
    """A GTIN of 8 to 14 digits."""
    from medfab_gateway.pharma import IdentifierError
    from medfab_gateway.pharma.identifiers import Gtin

    try:
        return Gtin(word)
    except IdentifierError as error:
        raise UnusableError(str(error)) from error


def moment(text: str | None) -> datetime:
    """The option `--at`: when; default: now."""
    if text is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise click.UsageError(f"--at {text!r}: give a time such as 2026-07-22T06:45:00+02:00")
    return found


def day(text: str) -> date:
    """An expiry."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text!r} is no date such as 2027-12-31") from None


def _lines(file: Path) -> list[str]:
    try:
        return [line.strip() for line in file.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableError(f"{file} cannot be read: {error}") from error


at_option = click.option("--at", metavar="TIME", help="When it happened; default: now.")
items_option = click.option(
    "--items",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with one item on each line.",
)
