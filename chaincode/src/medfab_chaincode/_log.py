"""Log lines that say what happened and never what was said.

An exception is described by its type and the places it came through. Its text is left out, in
every logger that the server configures: it may quote an argument or a record.
"""

import asyncio
import functools
import json
import logging
import sys
import time
import traceback
from typing import Any, Literal

_log = logging.getLogger("medfab_chaincode.contract")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

LogFormat = Literal["text", "json"]


def configure_logging(log_format: LogFormat, level: str) -> None:
    """Send all log lines to the standard error, one line each, in one of two formats."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def log_unhandled(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what a contract's own task failed with; asyncio itself would log the exception's text."""
    error = context.get("exception")
    _log.error(
        "something failed that nobody awaits",
        extra={"error": "unknown" if error is None else describe_failure(error)},
    )


def describe_failure(error: BaseException) -> str:
    """Name an exception, its causes and where each came through: no text of any of them."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = traceback.extract_tb(current.__traceback__)
        places = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
        kind = type(current)
        parts.append(f"{kind.__module__}.{kind.__qualname__} at {places or 'an unknown place'}")
        current = current.__cause__ or current.__context__
    return " caused by ".join(parts)


class _Formatter(logging.Formatter):
    def fields(self, record: logging.LogRecord) -> dict[str, object]:
        """The structured part of a record: what was given as `extra`."""
        fields = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = describe_failure(record.exc_info[1])
        return fields

    def moment(self, record: logging.LogRecord) -> str:
        return f"{_second(int(record.created))}.{int(record.msecs):03d}Z"


@functools.lru_cache(maxsize=1)
def _second(moment: int) -> str:
    # Lines come many in a second, and this is the dearest part of them.
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))


class TextFormatter(_Formatter):
    """`time LEVEL message name=value …`, for people."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in self.fields(record).items())
        return f"{self.moment(record)} {record.levelname} {record.getMessage()}{fields}"


class JsonFormatter(_Formatter):
    """One JSON object on each line, for programs."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self.fields(record),
        }
        return json.dumps(line, ensure_ascii=False, default=str)
