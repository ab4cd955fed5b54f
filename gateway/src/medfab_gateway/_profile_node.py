"""A value in a connection profile that knows its place there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medfab_gateway.errors import ProfileError


class ProfileNode:
    """A value in the file that knows its place, e.g. `peers.peer0.url`."""

    def __init__(self, value: Any, *, source: Path, path: str) -> None:
        self._value = value
        self._source = source
        self._path = path

    def error(self, problem: str) -> ProfileError:
        return ProfileError(f"Connection profile {self._source}: {self._path} {problem}.")

    def optional(self, key: str) -> ProfileNode | None:
        """The value under `key`; None where there is none, or an empty one."""
        value = self._mapping().get(key)
        if value in (None, "", [], {}):
            return None
        path = f"{self._path}.{key}" if self._path else key
        return ProfileNode(value, source=self._source, path=path)

    def child(self, key: str) -> ProfileNode:
        found = self.optional(key)
        if found is None:
            path = f"{self._path}.{key}" if self._path else key
            known = ", ".join(str(name) for name in self._mapping())
            raise ProfileError(
                f"Connection profile {self._source}: {path} is missing"
                + (f"; {self._path or 'the file'} has: {known}." if known else ".")
            )
        return found

    def keys(self) -> tuple[str, ...]:
        return tuple(str(key) for key in self._mapping())

    def text(self) -> str:
        if not isinstance(self._value, str):
            raise self.error("must be text")
        return _VARIABLE.sub(self._environment_value, self._value)

    def texts(self) -> tuple[str, ...]:
        """A list of texts; a single text counts as one."""
        values = self._value if isinstance(self._value, list) else [self._value]
        return tuple(
            ProfileNode(value, source=self._source, path=f"{self._path}[{index}]").text()
            for index, value in enumerate(values)
        )

    def pem(self) -> bytes:
        """What is in the file itself (`pem`, one or several), or in the one named (`path`)."""
        here = self.optional("pem")
        return "\n".join(here.texts()).encode() if here else self.child("path").file()

    def file(self) -> bytes:
        """The content of the file that the text names."""
        path = self._source.parent / self.text()
        try:
            return path.read_bytes()
        except OSError as error:
            raise self.error(f"names a file that cannot be read: {error}") from error

    def _mapping(self) -> Mapping[str, Any]:
        if not isinstance(self._value, dict):
            raise self.error("must be an object of settings")
        return self._value

    def _environment_value(self, match: re.Match[str]) -> str:
        value = os.environ.get(match[1])
        if value is None:
            raise self.error(f"needs the environment variable {match[1]}, which is not set")
        return value


_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
