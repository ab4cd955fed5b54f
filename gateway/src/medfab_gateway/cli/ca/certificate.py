"""`medfab ca certificate`: what a CA has issued."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._expiry import time_left
from medfab_gateway.cli._group import Group
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._times import Moment
from medfab_gateway.cli.ca._authority import ask, ca_name_option, credential, registrar_option

if TYPE_CHECKING:
    from medfab_gateway.ca import AsyncCertificateAuthority


@click.group(cls=Group)
def certificate() -> None:
    """Certificates that the CA has issued.

    \b
    Example:
      medfab ca certificate list --org hospital --id dr-okafor
    """


@certificate.command("list")
@click.option("--id", "enrollment_id", help="Only those of this identity.")
@click.option("--serial", help="Only that of this serial number, hexadecimal.")
@click.option("--expired/--valid", default=None, help="Only those that have, or have not, expired.")
@click.option("--revoked/--not-revoked", default=None, help="Only those that are, or are not.")
@click.option("--expire-before", type=Moment(), help="Only those that expire before.")
@click.option("--expire-after", type=Moment(), help="Only those that expire after.")
@click.option("--revoked-before", type=Moment(), help="Only those that were revoked before.")
@click.option("--revoked-after", type=Moment(), help="Only those that were revoked after.")
@click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write each to this folder, SERIAL.pem.",
)
@registrar_option
@ca_name_option
@pass_connection
@pass_output
def list_certificates(
    enrollment_id: str | None,
    serial: str | None,
    expired: bool | None,
    revoked: bool | None,
    expire_before: datetime | None,
    expire_after: datetime | None,
    revoked_before: datetime | None,
    revoked_after: datetime | None,
    store: Path | None,
    registrar: str,
    ca_name: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """List the certificates that fit all of the options.

    A TIME is 2026-12-31, 2026-12-31T08:00:00Z, 30d (from now) or -30d (ago).

    \b
    Examples:
      medfab ca certificate list --org hospital --id dr-okafor
      medfab ca certificate list --org hospital --expire-before 30d --not-revoked
      medfab ca certificate list --org hospital --revoked --json
    """
    number = _serial_number(serial)
    caller = credential(connection, registrar)

    async def call(authority: AsyncCertificateAuthority) -> tuple[set[bytes], tuple[bytes, ...]]:
        listed = await authority.certificates.list(
            caller,
            enrollment_id=enrollment_id,
            serial_number=number,
            expired=expired,
            revoked=revoked,
            expire_before=expire_before,
            expire_after=expire_after,
            revoked_before=revoked_before,
            revoked_after=revoked_after,
        )
        # A listed certificate does not tell whether it is revoked.
        standing = await authority.certificates.list(
            caller, enrollment_id=enrollment_id, serial_number=number, revoked=False
        )
        return set(standing), listed

    standing, listed = ask(connection, ca_name, call)
    rows = [_row(pem, revoked=pem not in standing) for pem in listed]
    if store is not None:
        store.mkdir(parents=True, exist_ok=True)
        for row, pem in zip(rows, listed, strict=True):
            (store / f"{row['serial_number']}.pem").write_bytes(pem)
    output.table(rows, columns=["enrollment_id", "serial_number", "expires", "revoked"])


def _serial_number(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(text.replace(":", ""), 16)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not hexadecimal", param_hint="--serial") from error


def _row(pem: bytes, *, revoked: bool) -> dict[str, Any]:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    from medfab_gateway.ca import CertificateId

    parsed = x509.load_pem_x509_certificate(pem)
    names = parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    which = CertificateId.of(pem)
    return {
        "enrollment_id": str(names[0].value) if names else "",
        "serial_number": which.serial_text,
        "authority_key_id": which.authority_key_id,
        "valid_until": parsed.not_valid_after_utc.isoformat(sep=" ", timespec="minutes"),
        "expires": time_left(parsed.not_valid_after_utc),
        "revoked": revoked,
    }
