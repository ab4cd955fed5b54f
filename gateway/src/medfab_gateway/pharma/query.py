"""The EPCIS 2.0 query interface (section 8.2), answered from the tables of `EpcisEvents`.

::

    query = EpcisQuery(SqliteStore("supply.sqlite"))
    page = query.events({"EQ_bizStep": ["shipping"], "GE_eventTime": ["2026-01-01T00:00:00Z"]})
    print(write_document(page.document), page.next_page_token)
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from medfab_gateway.consumers import Store
from medfab_gateway.pharma._answers import milliseconds
from medfab_gateway.pharma._digital_link import canonical
from medfab_gateway.pharma.epcis import (
    CONTEXT,
    EpcisDocument,
    ErrorDeclaration,
    Event,
    document_of,
    read_document,
)
from medfab_gateway.pharma.epcis import _vocabulary as v
from medfab_gateway.pharma.epcis._read import parse_json
from medfab_gateway.pharma.errors import QueryError

PER_PAGE = 30
"""As EPCIS 2.0 has it where nothing is said."""
_MOST_PER_PAGE = 1000
_MOST_VALUES = 500


@dataclass(frozen=True, kw_only=True)
class EventPage:
    """Some of the events that a query finds."""

    document: EpcisDocument
    next_page_token: str | None
    """For the parameter `nextPageToken`; None: these were the last."""


@dataclass(frozen=True)
class _Part:
    """A condition in SQL, with its parameters."""

    sql: str
    values: tuple[Any, ...] = ()


class EpcisQuery:
    """Queries by the standard's parameters. Several values of one are alternatives; several
    parameters all have to hold."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def events(self, parameters: Mapping[str, Sequence[str]]) -> EventPage:
        """The events, in the order of their time, or as `orderBy` and `orderDirection` say.

        Raises :class:`QueryError` for a parameter that is not known here, or a wrong value.
        """
        given = {name: list(values) for name, values in parameters.items()}
        paging = _Paging.read(given)
        parts = [_condition(name, values) for name, values in given.items()]
        if paging.after is not None:
            parts.append(paging.after)
        where = " AND ".join(f"({part.sql})" for part in parts) or "1 = 1"
        # Every word of the statement is ours; what the caller gives are parameters.
        rows = self._store.query(
            "SELECT e.event, e.body, e.event_time, c.captured_at, c.error_reason, c.error_at "  # noqa: S608
            "FROM epcis_events e JOIN epcis_captured c ON c.event = e.event "
            f"WHERE {where} ORDER BY {paging.column} {paging.direction}, e.event "
            f"{paging.direction} LIMIT {paging.size + 1}",
            [value for part in parts for value in part.values],
        )
        shown = rows[: paging.size]
        more = len(rows) > paging.size and not paging.limited
        token = paging.token(shown[-1]) if more and shown else None
        return EventPage(document=_document(shown), next_page_token=token)


@dataclass(frozen=True, kw_only=True)
class _Paging:
    column: str
    direction: str
    size: int
    limited: bool
    after: _Part | None

    @classmethod
    def read(cls, given: dict[str, list[str]]) -> _Paging:
        """Take the parameters of order and pages out of `given`."""
        order = _one(given, "orderBy", "eventTime", choices=("eventTime", "recordTime"))
        direction = _one(given, "orderDirection", "ASC", choices=("ASC", "DESC"))
        limit, page = _number(given, "eventCountLimit"), _number(given, "perPage")
        if "maxEventCount" in given:
            raise QueryError("maxEventCount: ask for pages (perPage), or give eventCountLimit")
        size = min(limit or page or PER_PAGE, _MOST_PER_PAGE)
        column = "e.event_time" if order == "eventTime" else "c.captured_at"
        token = _one(given, "nextPageToken", "")
        after = None
        if token:
            moment, event = _read_token(token)
            sign = ">" if direction == "ASC" else "<"
            after = _Part(
                f"{column} {sign} ? OR ({column} = ? AND e.event {sign} ?)",
                (moment, moment, event),
            )
        return cls(
            column=column, direction=direction, size=size, limited=limit is not None, after=after
        )

    def token(self, row: Sequence[Any]) -> str:
        moment = row[2] if self.column == "e.event_time" else row[3]
        return base64.urlsafe_b64encode(json.dumps([moment, row[0]]).encode()).decode()


def _condition(name: str, values: list[str]) -> _Part:
    if not values or len(values) > _MOST_VALUES:
        raise QueryError(f"{name}: 1 to {_MOST_VALUES} values are given")
    for pattern, make in _PARAMETERS.items():
        found = re.fullmatch(pattern, name)
        if found:
            return make(name, found, values)
    known = ", ".join(sorted(_KNOWN))
    raise QueryError(f"{name} is not a query parameter known here; there are {known}")


def _time(column: str, sign: str) -> Callable[[str, re.Match[str], list[str]], _Part]:
    def make(name: str, _: re.Match[str], values: list[str]) -> _Part:
        try:
            moment = datetime.fromisoformat(values[0])
            return _Part(f"{column} {sign} ?", (milliseconds(moment),))
        except ValueError:
            raise QueryError(f"{name}: {values[0]!r} is no time with a time zone") from None

    return make


def _equal(
    column: str, vocabulary: v.Vocabulary | None = None
) -> Callable[[str, re.Match[str], list[str]], _Part]:
    def make(name: str, _: re.Match[str], values: list[str]) -> _Part:
        bare = [vocabulary.bare(value) or value if vocabulary else value for value in values]
        names = [canonical(value) or value for value in bare]
        return _Part(f"{column} IN ({_marks(names)})", tuple(names))

    return make


def _named(*roles: str) -> Callable[[str, re.Match[str], list[str]], _Part]:
    """Events that name something: one thing, or any of a class (`urn:epc:idpat:sgtin:….*`)."""

    def make(name: str, found: re.Match[str], values: list[str]) -> _Part:
        wanted = [found.expand(role) for role in roles]
        sql, given = [], []
        for value in values:
            one = canonical(value) or value
            sql.append("n.name = ?")
            given.append(one)
            if value.endswith(".*") or re.fullmatch(r"https://id\.gs1\.org/01/\d{14}", one):
                sql.append("n.name LIKE ? ESCAPE '!'")
                prefix = one.replace("!", "!!").replace("%", "!%").replace("_", "!_")
                given.append(f"{prefix}/21/%")
        return _Part(
            "EXISTS (SELECT 1 FROM epcis_names n WHERE n.event = e.event "  # noqa: S608
            f"AND n.role IN ({_marks(wanted)}) AND ({' OR '.join(sql)}))",
            (*wanted, *given),
        )

    return make


def _error(name: str, _: re.Match[str], values: list[str]) -> _Part:
    return _Part("c.error_at IS NOT NULL")


def _event_id(name: str, _: re.Match[str], values: list[str]) -> _Part:
    bare = [value.removeprefix("ni:///sha-256;").partition("?")[0] for value in values]
    return _Part(
        f"e.event_id IN ({_marks(values)}) OR e.event IN ({_marks(bare)})", (*values, *bare)
    )


_PARAMETERS: dict[str, Callable[[str, re.Match[str], list[str]], _Part]] = {
    "eventType": _equal("e.type"),
    "GE_eventTime": _time("e.event_time", ">="),
    "LT_eventTime": _time("e.event_time", "<"),
    "GE_recordTime": _time("c.captured_at", ">="),
    "LT_recordTime": _time("c.captured_at", "<"),
    "EQ_action": _equal("e.action"),
    "EQ_bizStep": _equal("e.biz_step", v.BIZ_STEP),
    "EQ_disposition": _equal("e.disposition", v.DISPOSITION),
    "EQ_readPoint": _equal("e.read_point"),
    "EQ_bizLocation": _equal("e.biz_location"),
    "EQ_transformationID": _equal("e.transformation"),
    "EQ_eventID": _event_id,
    "EXISTS_errorDeclaration": _error,
    "MATCH_epc": _named("epc"),
    "MATCH_parentID": _named("parentID"),
    "MATCH_inputEPC": _named("inputEPC"),
    "MATCH_outputEPC": _named("outputEPC"),
    "MATCH_anyEPC": _named("epc", "parentID", "inputEPC", "outputEPC"),
    "MATCH_epcClass": _named("epcClass"),
    "MATCH_inputEPCClass": _named("inputEPCClass"),
    "MATCH_outputEPCClass": _named("outputEPCClass"),
    "MATCH_anyEPCClass": _named("epcClass", "inputEPCClass", "outputEPCClass"),
    r"EQ_bizTransaction_(\w*)": _named(r"bizTransaction_\1"),
    r"EQ_source_(\w+)": _named(r"source_\1"),
    r"EQ_destination_(\w+)": _named(r"destination_\1"),
}
_KNOWN = [
    *(name.partition("(")[0] for name in _PARAMETERS),
    *("orderBy", "orderDirection", "perPage", "nextPageToken", "eventCountLimit"),
]


def _document(rows: Sequence[Sequence[Any]]) -> EpcisDocument:
    """What was kept, with the error that was declared since, and when it was captured."""
    events: list[Event] = []
    prefixes: dict[str, str] = {}
    bodies = [parse_json(row[1]) for row in rows]
    taken = {name for body in bodies for name in _undeclared(body)}
    for raw, (_, _, _, captured_at, reason, error_at) in zip(bodies, rows, strict=True):
        event = _with_prefixes(raw, prefixes, taken)
        if error_at is not None and event.error_declaration is None:
            declared = ErrorDeclaration(declaration_time=_moment(error_at), reason=_reason(reason))
            event = replace(event, error_declaration=declared)
        events.append(replace(event, record_time=_moment(captured_at)))
    context: list[Any] = [CONTEXT, *({name: uri} for name, uri in prefixes.items())]
    return document_of(events, context=context)


def _with_prefixes(raw: dict[str, Any], prefixes: dict[str, str], taken: set[str]) -> Event:
    """An event whose prefixes mean what they do in one document of all; `prefixes` is that.

    Two documents may have used one prefix for two namespaces: then the second gets another name.
    taken: prefixes that must not mean anything, because an event has them undeclared.
    """
    renamed: dict[str, str] = {}
    for prefix, uri in _declared(raw.pop("@context")).items():
        name, count = prefix, 1
        while name in taken or prefixes.get(name, v.PREFIXES.get(name, uri)) != uri:
            count += 1
            name = f"{prefix}{count}"
        prefixes[name] = uri
        renamed[prefix] = name
    changed = {prefix: name for prefix, name in renamed.items() if prefix != name}
    own = {name: prefixes[name] for name in renamed.values()}
    fields = _rename(raw, changed) if changed else raw
    return read_document({**fields, "@context": [CONTEXT, own]}).events[0]


def _declared(context: Any) -> dict[str, str]:
    entries = context if isinstance(context, list) else [context]
    return {
        prefix: uri
        for entry in entries
        if isinstance(entry, dict)
        for prefix, uri in entry.items()
        if isinstance(uri, str)
    }


def _undeclared(body: dict[str, Any]) -> set[str]:
    """What stands before a colon in an event's values, and is no prefix of its context."""
    declared = _declared(body["@context"])

    def found(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for each in value.values():
                yield from found(each)
        elif isinstance(value, list):
            for each in value:
                yield from found(each)
        elif isinstance(value, str) and ":" in value:
            yield value.partition(":")[0]

    content = {name: value for name, value in body.items() if name != "@context"}
    return set(found(content)) - declared.keys()


def _rename(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {_rename(name, names): _rename(each, names) for name, each in value.items()}
    if isinstance(value, list):
        return [_rename(each, names) for each in value]
    if isinstance(value, str):
        prefix, colon, local = value.partition(":")
        return f"{names[prefix]}:{local}" if colon and prefix in names else value
    return value


def _reason(reason: str) -> str | None:
    return reason if v.ERROR_REASON.bare(reason) or ":" in reason else None


def _moment(value: int) -> datetime:
    return datetime.fromtimestamp(value / 1000, UTC)


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" for _ in values)


def _one(
    given: dict[str, list[str]], name: str, default: str, *, choices: Sequence[str] = ()
) -> str:
    values = given.pop(name, [default])
    if len(values) != 1 or (choices and values[0] not in choices):
        raise QueryError(f"{name}: one of {', '.join(choices) or 'its values'} is given")
    return values[0]


def _number(given: dict[str, list[str]], name: str) -> int | None:
    values = given.pop(name, None)
    if values is None:
        return None
    if len(values) != 1 or not values[0].isdigit() or int(values[0]) < 1:
        raise QueryError(f"{name}: a number from 1 is given")
    return int(values[0])


def _read_token(token: str) -> tuple[int, str]:
    try:
        moment, event = json.loads(base64.urlsafe_b64decode(token.encode()))
        return int(moment), str(event)
    except ValueError:
        raise QueryError("nextPageToken: this is not what a page before has given") from None
