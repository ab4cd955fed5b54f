"""The log of a patient: one public row and one event for each act, and its note in private."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from medfab_chaincode import Context, canonical_json

from ._caller import Caller
from ._checks import check_salt, check_text
from ._codes import Kind
from ._keys import ObjectType, log_parts, year_of
from ._store import Store

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now_of(context: Context) -> int:
    """The transaction's time: milliseconds since 1970, as the client's proposal has it."""
    return (context.timestamp - _EPOCH) // timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True)
class LogRow:
    """Public: who did what kind of thing about a patient; the key says when."""

    kind: Kind
    msp_id: str
    client: str
    ref: str
    """The id of what it is about."""


@dataclass(frozen=True, kw_only=True)
class LogView:
    """One row of ``ReadLog``."""

    at: int
    id: str
    kind: Kind
    msp_id: str
    client: str
    ref: str


@dataclass(frozen=True, kw_only=True)
class Note:
    """Transient ``note``: a reason in words, private."""

    text: str
    salt: str

    def check(self) -> None:
        """Refuse an empty or malformed note."""
        check_text(self.text, "note.text", least=3)
        check_salt(self.salt, "note.salt")


@dataclass(frozen=True, kw_only=True)
class StoredNote:
    """A note with its author."""

    text: str
    author: str
    salt: str


def log(
    context: Context,
    store: Store,
    caller: Caller,
    kind: Kind,
    patient: str,
    *,
    ref: str = "",
    erased: bool = False,
) -> None:
    """Write the row of this transaction, and set its event."""
    row = write_row(context, store, caller, kind, patient, ref=ref, erased=erased)
    context.stub.set_event(kind, canonical_json(row))


def write_row(
    context: Context,
    store: Store,
    caller: Caller,
    kind: Kind,
    patient: str,
    *,
    ref: str = "",
    erased: bool = False,
) -> dict[str, object]:
    """Write a row; returns what the event tells of it. erased: the patient has been erased."""
    now, id_ = now_of(context), context.transaction_id
    row = LogRow(kind=kind, msp_id=caller.msp_id, client=caller.client, ref=ref or id_)
    object_type = ObjectType.LOG_AFTER if erased else ObjectType.LOG
    store.put(object_type, patient, *log_parts(now), id_, entry=row)
    return {"kind": kind, "patient": patient, "id": ref or id_, "at": now}


def put_note(store: Store, caller: Caller, patient: str, id_: str, kind: Kind, note: Note) -> None:
    """Keep the words that belong to an act."""
    stored = StoredNote(text=note.text, author=caller.subject, salt=note.salt)
    store.put_private(ObjectType.NOTE, patient, id_, kind, value=stored)


_MOST_YEARS = 12


async def read_log(store: Store, patient: str, since: int, until: int) -> list[LogView]:
    """The rows from ``since`` (inclusive) to ``until`` (exclusive), oldest first."""
    years = range(year_of(since), year_of(max(since, until - 1)) + 1)
    prefixes = [[patient]]
    if len(years) <= _MOST_YEARS:
        prefixes = [[patient, f"{year:04d}"] for year in years]
    return [
        LogView(
            at=int(parts[2]),
            id=parts[3],
            kind=row.kind,
            msp_id=row.msp_id,
            client=row.client,
            ref=row.ref,
        )
        for object_type in (ObjectType.LOG, ObjectType.LOG_AFTER)
        for prefix in prefixes
        async for parts, row in store.rows(LogRow, object_type, *prefix)
        if since <= int(parts[2]) < until
    ]
