"""The command `medfab-chaincode metadata`."""

import json

import click

from medfab_chaincode._loading import load_contract, search_working_directory
from medfab_chaincode._router import Router
from medfab_chaincode.errors import DefinitionError


@click.command()
@click.argument("contracts", nargs=-1, required=True, metavar="MODULE:CLASS...")
def metadata(*, contracts: tuple[str, ...]) -> None:
    """Print what the contracts tell about themselves, as JSON.

    It is what clients get from org.hyperledger.fabric:GetMetadata: functions, parameters, types,
    and who may call. It needs no network. A contract that cannot be served fails here, too.

    \b
    Examples:
      medfab-chaincode metadata notes:Notes
      medfab-chaincode metadata medfab_chaincode.ehr:EhrContract
    """
    search_working_directory()
    try:
        document = Router([load_contract(name) for name in contracts]).metadata
    except DefinitionError as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(json.loads(document), indent=2, ensure_ascii=False))
