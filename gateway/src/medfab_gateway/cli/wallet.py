"""`medfab wallet`: the identities in a wallet."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._confirm import confirm, yes_option
from medfab_gateway.cli._connection import Connection, pass_connection
from medfab_gateway.cli._exit_codes import ConflictError
from medfab_gateway.cli._expiry import SOON, time_left
from medfab_gateway.cli._group import Group
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._settings import IDENTITY, completion_of

if TYPE_CHECKING:
    from medfab_gateway.wallet import WalletEntry


@click.group(cls=Group)
def wallet() -> None:
    """Identities: certificates with their private keys.

    The files are for their owner alone, in the layout of the official SDKs.

    \b
    Examples:
      medfab wallet list --org hospital
      medfab wallet show practitioner --org hospital --json
      medfab wallet import auditor --certificate cert.pem --key key.pem \\
          --org hospital
    """


@wallet.command("list")
@pass_connection
@pass_output
def list_identities(connection: Connection, output: Output) -> None:
    """List the identities of a wallet, and when they expire.

    \b
    Example:
      medfab wallet list --org hospital
    """
    store = connection.wallet()
    rows = [_summary(store.get(label)) for label in store.list()]
    if rows or output.as_json:
        output.table(rows, columns=["label", "msp_id", "roles", "valid_until", "expires"])
    else:
        output.line(f"The wallet {store.path} is empty; `medfab ca enroll` puts identities there.")
    if due := [row["label"] for row in rows if row["expires_soon"]]:
        click.echo(f"Renew with `medfab ca renew`: {', '.join(due)}.", err=True)


@wallet.command()
@click.argument("label", shell_complete=completion_of(IDENTITY))
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


@wallet.command("import")
@click.argument("label")
@click.option(
    "--certificate",
    "certificate_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    help="Certificate, PEM.",
)
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Its private key, PEM, not encrypted; none: the key is in the token.",
)
@click.option("--msp-id", help="MSP id; default: that of the organisation in the profile.")
@click.option("--replace", is_flag=True, help="Replace the identity that has the label now.")
@pass_connection
@pass_output
def import_identity(
    label: str,
    certificate_file: Path,
    key_file: Path | None,
    msp_id: str | None,
    replace: bool,
    connection: Connection,
    output: Output,
) -> None:
    """Put a certificate and its key from files into the wallet.

    Such as signcerts/ and keystore/ of an MSP folder. The files stay.

    \b
    Example:
      medfab wallet import auditor --certificate cert.pem --key key.pem \\
          --org hospital
    """
    from medfab_gateway.identity import Identity

    store = connection.wallet()
    if label in store.list() and not replace:
        raise ConflictError(
            f"The wallet {store.path} has an identity {label!r}: choose another label, or "
            "--replace it."
        )
    if msp_id is None:
        profile = connection.profile()
        msp_id = profile.msp_id(connection.organization_name(profile))
    identity = Identity(msp_id, certificate_file.read_bytes())
    if key_file is not None:
        store.put(label, identity, key_file.read_bytes())
    else:
        from medfab_gateway.hsm import HsmWallet

        HsmWallet(store, connection.token()).put(label, identity)
    output.line(f"Imported {label} into {store.path}.")
    if output.as_json:
        output.json(_summary(store.get(label)))


@wallet.command()
@click.argument("label", shell_complete=completion_of(IDENTITY))
@yes_option
@pass_connection
@pass_output
def remove(label: str, yes: bool, connection: Connection, output: Output) -> None:
    """Delete an identity with its private key.

    The certificate stays valid for whoever has a copy of the key: `medfab ca
    revoke` ends that. A key in a token stays there.

    \b
    Example:
      medfab wallet remove dr-okafor --org hospital --yes
    """
    store = connection.wallet()
    store.get(label)
    confirm(f"Delete {label} and its private key from {store.path}?", yes=yes)
    store.remove(label)
    output.line(f"Deleted {label}.")
    if output.as_json:
        output.json({"label": label, "wallet": str(store.path)})


def _summary(entry: WalletEntry) -> dict[str, Any]:
    from cryptography.x509.oid import NameOID

    from medfab_gateway._certificate_attributes import certificate_attributes

    certificate = entry.identity.x509
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    until, now = entry.identity.valid_until, datetime.now(UTC)
    return {
        "label": entry.label,
        "msp_id": entry.identity.msp_id,
        "common_name": str(names[0].value) if names else "",
        "roles": [str(unit.value) for unit in units],
        "attributes": certificate_attributes(certificate),
        "key": "file" if entry.private_key_pem is not None else "token",
        "valid_until": until.isoformat(sep=" ", timespec="minutes"),
        "expires": time_left(until, now),
        "expires_soon": until <= now + SOON,
        "expired": until <= now,
        "issuer": certificate.issuer.rfc4514_string(),
        "serial_number": format(certificate.serial_number, "x"),
    }
