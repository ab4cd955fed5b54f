"""A question before anything that cannot be taken back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])


def yes_option(function: _F) -> _F:
    """`--yes`, given to the command as `yes`: for scripts, which nobody can ask."""
    return click.option("--yes", is_flag=True, help="Do not ask.")(function)


def confirm(question: str, *, yes: bool) -> None:
    """Go on only where `yes`, or somebody at the terminal, says so. Raises `ClickException`."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} There is nobody to ask: give --yes.")
    if not click.confirm(question, err=True):
        raise click.ClickException("nothing was changed")
