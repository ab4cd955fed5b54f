"""`medfab network topology`: topology files to begin with."""

from __future__ import annotations

import click

from medfab_gateway.cli import Output, pass_output
from medfab_network.topology import READY_MADE, parse_topology, ready_made


@click.command()
@click.argument("name", type=click.Choice(READY_MADE), default=READY_MADE[0])
@pass_output
def topology(name: str, output: Output) -> None:
    """Print a topology file that comes with medfab.

    `consortium` is the default one, `laptop` the smallest that makes sense,
    `production` has five orderers, and two peers for each organisation with
    private data on both: docs/production.md.

    \b
    Example:
      medfab network topology laptop > laptop.yaml
    """
    text = ready_made(name)
    if output.as_json:
        import yaml

        output.json(dict(parse_topology(yaml.safe_load(text)).source))
        return
    for line in text.splitlines():
        output.line(line)
