"""What there is to say of a consumer, from its database alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from medfab_gateway.consumers._config import ConsumerConfiguration
from medfab_gateway.consumers._schema import STOPPED
from medfab_gateway.consumers._state import DeadLetter, State


@dataclass(frozen=True, kw_only=True)
class ConsumerStatus:
    """At a moment."""

    consumer: str
    channel: str
    database: str
    leader: str | None
    """Host and process; None: nobody leads."""

    next_block: int | None
    """None: it has never run."""

    moved_at: datetime | None
    dead_letters: tuple[DeadLetter, ...]
    projections: dict[str, str]
    """By name: `current`, `to be rebuilt` or `not built yet`."""


def look_at(configuration: ConsumerConfiguration) -> ConsumerStatus:
    """Changes nothing. Raises `StoreError`."""
    store = configuration.store()
    found = None
    leader, letters, known = None, [], {}
    if store.exists():
        store.open()
        try:
            state = State(store, configuration.name)
            if state.exists():
                found, letters, known = state.load(), state.dead_letters(), state.projections()
                if found is not None and store.is_led(configuration.name):
                    leader = found.leader
        finally:
            store.close()
    projections = {}
    for each in configuration.projections:
        stored = known.get(each.name)
        if stored is None or stored.version == STOPPED:
            projections[each.name] = "not built yet"
        elif stored.version != each.version or (found and each.name in found.requested):
            projections[each.name] = "to be rebuilt"
        else:
            projections[each.name] = "current"
    return ConsumerStatus(
        consumer=configuration.name,
        channel=configuration.channel,
        database=store.description,
        leader=leader,
        next_block=found.position.next_block if found else None,
        moved_at=found.moved_at if found else None,
        dead_letters=tuple(letters),
        projections=projections,
    )
