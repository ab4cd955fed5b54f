"""`medfab events run`, `status`, `rebuild` and `dead-letters`: consumers as a service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._exit_codes import NotFoundError
from medfab_gateway.cli._output import Output, pass_output
from medfab_gateway.cli._run import run

if TYPE_CHECKING:
    from medfab_gateway.consumers._config import ConsumerConfiguration, ServiceConfiguration
    from medfab_gateway.consumers._state import DeadLetter

_SECONDS_FOR_HEIGHT = 5.0
_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command("run", short_help="Run consumers until Ctrl-C or SIGTERM.")
@_file
@click.option("--consumer", "names", multiple=True, help="Only this one; may be given again.")
@click.option("--listen", metavar="HOST:PORT", help="Metrics and health, in place of the file's.")
@click.option("--verbose", "-v", is_flag=True, help="Log what goes well too.")
@click.option("--json", "as_json", is_flag=True, help="Log as JSON, one object a line.")
def run_command(
    file: Path, names: Sequence[str], listen: str | None, verbose: bool, as_json: bool
) -> None:
    """Keep the databases, files and webhooks of FILE current.

    Of several with one name on one database, one leads and the others stand
    by. SIGTERM and Ctrl-C finish the batch under way; after `kill -9` the next
    start goes on where the database is. Logs go to standard error.

    \b
    Examples:
      medfab events run consumers.toml
      medfab events run consumers.toml --consumer explorer -v
      medfab events run consumers.toml --listen 127.0.0.1:9464
    """
    from medfab_gateway.consumers._config import listen_address
    from medfab_gateway.consumers._service import collect_garbage_less_often, serve

    configuration = _load(file)
    chosen = [_named(configuration, name) for name in names] or configuration.consumers
    consumers = [each.consumer(configuration.connect) for each in chosen]
    address = listen_address(listen) if listen else configuration.listen
    _log_to_standard_error(verbose=verbose, as_json=as_json)
    collect_garbage_less_often()
    failures = asyncio.run(serve(consumers, listen=address))
    if failures:
        raise failures[0][1]


@click.command("status", short_help="Where each consumer is, at a glance.")
@_file
@pass_output
def status(file: Path, output: Output) -> None:
    """Who leads each consumer of FILE, how far it is, and what it could not take.

    Looks into the databases, and asks a peer how long the channel is. Ends
    with 1 where nobody leads a consumer or there are dead letters.

    \b
    Examples:
      medfab events status consumers.toml
      medfab events status consumers.toml --json
    """
    from medfab_gateway.consumers._status import look_at

    configuration = _load(file)
    found = [look_at(each) for each in configuration.consumers]
    heights = run(lambda: _heights(configuration, {each.channel for each in found}))
    rows = []
    for each in found:
        height = heights.get(each.channel)
        known = height is not None and each.next_block is not None
        behind = max(0, (height or 0) - (each.next_block or 0)) if known else None
        rows.append(
            {
                "consumer": each.consumer,
                "channel": each.channel,
                "led_by": each.leader,
                "next_block": each.next_block,
                "behind": behind,
                "moved": _ago(each.moved_at),
                "dead_letters": len(each.dead_letters),
                "projections": each.projections,
                "database": each.database,
                "moved_at": each.moved_at.isoformat() if each.moved_at else None,
                "poison": [_letter(letter) for letter in each.dead_letters],
            }
        )
    columns = ["consumer", "channel", "led_by", "next_block", "behind", "moved", "dead_letters"]
    output.table(rows, columns=[*columns, "projections"])
    for each in found:
        for feed in dict.fromkeys(letter.feed for letter in each.dead_letters):
            letters = [letter for letter in each.dead_letters if letter.feed == feed]
            output.line(f"\n{each.consumer}: {feed} could not take {_places(letters)}.")
        if each.dead_letters:
            output.line(f"  medfab events dead-letters list {file}")
    if any(each.leader is None or each.dead_letters for each in found):
        raise SystemExit(1)


@click.command("rebuild", short_help="Make projections anew from block 0.")
@_file
@click.argument("consumer")
@click.argument("projections", nargs=-1)
@pass_output
def rebuild(file: Path, consumer: str, projections: Sequence[str], output: Output) -> None:
    """Replay the channel into the PROJECTIONS of CONSUMER; default: all of them.

    Readers see the old rows until the new ones are complete. Where the
    consumer is running, it is asked to do so, and goes on afterwards.

    \b
    Examples:
      medfab events rebuild consumers.toml explorer
      medfab events rebuild consumers.toml pharmacy packs recalls
    """
    configuration = _load(file)
    from medfab_gateway.consumers._service import collect_garbage_less_often

    made = _named(configuration, consumer).consumer(configuration.connect)
    collect_garbage_less_often()
    done = run(lambda: made.rebuild(projections))
    names = ", ".join(projections) or "all projections"
    if output.as_json:
        output.json({"consumer": consumer, "rebuilt": done})
    elif done and made.progress.next_block == 0:
        output.line(f"{consumer} has not run yet: there is nothing to rebuild.")
    elif done:
        output.line(f"Rebuilt {names} of {consumer}, up to block {made.progress.next_block - 1}.")
    else:
        output.line(f"{consumer} is running: it has been asked to rebuild {names}.")


@click.group("dead-letters", short_help="What consumers could not take.")
def dead_letters() -> None:
    """What consumers could not take: where it is on the ledger, and why.

    The data itself is on the ledger alone.

    \b
    Example:
      medfab events dead-letters list consumers.toml
    """


@dead_letters.command("list", short_help="List them.")
@_file
@click.argument("consumer", required=False)
@pass_output
def list_command(file: Path, consumer: str | None, output: Output) -> None:
    """List the dead letters of CONSUMER; default: of all in FILE.

    \b
    Examples:
      medfab events dead-letters list consumers.toml
      medfab events dead-letters list consumers.toml pager --json
    """
    from medfab_gateway.consumers._status import look_at

    configuration = _load(file)
    chosen = [_named(configuration, consumer)] if consumer else configuration.consumers
    rows = [
        {"consumer": each.name, **_letter(letter)}
        for each in chosen
        for letter in look_at(each).dead_letters
    ]
    if not rows and not output.as_json:
        output.line("There are no dead letters.")
        return
    columns = ["consumer", "feed", "block", "transaction_id", "handler", "error"]
    output.table(rows, columns=columns)


@dead_letters.command("retry", short_help="Deliver them again, or rebuild.")
@_file
@click.argument("consumer")
@pass_output
def retry_command(file: Path, consumer: str, output: Output) -> None:
    """Give the sinks of CONSUMER once more what they could not take.

    Projections with dead letters are rebuilt: an old change must not overwrite
    what came after it. Mend the cause first.

    \b
    Example:
      medfab events dead-letters retry consumers.toml pager
    """
    from medfab_gateway.consumers._dead_letters import retry

    configuration = _load(file)
    each = _named(configuration, consumer)
    settled, left = run(lambda: retry(each, configuration.connect))
    if output.as_json:
        output.json({"consumer": consumer, "settled": settled, "left": left})
    else:
        output.line(f"{settled} settled, {left} left.")
    if left:
        raise SystemExit(1)


@dead_letters.command("drop", short_help="Forget them.")
@_file
@click.argument("consumer")
@click.option("--block", type=click.IntRange(min=0), help="Only those of this block.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_output
def drop_command(file: Path, consumer: str, block: int | None, yes: bool, output: Output) -> None:
    """Forget the dead letters of CONSUMER. What they stand for stays left out.

    \b
    Examples:
      medfab events dead-letters drop consumers.toml pager --yes
      medfab events dead-letters drop consumers.toml pager --block 17
    """
    from medfab_gateway.consumers._dead_letters import drop

    configuration = _load(file)
    each = _named(configuration, consumer)
    if not yes:
        click.confirm(f"Forget the dead letters of {consumer}?", abort=True, err=True)
    count = drop(each, block=block)
    if output.as_json:
        output.json({"consumer": consumer, "dropped": count})
    else:
        output.line(f"{count} forgotten.")


def _load(file: Path) -> ServiceConfiguration:
    from medfab_gateway.consumers._config import load_consumers

    if not file.exists():
        raise NotFoundError(f"There is no file {file}; docs/consumers.md shows one.")
    return load_consumers(file)


def _named(configuration: ServiceConfiguration, name: str) -> ConsumerConfiguration:
    for each in configuration.consumers:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in configuration.consumers)
    raise NotFoundError(f"The file has no consumer {name!r}; it has {known}.")


async def _heights(configuration: ServiceConfiguration, channels: set[str]) -> dict[str, int]:
    """Of the channels that can be asked after now."""
    from medfab_gateway._events._ledger_async import fetch_height
    from medfab_gateway.errors import MedfabError

    heights: dict[str, int] = {}
    with suppress(MedfabError, TimeoutError):
        async with asyncio.timeout(_SECONDS_FOR_HEIGHT), configuration.connect() as gateway:
            for channel in sorted(channels):
                with suppress(MedfabError):
                    client = gateway.network(channel)._client
                    heights[channel] = await fetch_height(client, channel_name=channel)
    return heights


def _letter(letter: DeadLetter) -> dict[str, Any]:
    return {
        "feed": letter.feed,
        "block": letter.block_number,
        "transaction_number": letter.transaction_number,
        "transaction_id": letter.transaction_id,
        "handler": letter.handler,
        "error": letter.error,
    }


def _places(letters: Sequence[DeadLetter]) -> str:
    first = letters[0]
    more = f" and {len(letters) - 1} more" if len(letters) > 1 else ""
    return (
        f"block {first.block_number}, transaction {first.transaction_id[:12]}… "
        f"({first.error}){more}"
    )


def _ago(moment: datetime | None) -> str:
    if moment is None:
        return "never"
    seconds = int((datetime.now(UTC) - moment).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{max(0, seconds)} s ago"


def _log_to_standard_error(*, verbose: bool, as_json: bool) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(
        _JsonFormatter() if as_json else logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    )
    logger = logging.getLogger("medfab_gateway")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO if verbose or as_json else logging.WARNING)


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        import json

        return json.dumps(
            {
                "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
                "level": record.levelname,
                "logger": record.name,
                "message": record.getMessage(),
            },
            ensure_ascii=False,
        )
