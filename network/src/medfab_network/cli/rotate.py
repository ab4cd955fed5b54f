"""`medfab network rotate`: new certificates while the network runs."""

from __future__ import annotations

from pathlib import Path

import click

from medfab_gateway.cli import Output, confirm, pass_output, run, yes_option
from medfab_network._rotation import Kind, RotationReport
from medfab_network.cli._progress import ConsoleProgress
from medfab_network.cli.network import bin_dir_option, directory_option, existing

_NEXT = {
    "trust": "Let clients of other machines read the connection profile again, which has both "
    "roots now, and the other organisations learn it from the channel. Then repeat the command: "
    "everybody gets new certificates.",
    "renew": "Let programs read their wallets again, and renew what is in wallets elsewhere "
    "(`medfab ca renew`). When nobody uses certificates of the old root any more, repeat the "
    "command: it retires it.",
    "retire": "What the old root has issued is refused.",
}


@click.command()
@directory_option
@bin_dir_option
@click.option("--org", "organization", required=True, help="Whose certificates.")
@click.option(
    "--kind",
    type=click.Choice([each.value for each in Kind]),
    required=True,
    help="tls, sign, node (both, with one restart), or root.",
)
@click.option("--node", help="This node alone; default: all of them, one after the other.")
@yes_option
@pass_output
def rotate(
    directory: Path,
    bin_dir: Path | None,
    organization: str,
    kind: str,
    node: str | None,
    yes: bool,
    output: Output,
) -> None:
    """Replace certificates of a running organisation, without downtime.

    One node after the other gets a new key and certificate, is restarted, and
    has to be useful again before the next one. An orderer's are changed in
    every channel first. Operations endpoints show the node's TLS certificate.
    When it is cut off, repeat the command: it goes on.

    \b
    tls   peers, orderers and chaincodes
    sign  the identities of peers and orderers
    node  both at once
    root  a new root of the CAs, in three steps, each a call of its own: both
          roots are trusted; everybody gets new certificates; the old root is
          retired (asks first)

    People and programs renew theirs with `medfab ca renew`. All of it, and what
    clients need to see nothing of it: docs/rotate-certificates.md.

    \b
    Examples:
      medfab network rotate --kind tls --org hospital
      medfab network rotate --kind tls --org orderer --node orderer0.orderer
      medfab network rotate --kind root --org hospital
    """
    network = existing(directory, progress=ConsoleProgress(), bin_dir=bin_dir)
    if kind == Kind.ROOT and node is not None:
        raise click.UsageError("A root is of the whole organisation: leave --node away.")
    if kind == Kind.ROOT and network.next_root_step(organization) == "retire":
        confirm(
            f"Retire the old root of {organization}? Certificates that it has issued are refused "
            "from then on.",
            yes=yes,
        )
    report = run(lambda: network.rotate(organization, Kind(kind), node=node))
    _show(report, output)


def _show(report: RotationReport, output: Output) -> None:
    if output.as_json:
        output.json(
            {
                "organization": report.organization,
                "kind": report.kind.value,
                **({"step": report.step} if report.step else {}),
                "replaced": report.replaced,
                "identities": report.identities,
            }
        )
        return
    if report.replaced:
        output.table(
            [
                {
                    "node": row["node"],
                    "kind": row["kind"],
                    "old serial": row["old_serial"][:12],
                    "new serial": row["new_serial"][:12],
                    "back after": f"{row['seconds_until_useful']:.1f} s",
                }
                for row in report.replaced
            ],
            columns=["node", "kind", "old serial", "new serial", "back after"],
        )
    if report.identities:
        output.line(f"Renewed in the wallet: {', '.join(report.identities)}.")
    if report.step:
        output.line(_NEXT[report.step])
