"""FHIR dates and times as instants: a date is a whole day, a year a whole year.

A consent, a permit or a data period is a half-open span of instants. FHIR's are inclusive and as
precise as they are written: ``2024-05`` as an end means until the last moment of May. Without a
time zone, UTC is taken.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_FORM = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<clock>\d\d:\d\d(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?)"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LAST = 253_402_300_799_999  # milliseconds: what date types can hold


class Span(NamedTuple):
    """From ``start`` on, and before ``end``; whole milliseconds in UTC."""

    start: datetime
    end: datetime


def span_of(text: str) -> Span:
    """What a FHIR date, dateTime or instant covers; ``ValueError`` (without the text) if none."""
    found = _FORM.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        return _span(found)
    except (ValueError, OverflowError):
        raise ValueError("is no FHIR date or dateTime") from None


def to_milliseconds(moment: datetime | None) -> int | None:
    """Whole milliseconds since 1970, the contract's time; None stays None.

    Raises ``ValueError`` for a datetime without a time zone.
    """
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a time needs a time zone: use datetime.now(UTC) or similar")
    return (moment - _EPOCH) // _MILLISECOND


def from_milliseconds(value: int | None) -> datetime | None:
    """The moment of the contract's time; None stays None."""
    return None if value is None else _EPOCH + value * _MILLISECOND


def between(since: datetime | None, until: datetime | None) -> tuple[str, str]:
    """The two arguments of a list by time; None: from the beginning, for ever."""
    first, last = to_milliseconds(since), to_milliseconds(until)
    return str(0 if first is None else first), str(_LAST if last is None else last)


def first_moment(moment: datetime) -> str:
    """``moment`` as FHIR's start of a period: an instant in milliseconds."""
    return _text(moment)


def last_moment(end: datetime) -> str:
    """The last millisecond before ``end``, as FHIR's end of a period, which is inclusive."""
    return _text(end - _MILLISECOND)


def _span(found: re.Match[str]) -> Span:
    year, month, day = int(found["year"]), found["month"], found["day"]
    if month is None:
        return Span(_utc(year), _utc(year + 1))
    if day is None:
        start = _utc(year, int(month))
        return Span(start, _utc(year + int(month) // 12, int(month) % 12 + 1))
    if found["clock"] is None:
        start = _utc(year, int(month), int(day))
        return Span(start, start + timedelta(days=1))
    text = f"{found['year']}-{month}-{day}T{found['clock'][:5]}:{found['second'] or '00'}"
    zone = (found["zone"] or "Z").replace("Z", "+00:00")
    start = datetime.fromisoformat(text + zone).astimezone(UTC)
    if found["fraction"] is None:
        return Span(start, start + timedelta(seconds=1 if found["second"] else 60))
    start += timedelta(milliseconds=int(found["fraction"][:3].ljust(3, "0")))
    return Span(start, start + _MILLISECOND)


def _utc(year: int, month: int = 1, day: int = 1) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
