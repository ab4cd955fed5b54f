"""Times and lengths of time on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

_LENGTH = re.compile(r"(\d{1,6})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


class Duration(click.ParamType[timedelta]):
    """`30d`, `12h`, `15m`."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        length = parse_length(value)
        if length is None:
            self.fail(f"{value!r} is not a length of time such as 30d, 12h or 15m", param, ctx)
        return length

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "30d|12h|15m"


class Moment(click.ParamType[datetime]):
    """`2026-12-31`, `2026-12-31T08:00:00Z`, or from now on: `30d` and, before now, `-30d`."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        length = parse_length(value.removeprefix("-"))
        if length is not None:
            return datetime.now(UTC) + (-length if value.startswith("-") else length)
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            self.fail(
                f"{value!r} is not a time such as 2026-12-31, 2026-12-31T08:00:00Z, 30d (from now) "
                "or -30d (ago)",
                param,
                ctx,
            )
        return time if time.tzinfo is not None else time.replace(tzinfo=UTC)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "TIME"


def parse_length(text: str) -> timedelta | None:
    """The length of `30d`; None where it is not one."""
    found = _LENGTH.fullmatch(text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
