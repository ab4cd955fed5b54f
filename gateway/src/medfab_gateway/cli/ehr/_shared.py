"""What the commands of `medfab ehr` have in common: clients, stores, times."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from medfab_gateway.cli._connection import (
    Connection,
    channel_option,
    identity_option,
    pass_connection,
)
from medfab_gateway.cli._output import pass_output

if TYPE_CHECKING:
    from medfab_gateway import AsyncContract
    from medfab_gateway.ehr import DocumentStore, FilingKey, KeyStore, PrivateKey

_F = TypeVar("_F", bound=Callable[..., Any])

CHAINCODE = "ehr"


def ehr_command(function: _F) -> _F:
    """The options that every command has: where, as whom, on which channel, and --json."""
    for decorate in (pass_output, pass_connection, identity_option, channel_option):
        function = decorate(function)
    return function


documents_option = click.option(
    "--documents",
    "documents_url",
    envvar="MEDFAB_DOCUMENTS",
    metavar="URL",
    help="Document store: a folder, or s3://bucket/folder. Default: in --dir.",
)
read_key_option = click.option(
    "--read-key",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="MEDFAB_READ_KEY",
    help="Private key (PEM) that opens records. Default: the identity's own.",
)


@asynccontextmanager
async def contract_of(
    connection: Connection, label: str | None, channel: str
) -> AsyncIterator[AsyncContract]:
    """The contract, as the identity."""
    async with connection.gateway(label) as gateway:
        yield gateway.network(channel).contract(CHAINCODE)


def msp_id_of(connection: Connection, label: str | None) -> str:
    """Whose the identity is."""
    return connection.entry(label).identity.msp_id


def filing_key_of(connection: Connection) -> FilingKey:
    """The holder's filing key, beside its wallet; made where there is none."""
    from medfab_gateway.ehr import FilingKey

    return FilingKey.load_or_create(connection.wallet_path() / "filing-key")


def keys_of(connection: Connection) -> KeyStore:
    """The holder's data keys, beside its wallet."""
    from medfab_gateway.ehr import KeyStore

    return KeyStore(connection.wallet_path() / "data-keys", filing_key_of(connection))


def documents_of(connection: Connection, url: str | None) -> DocumentStore:
    """The named document store, or a folder of the network."""
    from medfab_gateway.ehr import DocumentStore

    return DocumentStore(url or str(connection.directory / "documents"))


def private_key_of(connection: Connection, label: str | None, file: Path | None) -> PrivateKey:
    """The named key, or the identity's own."""
    from medfab_gateway.ehr import load_private_key

    if file is None:
        return load_private_key(connection.entry(label).private_key_pem)
    return load_private_key(file.read_bytes())


def moment(value: datetime | None) -> datetime | None:
    """Times on the command line are in UTC."""
    return None if value is None else value.replace(tzinfo=UTC)


def plain(value: Any) -> Any:
    """For JSON: times as text, enumerations as their values, tuples as lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value.value if isinstance(value, Enum) else value


def text_of(file: Path) -> str:
    """A text that is about a patient, from a file."""
    text = file.read_text(encoding="utf-8", errors="replace").strip()
    if not text:
        raise click.UsageError(f"{file} is empty: it must say why.")
    return text


def patient_of(connection: Connection, label: str | None, patient: str | None) -> str:
    """The pseudonym that was named, or that is in the identity's certificate."""
    if patient is not None:
        return patient
    from cryptography import x509

    from medfab_gateway._certificate_attributes import certificate_attributes

    certificate = x509.load_pem_x509_certificate(connection.entry(label).identity.certificate)
    found = certificate_attributes(certificate).get("medfab.patient")
    if not found:
        raise click.UsageError("Whose record? The identity is no patient's: give --patient.")
    return found
