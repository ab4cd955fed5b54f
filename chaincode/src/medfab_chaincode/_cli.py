"""The command `medfab-chaincode`."""

import click

from medfab_chaincode._serve_command import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Serve Hyperledger Fabric chaincode written in Python."""


main.add_command(serve)
