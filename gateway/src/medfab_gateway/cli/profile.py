"""`medfab profile`: the connection profile, and whether what it names is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._exit_codes import ExitCode
from medfab_gateway.cli._group import Group
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run

if TYPE_CHECKING:
    from medfab_gateway.profile import CertificateAuthorityProfile, ConnectionProfile

_COLUMNS = ["organization", "msp_id", "kind", "name", "address"]


@click.group(cls=Group)
def profile() -> None:
    """Connection profiles: where the nodes of a network are.

    The profile is the file of --profile, or connection.json of the organisation
    in --dir.

    \b
    Examples:
      medfab profile show --org hospital
      medfab profile check --profile connection.yaml --json
    """


@profile.command()
@pass_connection
@pass_output
def show(connection: Connection, output: Output) -> None:
    """Show the peers and certificate authorities that the profile names.

    \b
    Examples:
      medfab profile show --org hospital
      medfab profile show --profile connection.yaml
    """
    output.table(_nodes(connection.profile()), columns=_COLUMNS)


@profile.command()
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    help="Seconds for each node.",
)
@pass_connection
@pass_output
def check(timeout: float, connection: Connection, output: Output) -> None:
    """Connect to every node of the profile, and check its TLS certificate.

    The exit code is 5 unless all of them answer, with the certificates that the
    profile trusts.

    \b
    Example:
      medfab profile check --org hospital
    """
    read = connection.profile()
    rows = _nodes(read)

    async def call() -> list[str | None]:
        return await asyncio.gather(*(_problem(read, row, timeout) for row in rows))

    problems = run(call)
    for row, problem in zip(rows, problems, strict=True):
        row["answers"] = problem is None
        row["problem"] = problem
    output.table(rows, columns=["organization", "name", "address", "answers", "problem"])
    if any(problems):
        click.get_current_context().exit(ExitCode.UNREACHABLE)


def _nodes(profile: ConnectionProfile) -> list[dict[str, Any]]:
    rows = []
    for organization in profile.organizations:
        whose = {"organization": organization, "msp_id": profile.msp_id(organization)}
        for name in profile.peer_names(organization):
            address = profile.peer_endpoint(name).address
            rows.append({**whose, "kind": "peer", "name": name, "address": address})
        for name in profile.certificate_authority_names(organization):
            url = profile.certificate_authority(name).url
            rows.append({**whose, "kind": "ca", "name": name, "address": url})
    return rows


async def _problem(profile: ConnectionProfile, row: dict[str, Any], timeout: float) -> str | None:
    if row["kind"] == "ca":
        return await _problem_of_authority(profile.certificate_authority(row["name"]), timeout)
    from medfab_gateway._tls_check import tls_problem

    endpoint = profile.peer_endpoint(row["name"])
    return await tls_problem(endpoint, timeout)


async def _problem_of_authority(
    authority: CertificateAuthorityProfile, timeout: float
) -> str | None:
    from medfab_gateway.ca import AsyncCertificateAuthority, CertificateAuthorityError

    if authority.tls_root_certificates is None:
        return "the profile has no tlsCACerts for it"
    try:
        async with AsyncCertificateAuthority(
            authority.url,
            ca_name=authority.ca_name or "",
            tls_root_certificates=authority.tls_root_certificates,
            timeout=timeout,
        ) as ca:
            await ca.cainfo()
    except (CertificateAuthorityError, ValueError) as error:
        return str(error)
    return None
