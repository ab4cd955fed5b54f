"""Batches, checkpoints, lead and rebuild: what is there after whatever happens."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from made_blocks import PURGE, Ledger, Tx
from medfab_gateway.consumers import (
    INTEGER,
    OWN,
    TEXT,
    ChainError,
    Emitted,
    Explorer,
    LeadLostError,
    LedgerBlock,
    Operation,
    PrivateWritten,
    Projection,
    Store,
    StoreError,
    Table,
    View,
    Written,
    on_event,
    on_private,
    on_write,
    optional,
    plain,
)
from medfab_gateway.consumers._applier import Applier
from medfab_gateway.consumers._dispatch import plans

MakeStore = Callable[[], Store]
MSP = "HospitalMSP"
COLLECTION = f"_implicit_org_{MSP}"

ITEMS = Table("items", {"id": TEXT, "value": INTEGER, "by": TEXT}, key=["id"])
SUMS = Table("sums", {"id": TEXT, "total": INTEGER, "last": optional(TEXT)}, key=["id"])
SECRETS = Table("secrets", {"id": TEXT, "value": INTEGER}, key=["id"], private=True)


class Everything(Projection):
    """Every kind of operation, on few keys."""

    name = "everything"
    chaincode = "cc"
    tables = (ITEMS, SUMS, SECRETS)
    views = (View(name="item_count", query="SELECT count(*) AS items FROM items"),)

    @on_write(plain("item-{id}"))
    def item(self, write: Written) -> Iterator[Operation]:
        if write.is_delete:
            yield ITEMS.delete(id=write["id"])
        else:
            by = write.transaction.transaction_id
            yield ITEMS.put(id=write["id"], value=write.json(), by=by)

    @on_event("Added")
    def added(self, event: Emitted) -> Iterator[Operation]:
        what = event.json()
        if what["by"] == 13:
            raise ValueError("an unlucky number")
        yield SUMS.add(id=what["id"], total=what["by"])
        yield SUMS.merge(id=what["id"], last=event.transaction.transaction_id)

    @on_private(OWN, plain("secret-{id}"))
    def secret(self, write: PrivateWritten) -> Iterator[Operation]:
        yield SECRETS.put(id=write["id"], value=write.json())


def random_ledger(seed: int, blocks: int) -> Ledger:
    chance = random.Random(seed)  # noqa: S311
    ledger = Ledger()
    for _ in range(blocks):
        ledger.add(*(random_transaction(chance) for _ in range(chance.randint(1, 6))))
    return ledger


def random_transaction(chance: random.Random) -> Tx:
    key = str(chance.randint(0, 4))
    code = chance.choice(["VALID"] * 5 + ["MVCC_READ_CONFLICT"])
    number = chance.randint(0, 15)
    kind = chance.choice(["write", "delete", "event", "private", "purge"])
    more: dict[str, Any] = {}
    if kind in ("write", "delete"):
        more["writes"] = {f"item-{key}": number if kind == "write" else None}
    elif kind == "event":
        more["event"] = ("Added", {"id": key, "by": number})
    else:
        more["private"] = {
            (COLLECTION, f"secret-{key}"): number
            if kind == "private"
            else chance.choice([PURGE, None])
        }
    return Tx(chaincode="cc", code=code, **more)


def applier(store: Store, *projections: Projection, consumer: str = "c") -> Applier:
    made = [*projections] or [Everything(), Explorer()]
    return Applier(store, consumer=consumer, channel="care", plans=plans(made, msp_id=MSP))


def contents(store: Store, projections: tuple[Projection, ...] = ()) -> dict[str, list[Any]]:
    """Every row of every table, and the dead letters without their time."""
    made = projections or (Everything(), Explorer())
    found = {}
    for projection in made:
        for table in projection.tables:
            columns = ", ".join(table.all_columns)
            rows = store.query(f"SELECT {columns} FROM {table.name}")  # noqa: S608
            found[table.name] = sorted(rows, key=repr)
    found["letters"] = store.query(
        "SELECT feed, block, transaction_number, transaction_id, handler, error "
        "FROM medfab_dead_letters ORDER BY 1, 2, 3"
    )
    return found


def expected(ledger: Ledger) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """By a program of its own: items, sums, secrets."""
    items: dict[str, int] = {}
    sums: dict[str, int] = {}
    secrets: dict[str, int] = {}
    for block in ledger.blocks:
        for number, transaction in enumerate(block.block.transactions):
            if transaction.validation_code != "VALID":
                continue
            if transaction.event is not None:
                what = json.loads(transaction.event.payload)
                if what["by"] != 13:
                    sums[what["id"]] = sums.get(what["id"], 0) + what["by"]
            for write in transaction.read_write_sets[0].writes:
                name = write.key.removeprefix("item-")
                items.pop(name, None)
                if not write.is_delete:
                    items[name] = int(write.value)
            for each in block.private_data:
                if each.transaction_number == number:
                    for write in each.writes:
                        name = write.key.removeprefix("secret-")
                        secrets.pop(name, None)
                        if not write.is_delete:
                            secrets[name] = int(write.value)
    return items, sums, secrets


def lead(store: Store) -> None:
    """Once the server has seen that the connection of the last one is closed."""
    end = time.monotonic() + 60
    while not store.try_to_lead("c"):
        assert time.monotonic() < end
        time.sleep(0.01)


class Crash(BaseException):
    """As a `kill -9`, for the rest of the program that is under test."""


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_batches_and_crashes_the_rows_are_those_of_the_ledger(
    make_store: MakeStore, seed: int
) -> None:
    """Batches of any size; a crash in any of them, before or behind any statement."""
    ledger, chance = random_ledger(seed, 40), random.Random(seed)  # noqa: S311
    crashes = 0
    done = False
    while not done:
        store = make_store()
        store.open()
        try:
            lead(store)
            working = applier(store)
            working.prepare()
            crash_after(store, chance.randint(1, 60))
            while working.position.next_block < len(ledger.blocks):
                begin = working.position.next_block
                working.apply(ledger.blocks[begin : begin + chance.randint(1, 8)])
            done = True
        except Crash:
            crashes += 1
        finally:
            store.close()
    assert crashes > 0
    store = make_store()
    store.open()
    items, sums, secrets = expected(ledger)
    assert dict(store.query("SELECT id, value FROM items")) == items
    assert dict(store.query("SELECT id, total FROM sums")) == sums
    assert dict(store.query("SELECT id, value FROM secrets")) == secrets
    assert store.query("SELECT items FROM item_count") == [(len(items),)]
    found = contents(store)
    store.close()
    assert found == in_one_go(ledger, make_store)


def in_one_go(ledger: Ledger, make_store: MakeStore) -> dict[str, list[Any]]:
    """The same by one replay, block by block: a rebuild by hand."""
    store = make_store()
    store.open()
    working = applier(store)
    working.prepare()
    rebuild(working, ledger)
    found = contents(store)
    store.close()
    return found


def rebuild(working: Applier, ledger: Ledger) -> None:
    run = working.rebuild(working.plans)
    run.begin()
    for block in ledger.blocks[: working.position.next_block]:
        run.feed([block])
    run.finish()


def crash_after(store: Store, statements: int) -> None:
    """Raise `Crash` in one of the next statements."""
    left = statements
    execute, many = store.execute, store.execute_many

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Crash

    def counting_execute(statement: str, parameters: Any = ()) -> int:
        count()
        return execute(statement, parameters)

    def counting_many(statement: str, rows: Any) -> None:
        count()
        many(statement, rows)

    store.execute, store.execute_many = counting_execute, counting_many  # type: ignore[method-assign]


def test_two_that_both_believe_that_they_lead_write_a_batch_once(make_store: MakeStore) -> None:
    """Even without a lock, as after a partition: the checkpoint is compared and set."""
    ledger = random_ledger(7, 4)
    first, second = make_store(), make_store()
    first.open()
    second.open()
    try:
        one, two = applier(first), applier(second)
        one.prepare()
        two.prepare()
        one.apply(ledger.blocks[:2])
        before = contents(first)
        with pytest.raises(LeadLostError):
            two.apply(ledger.blocks[:3])
        assert contents(first) == before
        one.apply(ledger.blocks[2:])
    finally:
        first.close()
        second.close()


def test_one_leads_and_the_lead_goes_with_it(make_store: MakeStore) -> None:
    first, second, looking = make_store(), make_store(), make_store()
    for store in (first, second, looking):
        store.open()
    try:
        assert not looking.is_led("c")
        assert first.try_to_lead("c")
        assert first.try_to_lead("c")
        assert looking.is_led("c")
        assert not second.try_to_lead("c")
        assert second.try_to_lead("another")
        first.close()
        lead(second)
    finally:
        for store in (first, second, looking):
            store.close()


def test_many_begin_at_the_same_moment(make_store: MakeStore) -> None:
    """Consumers of different names in one database: each makes medfab's tables, if need be."""
    together = threading.Barrier(6)
    failures: list[BaseException] = []

    def begin(number: int) -> None:
        store = make_store()
        try:
            store.open()
            together.wait()
            applier(store, Empty(), consumer=f"c{number}").prepare()
        except BaseException as error:
            failures.append(error)
        finally:
            store.close()

    class Empty(Projection):
        def __init__(self) -> None:
            super().__init__()
            self.name = f"p{next(numbers)}"  # type: ignore[misc]

    numbers = iter(range(6))
    threads = [threading.Thread(target=begin, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_forks_and_wrong_channels(store: Store) -> None:
    ledger, other = random_ledger(1, 4), random_ledger(2, 4)
    store.open()
    working = applier(store)
    working.prepare()
    working.apply(ledger.blocks[:2])
    before = contents(store)
    with pytest.raises(ChainError, match="does not follow"):
        working.apply([other.blocks[2]])
    with pytest.raises(ChainError, match="Block 2 of channel care is expected, and block 3"):
        working.apply([ledger.blocks[3]])
    with pytest.raises(ChainError, match="is not the one that was handled"):
        working.position.check_last(other.blocks[1].block, channel="care")
    working.position.check_last(ledger.blocks[1].block, channel="care")
    assert contents(store) == before
    with pytest.raises(ChainError):  # the good ones before it are kept
        working.apply([ledger.blocks[2], other.blocks[3]])
    assert working.position.next_block == 3


def test_a_block_of_another_channel(store: Store) -> None:
    ledger = Ledger("elsewhere")
    ledger.add(Tx())
    store.open()
    working = applier(store)
    working.prepare()
    with pytest.raises(ChainError, match="of channel elsewhere, not care"):
        working.apply(ledger.blocks)


def test_a_block_whose_transactions_were_exchanged(store: Store) -> None:
    from dataclasses import replace

    ledger, other = random_ledger(1, 2), random_ledger(2, 2)
    block = ledger.blocks[0]
    forged = replace(block.block, transactions=other.blocks[0].block.transactions)
    store.open()
    working = applier(store)
    working.prepare()
    with pytest.raises(ChainError, match="are not those that its header names"):
        working.apply([LedgerBlock(block=forged)])


def test_a_name_belongs_to_one_channel_and_a_projection_to_one_consumer(store: Store) -> None:
    store.open()
    applier(store).prepare()
    made = plans([Everything()], msp_id=MSP)
    with pytest.raises(StoreError, match="follows channel care in this database, not other"):
        Applier(store, consumer="c", channel="other", plans=made).prepare()
    with pytest.raises(StoreError, match="belongs to consumer c"):
        applier(store, Everything(), consumer="d").prepare()


def test_a_table_of_somebody_else_is_left_alone(store: Store) -> None:
    store.open()
    store.execute("CREATE TABLE items (mine TEXT)")
    with pytest.raises(StoreError, match="has a table items already"):
        applier(store).prepare()
    assert store.query("SELECT * FROM items") == []


def test_a_new_version_is_rebuilt_and_one_with_migrations_is_migrated(
    make_store: MakeStore,
) -> None:
    ledger = random_ledger(3, 10)
    store = make_store()
    store.open()
    first = applier(store, Everything())
    first.prepare()
    first.apply(ledger.blocks)

    class Second(Everything):
        version = 2

    working = applier(store, Second())
    _, to_rebuild = working.prepare()
    assert [plan.name for plan in to_rebuild] == ["everything"]
    rebuild(working, ledger)
    assert applier(store, Second()).prepare()[1] == []

    class Third(Everything):
        version = 4
        migrations = {3: ["UPDATE items SET value = value + 1"], 4: ["DELETE FROM sums"]}  # noqa: RUF012

    before = dict(store.query("SELECT id, value FROM items"))
    assert applier(store, Third()).prepare()[1] == []
    after = dict(store.query("SELECT id, value FROM items"))
    assert after == {name: value + 1 for name, value in before.items()}
    assert store.query("SELECT count(*) FROM sums") == [(0,)]
    store.close()


def test_a_projection_that_was_left_out_for_a_while_is_rebuilt(store: Store) -> None:
    ledger = random_ledger(4, 10)
    store.open()
    working = applier(store)
    working.prepare()
    working.apply(ledger.blocks[:5])
    without = applier(store, Explorer())
    without.prepare()
    without.apply(ledger.blocks[5:])
    again = applier(store)
    _, to_rebuild = again.prepare()
    assert [plan.name for plan in to_rebuild] == ["everything"]


def test_a_rebuild_that_is_killed_leaves_the_old_rows(make_store: MakeStore) -> None:
    ledger = random_ledger(5, 10)
    store = make_store()
    store.open()
    working = applier(store)
    working.prepare()
    working.apply(ledger.blocks)
    before = contents(store)
    run = working.rebuild(working.plans)
    run.begin()
    run.feed(ledger.blocks[:5])
    reader = make_store()
    reader.open()
    assert contents(reader) == before  # nobody sees half of it
    reader.close()
    run.abandon(RuntimeError("killed"))
    assert contents(store) == before
    store.close()


def test_a_replay_of_another_ledger_is_not_kept(store: Store) -> None:
    ledger, other = random_ledger(6, 5), random_ledger(8, 5)
    store.open()
    working = applier(store)
    working.prepare()
    working.apply(ledger.blocks)
    before = contents(store)
    run = working.rebuild(working.plans)
    run.begin()
    run.feed(other.blocks)
    with pytest.raises(ChainError) as raised:
        run.finish()
    run.abandon(raised.value)
    assert contents(store) == before


def test_a_row_that_only_the_database_refuses_is_found_among_the_others(store: Store) -> None:
    strict = Table("strict", {"id": TEXT, "value": INTEGER}, key=["id"])

    class Strict(Projection):
        name = "strict"
        chaincode = "cc"
        tables = (strict,)

        @on_write(plain("item-{id}"))
        def item(self, write: Written) -> Iterator[Operation]:
            yield strict.put(id=write["id"], value=write.json())

    ledger = Ledger()
    store.open()
    working = applier(store, Strict())
    working.prepare()
    store.execute("CREATE UNIQUE INDEX one_of_each ON strict (value)")
    ledger.add(*(Tx(chaincode="cc", writes={f"item-{n}": n % 3}) for n in range(4)))
    letters = working.apply(ledger.blocks)
    assert [(each.transaction_number, each.handler) for each in letters] == [(3, "database")]
    assert store.query("SELECT count(*) FROM strict") == [(3,)]


def test_private_values_expire_as_their_collection_says(store: Store) -> None:
    class Expiring(Everything):
        @on_private(OWN, plain("secret-{id}"), block_to_live=2)
        def secret(self, write: PrivateWritten) -> Iterator[Operation]:
            yield SECRETS.put(id=write["id"], value=write.json())

    ledger = Ledger()
    ledger.add(Tx(chaincode="cc", private={(COLLECTION, "secret-a"): 1}))
    ledger.add(Tx(chaincode="cc", private={(COLLECTION, "secret-b"): 2}))
    for _ in range(3):
        ledger.add(Tx(chaincode="cc"))
    store.open()
    working = applier(store, Expiring())
    working.prepare()
    left = []
    for block in ledger.blocks:
        working.apply([block])
        left.append([name for (name,) in store.query("SELECT id FROM secrets ORDER BY id")])
    assert left == [["a"], ["a", "b"], ["a", "b"], ["b"], []]
