"""`medfab ca renew-files`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._expiry import time_left
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli.ca._authority import ask, ca_name_option
from medfab_gateway.cli.ca._certificate_files import CertificateFiles

if TYPE_CHECKING:
    from medfab_gateway.ca import AsyncCertificateAuthority
    from medfab_gateway.identity import Identity

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command("renew-files")
@click.argument("certificate", type=_FILE)
@click.argument("key", type=_FILE)
@ca_name_option
@pass_connection
@pass_output
def renew_files(
    certificate: Path, key: Path, ca_name: str | None, connection: Connection, output: Output
) -> None:
    """Renew the certificate and key in two files, such as those of a peer.

    CERTIFICATE and KEY are those of a node's MSP (signcerts, keystore) or of its
    TLS. The new certificate says what the old one says, hosts included. The node
    goes on with the old one until it is started again.

    Run it again if it was cut off: it finishes what it began.

    \b
    Examples:
      medfab ca renew-files msp/signcerts/cert.pem msp/keystore/key.pem \\
          --org hospital
      medfab ca renew-files tls/cert.pem tls/key.pem --org hospital \\
          --ca-name tlsca.hospital
    """
    from medfab_gateway.ca import AsyncRenewal

    profile = connection.profile()
    files = CertificateFiles(
        certificate, key, profile.msp_id(connection.organization_name(profile))
    )
    old = files.get(str(certificate)).identity

    async def call(authority: AsyncCertificateAuthority) -> Identity:
        return await AsyncRenewal(authority, files).renew(str(certificate))

    new = ask(connection, ca_name, call)
    output.line(
        f"Renewed {certificate}: it expires {time_left(new.valid_until)}. Start the node again."
    )
    if output.as_json:
        output.json(
            {
                "certificate": str(certificate),
                "old_valid_until": old.valid_until.isoformat(sep=" ", timespec="minutes"),
                "valid_until": new.valid_until.isoformat(sep=" ", timespec="minutes"),
            }
        )
