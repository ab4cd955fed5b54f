"""From resources to transactions: keyed ids, salts, and parts that fit."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from medfab_gateway.ehr._filing_key import FilingKey
from medfab_gateway.ehr._keys.envelope import DataKey
from medfab_gateway.ehr._sealing import RecordText, Sealer
from medfab_gateway.ehr.errors import BundleError
from medfab_gateway.ehr.fhir import Bundle, Resource

MAX_ITEMS = 200
"""Records in one transaction."""

MAX_BYTES = 1024 * 1024
"""Bytes of transient data in one transaction."""

MAX_RECORD_BYTES = 1_000_000
"""Of one record as JSON: the contract takes no larger one."""


@dataclass(frozen=True)
class FilingItem:
    """One record, ready to be sent."""

    data: bytes = field(repr=False)
    is_document: bool = False


def filing_items(
    bundle: Bundle,
    *,
    patient: str,
    key: FilingKey,
    sealer: Sealer | None = None,
    data_key: DataKey | None = None,
) -> list[FilingItem]:
    """Make the JSON of one item per resource, each with a salt of its own.

    Raises :class:`BundleError` for a resource that is too large to be filed.
    """
    items = []
    for index, resource in enumerate(bundle.resources):
        place = f"entry[{index}] {resource.labels.resource_type}"
        record_id = key.record_id(patient, resource.key)
        text = RecordText(resource=resource.text, seal=None, is_document=False)
        if sealer is not None and data_key is not None:
            text = sealer.seal(resource.text, record_id=record_id, data_key=data_key, place=place)
        data = _item(record_id, resource, text)
        if len(data) > MAX_RECORD_BYTES:
            raise BundleError(
                f"{place}: has {len(data)} bytes, and a record has at most {MAX_RECORD_BYTES}: "
                "file it with a key store and a document store, which keeps what is large"
            )
        items.append(FilingItem(data, text.is_document))
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


def _item(record_id: str, resource: Resource, text: RecordText) -> bytes:
    fields = {
        "id": record_id,
        "labels": resource.labels.wire(),
        "resource": text.resource,
        "salt": secrets.token_hex(16),
    }
    if text.seal is not None:
        fields["seal"] = asdict(text.seal)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
