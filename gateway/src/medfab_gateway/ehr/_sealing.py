"""What goes on file in place of a resource: itself, sealed; or a note of where its document is.

A holder with a :class:`KeyStore` seals every record. A resource of more than 100 KiB goes to the
document store, and the record says where it is and what its bytes must be.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from medfab_gateway.ehr._documents import DocumentReference, DocumentStore
from medfab_gateway.ehr._keys.envelope import (
    ContentKey,
    DataKey,
    is_sealed,
    open_content,
    seal_content,
    unwrap_key,
    wrap_key,
)
from medfab_gateway.ehr._keys.key_store import KeyStore
from medfab_gateway.ehr._keys.sealed_box import (
    PrivateKey,
    PublicKey,
    fingerprint,
    open_sealed,
    seal_to,
)
from medfab_gateway.ehr.errors import DataKeyError, DocumentError, TamperError

DOCUMENT_BYTES = 100 * 1024
"""A resource that is larger, as JSON, is kept in the document store."""

_DOCUMENT = "medfab-document-1:"


@dataclass(frozen=True, kw_only=True)
class Seal:
    """Beside a sealed record: its key, under the patient's data key ``key_id``."""

    key_id: str
    wrapped_key: str


@dataclass(frozen=True, kw_only=True)
class Wrap:
    """A patient's data key, sealed to the recipient of one permit."""

    key_id: str
    recipient: str
    """SHA-256 (hex) of the public key."""
    sealed: str


@dataclass(frozen=True, kw_only=True)
class RecordText:
    """What the contract keeps as a record's resource."""

    resource: str
    seal: Seal | None
    is_document: bool


class Sealer:
    """Seals the records of one patient at one holder."""

    def __init__(self, patient: str, keys: KeyStore, documents: DocumentStore | None) -> None:
        self._patient = patient
        self._keys = keys
        self._documents = documents
        self._secret = keys.content_secret(patient)

    def seal(self, text: str, *, record_id: str, data_key: DataKey, place: str) -> RecordText:
        """Seal a resource. ``place``: what an error calls it."""
        key = ContentKey.derived(self._secret, record_id=record_id, text=text)
        data = text.encode()
        is_document = len(data) > DOCUMENT_BYTES
        if is_document:
            text = _DOCUMENT + json.dumps(asdict(self._store(data, key, record_id, place)))
        return RecordText(
            resource=seal_content(text, key, record_id=record_id),
            seal=Seal(
                key_id=data_key.key_id, wrapped_key=wrap_key(key, data_key, record_id=record_id)
            ),
            is_document=is_document,
        )

    def _store(self, data: bytes, key: ContentKey, record_id: str, place: str) -> DocumentReference:
        if self._documents is None:
            raise DocumentError(
                f"{place}: has {len(data)} bytes, and what has more than {DOCUMENT_BYTES} needs a "
                "document store: give one"
            )
        folder = self._keys.folder_name(self._patient)
        digest = hashlib.sha256(data).hexdigest()
        name = hmac.digest(self._secret, f"{record_id}/{digest}".encode(), hashlib.sha256).hex()
        reference = DocumentReference(name=f"{folder}/{name[:32]}", sha256=digest, size=len(data))
        if not self._documents.exists(reference.name):
            self._documents.put(data, key.for_document(), folder=folder, file_name=name[:32])
        return reference


def open_record(
    resource: str,
    seal: Seal | None,
    data_keys: Mapping[str, DataKey],
    *,
    record_id: str,
    documents: DocumentStore | None,
) -> str:
    """The resource's JSON.

    Raises :class:`DataKeyError` where the key is missing, :class:`TamperError` where what is there
    is not what was filed, :class:`DocumentError` where the document cannot be had.
    """
    if seal is None:
        if is_sealed(resource):
            raise TamperError("a sealed record has lost its seal")
        return resource
    data_key = data_keys.get(seal.key_id)
    if data_key is None:
        raise DataKeyError("the record is under a data key that is not here")
    key = unwrap_key(seal.wrapped_key, data_key, record_id=record_id)
    text = open_content(resource, key, record_id=record_id)
    if not text.startswith(_DOCUMENT):
        return text
    reference = DocumentReference(**_parsed(text.removeprefix(_DOCUMENT)))
    if documents is None:
        raise DocumentError(
            "the record is a document, which is in the holder's document store: give one"
        )
    try:
        return documents.get(reference, key.for_document()).decode()
    except TamperError as error:
        error.expected = reference.sha256
        error.observed = documents.digest(reference.name)
        error.kind = "document"
        raise


def wrap_for(data_key: DataKey, recipient: PublicKey, *, patient: str, request_id: str) -> Wrap:
    """Seal a data key to the requester of a permit: it opens for that permit alone."""
    context = _context(patient, request_id, data_key.key_id)
    return Wrap(
        key_id=data_key.key_id,
        recipient=fingerprint(recipient),
        sealed=seal_to(recipient, data_key.secret, context=context),
    )


def open_wrap(wrap: Wrap, private_key: PrivateKey, *, patient: str, request_id: str) -> DataKey:
    """The data key; :class:`DataKeyError` if it was sealed to another key, or another permit."""
    context = _context(patient, request_id, wrap.key_id)
    return DataKey(wrap.key_id, open_sealed(private_key, wrap.sealed, context=context))


def _context(patient: str, request_id: str, key_id: str) -> str:
    return f"medfab data key/{patient}/{request_id}/{key_id}"


def _parsed(text: str) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(text)  # authenticated: the holder wrote it
    return fields
