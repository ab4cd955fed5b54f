"""What a call has shown of a chaincode, in a form that can be compared between chaincodes.

What cannot be equal is given a name that is: the chaincode's own name, the ids of transactions
that were submitted (each has its own), the versions of what they wrote, signatures.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from medfab_gateway import (
    BlockTransaction,
    CollectionReadWriteSet,
    NamespaceReadWriteSet,
    Version,
)
from medfab_gateway.errors import GatewayError

_PARTS = (
    "namespace",
    "collection",
    "reads",
    "range_queries",
    "writes",
    "metadata_writes",
    "private_hash",
    "collections",
)
"""Of a read-write set: all that it has."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """An answer (status 200) with its effects, or a refusal with its words."""

    status: int
    message: str = ""
    code: str | None = None
    """Of a refusal in the form of our contract API."""
    payload: str = ""
    event: Any = None
    read_write_sets: Any = None
    validation: str = ""
    """The validation code of what was submitted."""

    @property
    def refused(self) -> bool:
        return self.status != 200


@dataclass
class Names:
    """What to call what differs between chaincodes by its nature."""

    texts: dict[str, str]
    """Of one chaincode: what stands in a text → the name for it."""
    versions: dict[tuple[int, int], str] = field(default_factory=dict)
    """Block and number in it → which submission of the run that was."""

    def text(self, text: str) -> str:
        for found, name in self.texts.items():
            text = text.replace(found, name)
        return text

    def plain(self, value: Any) -> Any:
        """Plain data: bytes as hexadecimal, versions and texts under their names."""
        if isinstance(value, Version):
            where = (value.block_number, value.transaction_number)
            return self.versions.get(where, "before the run")
        if isinstance(value, NamespaceReadWriteSet | CollectionReadWriteSet):
            parts = [part for part in _PARTS if hasattr(value, part)]
            return {part: self.plain(getattr(value, part)) for part in parts}
        if dataclasses.is_dataclass(value):
            return {
                field.name: self.plain(getattr(value, field.name))
                for field in dataclasses.fields(value)
            }
        if isinstance(value, bytes):
            return value.hex()
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, tuple):
            return [self.plain(item) for item in value]
        if isinstance(value, dict):
            return {name: self.plain(item) for name, item in value.items()}
        return value


def answered(transaction: BlockTransaction, names: Names) -> Observed:
    """What an endorsed or committed transaction shows."""
    response = transaction.response
    assert response is not None, transaction.undecoded
    event = transaction.event
    return Observed(
        status=response.status,
        message=names.text(response.message),
        payload=names.text(response.payload.decode("utf-8", "backslashreplace")),
        event=None if event is None else [event.name, event.payload.hex()],
        read_write_sets=names.plain(transaction.read_write_sets),
        validation=transaction.validation_code,
    )


def refused(error: GatewayError, names: Names) -> Observed:
    """What a failed endorsement shows. Status 0: the chaincode gave no answer."""
    failure = error.chaincode
    if failure is None:
        words = [detail.message for detail in error.details] or [str(error)]
        return Observed(status=0, message=names.text(words[0]))
    return Observed(status=failure.status, message=names.text(failure.message), code=failure.code)


def same_payload(one: str, other: str) -> bool:
    """Lists and objects as JSON, anything else as it is."""
    return bool(_structure(one) == _structure(other))


def _structure(text: str) -> Any:
    if not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
