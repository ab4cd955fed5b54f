"""A line of progress on standard error that is written over, and goes when something is printed."""

from __future__ import annotations

import os
import shutil
import sys

import click

_ERASE = "\r\033[2K"
_shown = False  # one terminal, so one line for the whole process


def live_terminal() -> bool:
    """Whether lines on standard error can be written over."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def show_live_line(text: str) -> None:
    """Show `text` in place of the live line, cut to the terminal; nothing where there is none."""
    global _shown
    if live_terminal():
        # A line that wraps could not be written over.
        cut = text[: shutil.get_terminal_size().columns - 1]
        click.echo((_ERASE if _shown else "") + cut, nl=False, err=True)
        _shown = True


def clear_live_line() -> None:
    """Remove the live line, so that what is printed next has a line of its own."""
    global _shown
    if _shown:
        click.echo(_ERASE, nl=False, err=True)
        _shown = False
