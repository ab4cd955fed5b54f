"""`medfab ca info`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._expiry import time_left
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli.ca._authority import ask, ca_name_option

if TYPE_CHECKING:
    from medfab_gateway.ca import AsyncCertificateAuthority, CertificateAuthorityInfo


@click.command()
@click.option(
    "--chain-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the CA's certificates to this file, PEM.",
)
@ca_name_option
@pass_connection
@pass_output
def info(
    chain_file: Path | None, ca_name: str | None, connection: Connection, output: Output
) -> None:
    """Show the CA: name, version, and until when its certificates are valid.

    \b
    Examples:
      medfab ca info --org hospital
      medfab ca info --org hospital --chain-file ca.pem
    """
    from cryptography import x509

    async def call(authority: AsyncCertificateAuthority) -> CertificateAuthorityInfo:
        return await authority.cainfo()

    told = ask(connection, ca_name, call)
    chain = x509.load_pem_x509_certificates(told.ca_chain)
    if chain_file is not None:
        chain_file.write_bytes(told.ca_chain)
    output.details(
        {
            "name": told.ca_name,
            "version": told.version,
            "subject": chain[0].subject.rfc4514_string(),
            "valid_until": chain[0].not_valid_after_utc.isoformat(sep=" ", timespec="minutes"),
            "expires": time_left(min(each.not_valid_after_utc for each in chain)),
            "certificates": len(chain),
        }
    )
