"""Certificates that have expired, or will soon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from medfab_gateway.cli._exit_codes import RefusedError
from medfab_gateway.cli._output import color

if TYPE_CHECKING:
    from medfab_gateway.wallet import WalletEntry

SOON = timedelta(days=30)
"""From when on people are warned, and what `medfab ca renew` renews by default."""


def time_left(until: datetime, now: datetime | None = None) -> str:
    """For people: `in 12 days`, `in 5 hours`, `expired`."""
    left = until - (now or datetime.now(UTC))
    if left <= timedelta(0):
        return "expired"
    hours = int(left.total_seconds() // 3600)
    if hours < 1:
        return "in less than an hour"
    count, unit = (hours // 24, "day") if hours >= 48 else (hours, "hour")
    return f"in {count} {unit}{'' if count == 1 else 's'}"


def check_expiry(entry: WalletEntry) -> None:
    """Warns on standard error of a certificate that expires soon.

    Raises `RefusedError` for one that has expired: every peer would refuse it, and none would say
    why.
    """
    until = entry.identity.valid_until
    day = until.strftime("%Y-%m-%d %H:%M UTC")
    if until <= datetime.now(UTC):
        raise RefusedError(
            f"The certificate of {entry.label!r} expired on {day}: enrol again with its secret, "
            f"`medfab ca enroll {entry.label} --replace`. (Is this machine's clock right?)"
        )
    if until <= datetime.now(UTC) + SOON:
        click.secho("Warning: ", fg="yellow", bold=True, nl=False, err=True, color=color())
        click.echo(
            f"the certificate of {entry.label!r} expires {time_left(until)}, on {day}; renew it "
            f"with `medfab ca renew {entry.label}`.",
            err=True,
        )
