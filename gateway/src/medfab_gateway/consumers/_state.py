"""What medfab keeps about its consumers, in tables of its own beside those of the projections."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from medfab_gateway.consumers._chain import ChainPosition
from medfab_gateway.consumers._store import Store
from medfab_gateway.consumers.errors import LeadLostError, StoreError


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """Something that a feed could not take. It holds no data of the ledger, only where it is."""

    feed: str
    """The projection or sink."""

    block_number: int
    transaction_number: int
    """-1: the block as a whole."""

    transaction_id: str
    handler: str
    error: str
    """Type and place; no text, which may hold what is private."""


@dataclass(frozen=True, kw_only=True)
class ConsumerState:
    """What the database says of a consumer."""

    channel: str
    position: ChainPosition
    feed_positions: dict[str, int]
    """Of sinks that keep one, e.g. the length of a file, by name."""

    leader: str | None
    """Host and process that had the lead last."""

    moved_at: datetime | None
    requested: tuple[str, ...]
    """Projections that somebody wants to be rebuilt."""


@dataclass(frozen=True, kw_only=True)
class ProjectionState:
    consumer: str
    version: int
    form: str


class State:
    """The state of one consumer. All within transactions of the caller."""

    def __init__(self, store: Store, consumer: str) -> None:
        self._store = store
        self.consumer = consumer

    def create_tables(self) -> None:
        number, flag = self._store.types["integer"], self._store.types["bytes"]
        self._store.execute(
            "CREATE TABLE IF NOT EXISTS medfab_consumers (consumer TEXT PRIMARY KEY, "
            f"channel TEXT NOT NULL, next_block {number} NOT NULL, last_hash {flag}, "
            "feed_positions TEXT NOT NULL, leader TEXT, moved_at TEXT, requested TEXT NOT NULL)"
        )
        self._store.execute(
            "CREATE TABLE IF NOT EXISTS medfab_projections (projection TEXT PRIMARY KEY, "
            f"consumer TEXT NOT NULL, version {number} NOT NULL, form TEXT NOT NULL)"
        )
        self._store.execute(
            "CREATE TABLE IF NOT EXISTS medfab_dead_letters (consumer TEXT NOT NULL, "
            f"feed TEXT NOT NULL, block {number} NOT NULL, transaction_number {number} NOT NULL, "
            "transaction_id TEXT NOT NULL, handler TEXT NOT NULL, error TEXT NOT NULL, "
            "written_at TEXT NOT NULL, "
            "PRIMARY KEY (consumer, feed, block, transaction_number))"
        )

    def exists(self) -> bool:
        """Whether medfab's tables are there: a program that only looks makes none."""
        return self._store.has_table("medfab_consumers")

    def load(self) -> ConsumerState | None:
        rows = self._store.query(
            "SELECT channel, next_block, last_hash, feed_positions, leader, moved_at, requested "
            "FROM medfab_consumers WHERE consumer = ?",
            [self.consumer],
        )
        if not rows:
            return None
        channel, next_block, last_hash, feeds, leader, moved_at, requested = rows[0]
        return ConsumerState(
            channel=channel,
            position=ChainPosition(
                next_block=next_block, last_hash=bytes(last_hash) if last_hash else None
            ),
            feed_positions=json.loads(feeds),
            leader=leader,
            moved_at=datetime.fromisoformat(moved_at) if moved_at else None,
            requested=tuple(json.loads(requested)),
        )

    def begin(self, *, channel: str, leader: str) -> ConsumerState:
        """Note who leads. Raises `StoreError` where the name is taken by another channel."""
        present = self.load()
        if present is None:
            self._store.execute(
                "INSERT INTO medfab_consumers VALUES (?, ?, 0, NULL, '{}', ?, NULL, '[]')",
                [self.consumer, channel, leader],
            )
        elif present.channel != channel:
            raise StoreError(
                f"Consumer {self.consumer} follows channel {present.channel} in this database, "
                f"not {channel}.\nGive the consumer of {channel} another name or database."
            )
        else:
            self._store.execute(
                "UPDATE medfab_consumers SET leader = ? WHERE consumer = ?",
                [leader, self.consumer],
            )
        state = self.load()
        if state is None:
            raise LeadLostError(f"The state of consumer {self.consumer} has been deleted.")
        return state

    def move(
        self, before: ChainPosition, after: ChainPosition, feed_positions: dict[str, int]
    ) -> None:
        """The checkpoint. Raises `LeadLostError` where it is not where this process left it."""
        moved = self._store.execute(
            "UPDATE medfab_consumers SET next_block = ?, last_hash = ?, feed_positions = ?, "
            "moved_at = ? WHERE consumer = ? AND next_block = ?",
            [
                after.next_block,
                after.last_hash,
                json.dumps(feed_positions),
                _now(),
                self.consumer,
                before.next_block,
            ],
        )
        if moved != 1:
            raise LeadLostError(
                f"Another process has moved the checkpoint of consumer {self.consumer}; this one "
                "wrote nothing."
            )

    def save_feed_positions(self, feed_positions: dict[str, int]) -> None:
        self._store.execute(
            "UPDATE medfab_consumers SET feed_positions = ? WHERE consumer = ?",
            [json.dumps(feed_positions), self.consumer],
        )

    def request(self, projections: Sequence[str]) -> None:
        """Ask whoever leads to rebuild these."""
        self._store.execute(
            "UPDATE medfab_consumers SET requested = ? WHERE consumer = ?",
            [json.dumps([*projections]), self.consumer],
        )

    def projections(self) -> dict[str, ProjectionState]:
        """Of all consumers of the database, by name."""
        rows = self._store.query(
            "SELECT projection, consumer, version, form FROM medfab_projections"
        )
        return {
            name: ProjectionState(consumer=consumer, version=version, form=form)
            for name, consumer, version, form in rows
        }

    def save_projection(self, name: str, *, version: int, form: str) -> None:
        self._store.execute(
            "INSERT INTO medfab_projections VALUES (?, ?, ?, ?) ON CONFLICT (projection) "
            "DO UPDATE SET consumer = excluded.consumer, version = excluded.version, "
            "form = excluded.form",
            [name, self.consumer, version, form],
        )

    def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        now = _now()
        self._store.execute_many(
            "INSERT INTO medfab_dead_letters VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (consumer, feed, block, transaction_number) DO UPDATE SET "
            "handler = excluded.handler, error = excluded.error",
            [
                (
                    self.consumer,
                    letter.feed,
                    letter.block_number,
                    letter.transaction_number,
                    letter.transaction_id,
                    letter.handler,
                    letter.error,
                    now,
                )
                for letter in letters
            ],
        )

    def dead_letters(self) -> list[DeadLetter]:
        rows = self._store.query(
            "SELECT feed, block, transaction_number, transaction_id, handler, error "
            "FROM medfab_dead_letters WHERE consumer = ? "
            "ORDER BY block, transaction_number, feed",
            [self.consumer],
        )
        return [
            DeadLetter(
                feed=feed,
                block_number=block,
                transaction_number=number,
                transaction_id=transaction_id,
                handler=handler,
                error=error,
            )
            for feed, block, number, transaction_id, handler, error in rows
        ]

    def drop_dead_letters(
        self, feed: str, *, block: int | None = None, transaction: int | None = None
    ) -> int:
        """How many there were. block, transaction: None: all of the feed, of the block."""
        where = "consumer = ? AND feed = ?"
        parameters: list[str | int] = [self.consumer, feed]
        for column, value in (("block", block), ("transaction_number", transaction)):
            if value is not None:
                where += f" AND {column} = ?"
                parameters.append(value)
        return self._store.execute(f"DELETE FROM medfab_dead_letters WHERE {where}", parameters)  # noqa: S608


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
