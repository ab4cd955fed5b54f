"""From resources to transactions: keyed ids, salts, and parts that fit."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator

from medfab_gateway.ehr._filing_key import FilingKey
from medfab_gateway.ehr.errors import BundleError
from medfab_gateway.ehr.fhir import Bundle, Resource

MAX_ITEMS = 200
"""Records in one transaction."""

MAX_BYTES = 1024 * 1024
"""Bytes of transient data in one transaction."""

MAX_RECORD_BYTES = 1_000_000
"""Of one record as JSON: the contract takes no larger one."""


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
            "labels": resource.labels.wire(),
            "resource": resource.text,
            "salt": secrets.token_hex(16),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
