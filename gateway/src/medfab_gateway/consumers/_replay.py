"""Projections without a network: blocks in, rows out."""

from __future__ import annotations

from collections.abc import Iterable

from medfab_gateway.consumers._applier import Applier
from medfab_gateway.consumers._changes import LedgerBlock
from medfab_gateway.consumers._dispatch import plans
from medfab_gateway.consumers._projection import Projection
from medfab_gateway.consumers._state import DeadLetter
from medfab_gateway.consumers._store import Store


def replay(
    blocks: Iterable[LedgerBlock],
    projections: Iterable[Projection],
    store: Store,
    *,
    channel: str,
    msp_id: str = "",
) -> list[DeadLetter]:
    """Project blocks that are at hand, from 0 on; gives what could not be projected.

        store = SqliteStore(":memory:")
        letters = replay(blocks, [Packs()], store, channel="care")
        print(letters, store.query("SELECT * FROM packs"))

    For tests of projections, and for blocks from a file. The store is left open.
    """
    store.open()
    applier = Applier(
        store, consumer="replay", channel=channel, plans=plans([*projections], msp_id=msp_id)
    )
    applier.prepare()
    letters = []
    for block in blocks:
        letters += applier.apply([block])
    return letters
