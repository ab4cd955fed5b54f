"""From resources to transactions: keyed ids, salts, and parts that fit."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from medfab_gateway.ehr.errors import BundleError, FilingKeyError
from medfab_gateway.ehr.fhir import Bundle, Resource

MAX_ITEMS = 200
"""Records in one transaction."""

MAX_BYTES = 1024 * 1024
"""Bytes of transient data in one transaction."""

MAX_RECORD_BYTES = 1_000_000
"""Of one record as JSON: the contract takes no larger one."""

_KEY_BYTES = 32


@dataclass(frozen=True)
class FilingKey:
    """A holder's secret, which turns ids of resources into ids on the ledger.

    All who file for one organisation share it: with it a record is recognised when it is filed
    again; without it nobody can test the ledger for a guessed id. Keep a copy: with another key
    everything would be filed a second time.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < _KEY_BYTES:
            raise FilingKeyError(f"a filing key has at least {_KEY_BYTES} bytes")

    @classmethod
    def load_or_create(cls, path: Path) -> FilingKey:
        """Read the key from ``path`` (hex), or make one there, mode 0600.

        Safe when several processes do it at once. Raises :class:`FilingKeyError`.
        """
        try:
            if not path.exists():
                _create(path, secrets.token_hex(_KEY_BYTES))
            return cls(bytes.fromhex(path.read_text(encoding="ascii")))
        except (OSError, ValueError):
            # `from None`: a ValueError can quote the secret.
            raise FilingKeyError(
                f"{path} does not hold a filing key that can be read: restore it from a copy "
                "(a new one would file every record a second time)"
            ) from None

    def record_id(self, patient: str, key: str) -> str:
        """Return the ledger's id of the record ``key`` (``Type/id``) of ``patient``: 64 hex."""
        of_patient = hmac.digest(self.secret, patient.encode(), hashlib.sha256)
        return hmac.digest(of_patient, key.encode(), hashlib.sha256).hex()


def filing_items(bundle: Bundle, *, patient: str, key: FilingKey) -> list[bytes]:
    """Make the JSON of one item per resource, each with a salt of its own.

    Raises :class:`BundleError` for a resource that is too large to be filed.
    """
    items = [_item(resource, patient, key) for resource in bundle.resources]
    for index, item in enumerate(items):
        if len(item) > MAX_RECORD_BYTES:
            kind = bundle.resources[index].labels.resource_type
            raise BundleError(
                f"entry[{index}] {kind}: has {len(item)} bytes, and a record has at most "
                f"{MAX_RECORD_BYTES}: keep large attachments elsewhere, and file their address "
                "and hash (Attachment.url, Attachment.hash)"
            )
    return items


def split(
    items: Iterable[bytes], *, max_items: int = MAX_ITEMS, max_bytes: int = MAX_BYTES
) -> Iterator[bytes]:
    """Join items, in order, to transient values of ``FileRecords`` that keep to both limits."""
    batch: list[bytes] = []
    size = len(_HEAD) + len(_TAIL)
    for item in items:
        if batch and (len(batch) == max_items or size + 1 + len(item) > max_bytes):
            yield _join(batch)
            batch = []
            size = len(_HEAD) + len(_TAIL)
        size += len(item) + bool(batch)
        batch.append(item)
    if batch:
        yield _join(batch)


_HEAD, _TAIL = b'{"items":[', b"]}"


def _join(items: list[bytes]) -> bytes:
    return _HEAD + b",".join(items) + _TAIL


def _item(resource: Resource, patient: str, key: FilingKey) -> bytes:
    return json.dumps(
        {
            "id": key.record_id(patient, resource.key),
            "labels": asdict(resource.labels),
            "resource": resource.text,
            "salt": secrets.token_hex(16),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def _create(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: it never replaces the key that another process was faster with.
        path.hardlink_to(temporary)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
