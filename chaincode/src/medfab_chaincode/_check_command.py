"""The command `medfab-chaincode check`."""

import json

import click

from medfab_chaincode._check import check_modules
from medfab_chaincode._loading import search_working_directory


@click.command()
@click.argument("contracts", nargs=-1, required=True, metavar="MODULE[:CLASS]...")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of findings.")
@click.pass_context
def check(context: click.Context, *, contracts: tuple[str, ...], as_json: bool) -> None:
    """Look for what two endorsing peers could do differently in the source of contracts.

    Reads the modules, and those of the same package that they import; runs nothing. Rules: clock,
    random, float, network, process (environment, files, the machine), order (of sets), hash,
    global (state that outlives a transaction), gateway (imports of the client). A comment on the
    line, or alone on the line before, allows one:

    \b
      rates = json.loads(RATES.read_text())  # medfab: allow[process] a file of this package

    Ends with 0 if nothing is found, 1 if something is, 2 if a module cannot be read.

    \b
    Examples:
      medfab-chaincode check notes
      medfab-chaincode check --json medfab_chaincode.ehr:EhrContract
    """
    search_working_directory()
    try:
        findings = check_modules(name.partition(":")[0] for name in contracts)
    except (ModuleNotFoundError, SyntaxError) as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        click.echo(json.dumps([finding.as_dict() for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(str(finding))
    context.exit(1 if findings else 0)
