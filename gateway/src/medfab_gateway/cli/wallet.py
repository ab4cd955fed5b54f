"""`medfab wallet`: the identities in a wallet."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._output import Output, pass_output

if TYPE_CHECKING:
    from medfab_gateway.wallet import WalletEntry


@click.group()
def wallet() -> None:
    """Identities: certificates with their private keys.

    \b
    Examples:
      medfab wallet list --org hospital
      medfab wallet show practitioner --org hospital --json
    """


@wallet.command("list")
@pass_connection
@pass_output
def list_identities(connection: Connection, output: Output) -> None:
    """List the identities of a wallet.

    \b
    Example:
      medfab wallet list --org hospital
    """
    store = connection.wallet()
    rows = [_summary(store.get(label)) for label in store.list()]
    if rows or output.as_json:
        output.table(rows, columns=["label", "msp_id", "roles", "valid_until", "expired"])
    else:
        output.line(f"The wallet {store.path} is empty; `medfab ca enroll` puts identities there.")


@wallet.command()
@click.argument("label")
@pass_connection
@pass_output
def show(label: str, connection: Connection, output: Output) -> None:
    """Show an identity's certificate; never its private key.

    \b
    Example:
      medfab wallet show practitioner --org hospital
    """
    entry = connection.wallet().get(label)
    certificate = entry.identity.certificate.decode("ascii")
    output.details(_summary(entry) | {"certificate": certificate})


def _summary(entry: WalletEntry) -> dict[str, Any]:
    from cryptography.x509.oid import NameOID

    from medfab_gateway._certificate_attributes import certificate_attributes

    certificate = entry.identity.x509
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    until = certificate.not_valid_after_utc
    return {
        "label": entry.label,
        "msp_id": entry.identity.msp_id,
        "common_name": str(names[0].value) if names else "",
        "roles": [str(unit.value) for unit in units],
        "attributes": certificate_attributes(certificate),
        "valid_until": until.isoformat(sep=" ", timespec="minutes"),
        "expired": until < datetime.now(UTC),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial_number": format(certificate.serial_number, "x"),
    }
