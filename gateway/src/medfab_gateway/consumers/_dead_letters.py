"""Settling what could not be taken."""

from __future__ import annotations

import threading
from collections.abc import Callable

from medfab_gateway._events._ledger_async import fetch_block
from medfab_gateway._gateway_async import AsyncGateway
from medfab_gateway.consumers._changes import LedgerBlock
from medfab_gateway.consumers._config import ConsumerConfiguration
from medfab_gateway.consumers._delivery import deliveries
from medfab_gateway.consumers._state import DeadLetter, State
from medfab_gateway.consumers._store import Store


async def retry(
    configuration: ConsumerConfiguration, connect: Callable[[], AsyncGateway]
) -> tuple[int, int]:
    """Rebuild the projections concerned, and give sinks theirs again: how many letters are
    settled, and how many are left. A running consumer carries on meanwhile."""
    before = _letters(configuration)
    projections = {each.name for each in configuration.projections}
    concerned = sorted({letter.feed for letter in before if letter.feed in projections})
    if concerned:
        await configuration.consumer(connect).rebuild(concerned)
    for letter in before:
        if letter.feed not in projections:
            await _retry_one(configuration, connect, letter)
    left = len(_letters(configuration))
    return len(before) - left, left


async def _retry_one(
    configuration: ConsumerConfiguration, connect: Callable[[], AsyncGateway], letter: DeadLetter
) -> None:
    async with connect() as gateway:
        client = gateway.network(configuration.channel)._client
        block = await fetch_block(
            client, channel_name=configuration.channel, number=letter.block_number
        )
    store = configuration.store()
    store.open()
    try:
        for sink in configuration.sinks():
            if sink.name != letter.feed:
                continue
            again = [
                each
                for each in deliveries(
                    LedgerBlock(block=block), configuration.channel, sink.selection
                )
                if each.transaction.number == letter.transaction_number
            ]
            failed = sink.deliver(again, threading.Event())
            with store.transaction():
                failed += sink.write(again, store)
                if not failed:
                    State(store, configuration.name).drop_dead_letters(
                        letter.feed,
                        block=letter.block_number,
                        transaction=letter.transaction_number,
                    )
            sink.close()
    finally:
        store.close()


def drop(configuration: ConsumerConfiguration, *, block: int | None = None) -> int:
    """Forget letters; block None: of all blocks. How many there were."""
    store: Store = configuration.store()
    if not store.exists():
        return 0
    store.open()
    try:
        state = State(store, configuration.name)
        with store.transaction():
            feeds = {letter.feed for letter in state.dead_letters()}
            return sum(state.drop_dead_letters(feed, block=block) for feed in feeds)
    finally:
        store.close()


def _letters(configuration: ConsumerConfiguration) -> list[DeadLetter]:
    store = configuration.store()
    if not store.exists():
        return []
    store.open()
    try:
        state = State(store, configuration.name)
        return state.dead_letters() if state.exists() else []
    finally:
        store.close()
