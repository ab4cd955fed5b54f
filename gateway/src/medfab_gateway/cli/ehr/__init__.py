"""`medfab ehr`: health records, consents, access and audit."""

from __future__ import annotations

import click

from medfab_gateway.cli.ehr._access import break_glass, read, request
from medfab_gateway.cli.ehr._audit import audit, disclose
from medfab_gateway.cli.ehr._consent import consent
from medfab_gateway.cli.ehr._erase import erase
from medfab_gateway.cli.ehr._file import file
from medfab_gateway.cli.ehr._keys import keys
from medfab_gateway.cli.ehr._patient import holders, register
from medfab_gateway.cli.ehr._representative import representative
from medfab_gateway.cli.ehr._scan import scan


@click.group()
def ehr() -> None:
    """Health records: file, consent, request, read, audit, erase.

    Who you are decides what you may: patients register, consent and audit,
    practitioners file, request and read, auditors see the skeleton. What
    describes a patient is read from files, never from the command line.

    \b
    Examples:
      medfab ehr register --org hospital --identity PATIENT
      medfab ehr file bundle.json --patient PSEUDONYM \\
          --org hospital --identity practitioner
      medfab ehr consent grant --to ClinicMSP --purpose TREAT \\
          --category laboratory --days 30 --org hospital --identity PATIENT
      medfab ehr request PSEUDONYM --purpose TREAT --category laboratory \\
          --org clinic --identity practitioner
      medfab ehr read PSEUDONYM REQUEST --holder HospitalMSP \\
          --org clinic --identity practitioner
    """


for _command in (
    register,
    holders,
    representative,
    file,
    consent,
    request,
    read,
    break_glass,
    audit,
    disclose,
    erase,
    keys,
    scan,
):
    ehr.add_command(_command)
