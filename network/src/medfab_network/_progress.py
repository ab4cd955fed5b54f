"""How long work reports what it is doing: the library calls, the CLI (or a test) prints."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives progress; all methods must return quickly."""

    def step(self, text: str) -> None:
        """A new step has begun."""

    def advance(self, text: str, done: int, total: int | None) -> None:
        """`done` of `total` (None: unknown) within the current step."""

    def done(self, text: str, seconds: float) -> None:
        """A step has ended well."""


class Silent:
    """Reports nothing."""

    def step(self, text: str) -> None: ...

    def advance(self, text: str, done: int, total: int | None) -> None: ...

    def done(self, text: str, seconds: float) -> None: ...
