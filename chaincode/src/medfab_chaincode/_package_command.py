"""The command `medfab-chaincode package`."""

import json
from pathlib import Path
from typing import Any

import click

from medfab_chaincode._package import package_ccaas
from medfab_chaincode.errors import SettingsError

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("label")
@click.option("--output", type=_FILE, required=True, help="Where to write the package, a tar.gz.")
@click.option(
    "--connection",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A connection.json to put in. Without it the peers' external builder must know the"
    " address, and all organisations share one package.",
)
def package(*, label: str, output: Path, connection: Path | None) -> None:
    """Make a chaincode package for a service (type ccaas) and print its id.

    It holds no code. The same label and connection make the same bytes on every machine, so
    organisations that package for themselves get the id that the others approve.

    \b
    Examples:
      medfab-chaincode package notes_1.0 --output notes.tar.gz
      medfab-chaincode package notes_1.0 --output notes.tar.gz --connection connection.json
    """
    try:
        package_id, content = package_ccaas(label, _parsed(connection))
        output.write_bytes(content)
    except (SettingsError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(package_id)


def _parsed(connection: Path | None) -> dict[str, Any] | None:
    if connection is None:
        return None
    try:
        document = json.loads(connection.read_bytes())
    except ValueError as error:
        raise click.ClickException(f"{connection} is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise click.ClickException(f"{connection} is no JSON object")
    return document
