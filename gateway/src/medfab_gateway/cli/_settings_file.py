"""`medfab.toml`: what is the same for every command in a folder.

```toml
org = "hospital"
identity = "admin"
channel = "care"
```
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

NAME = "medfab.toml"
VARIABLE = "MEDFAB_CONFIG"


@dataclass(frozen=True, kw_only=True)
class SettingsFile:
    """A file that has been read."""

    path: Path
    values: Mapping[str, str]
    """By the name of the setting; paths are resolved."""


def find_settings_file(known: Mapping[str, bool]) -> SettingsFile | None:
    """The file that `MEDFAB_CONFIG` names, else the nearest `medfab.toml`; None: there is none.

    It is looked for in the current folder and those above. An empty variable: no file at all.
    known: the settings there are, and whether each is a path. Raises `click.UsageError`.
    """
    named = os.environ.get(VARIABLE)
    if named is not None:
        return _read(Path(named), known) if named else None
    here = Path.cwd()
    for folder in (here, *here.parents):
        file = folder / NAME
        if file.is_file():
            _check_owner(file)
            return _read(file, known)
    return None


def _check_owner(file: Path) -> None:
    """A file found in passing says whom we trust: it must be ours (or the system's)."""
    facts = file.stat()
    if facts.st_uid not in (os.geteuid(), 0):
        raise click.UsageError(
            f"{file} belongs to another user, and is not used: set {VARIABLE}={file} if you trust "
            f"it, or {VARIABLE}= for none."
        )


def _read(file: Path, known: Mapping[str, bool]) -> SettingsFile:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise click.UsageError(f"There is no {file}, which {VARIABLE} names.") from error
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:  # no UTF-8, no TOML
        raise click.UsageError(f"{file} is not TOML: {error}.") from error
    values = {}
    for name, value in content.items():
        if name not in known:
            raise click.UsageError(
                f"{file} has a setting {name!r} that is not known; there are {', '.join(known)}."
            )
        if not isinstance(value, str) or not value:
            raise click.UsageError(f'{file}: {name} must be a text, such as {name} = "…".')
        values[name] = str(file.parent / Path(value).expanduser()) if known[name] else value
    return SettingsFile(path=file, values=values)
