"""The command `medfab-chaincode`."""

import click

from medfab_chaincode._check_command import check
from medfab_chaincode._metadata_command import metadata
from medfab_chaincode._package_command import package
from medfab_chaincode._serve_command import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="medfab-chaincode", prog_name="medfab-chaincode")
def main() -> None:
    """Check, package and serve Hyperledger Fabric chaincode written in Python."""


main.add_command(check)
main.add_command(metadata)
main.add_command(package)
main.add_command(serve)
