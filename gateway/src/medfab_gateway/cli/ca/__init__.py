"""`medfab ca`: identities from an organisation's certificate authority."""

from __future__ import annotations

import click

from medfab_gateway.cli._group import Group
from medfab_gateway.cli.ca.affiliation import affiliation
from medfab_gateway.cli.ca.certificate import certificate
from medfab_gateway.cli.ca.crl import crl
from medfab_gateway.cli.ca.enroll import enroll
from medfab_gateway.cli.ca.identity import identity
from medfab_gateway.cli.ca.info import info
from medfab_gateway.cli.ca.register import register
from medfab_gateway.cli.ca.renew import renew
from medfab_gateway.cli.ca.renew_files import renew_files
from medfab_gateway.cli.ca.revoke import revoke


@click.group(cls=Group, short_help="Register, enrol, renew and revoke with a Fabric CA.")
def ca() -> None:
    """Register, enrol, renew and revoke identities with an organisation's Fabric CA.

    Secrets are never options and never printed: they are in files, or in the
    environment variable MEDFAB_SECRET; `enroll` asks where it finds neither.

    \b
    Examples:
      medfab ca register dr-okafor --org hospital --secret-file okafor.secret \\
          --attribute medfab.role=practitioner \\
          --attribute medfab.practitioner=okafor
      medfab ca enroll dr-okafor --org hospital --secret-file okafor.secret
      medfab ca renew --org hospital --before 30d
      medfab ca revoke dr-okafor --org hospital
    """


for _command in (
    affiliation,
    certificate,
    crl,
    enroll,
    identity,
    info,
    register,
    renew,
    renew_files,
    revoke,
):
    ca.add_command(_command)
