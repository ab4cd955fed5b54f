"""Projections in a database: what is declared, what is kept, what is set aside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from made_blocks import PURGE, Ledger, Tx
from medfab_gateway.consumers import (
    INTEGER,
    OWN,
    TEXT,
    DeclarationError,
    Emitted,
    Explorer,
    Operation,
    PrivateWritten,
    Projection,
    Store,
    Table,
    Written,
    composite,
    composite_key,
    on_event,
    on_private,
    on_write,
    optional,
    plain,
    replay,
)

MSP = "HospitalMSP"
OWN_COLLECTION = f"_implicit_org_{MSP}"

PACKS = Table(
    "packs",
    {"gtin": TEXT, "serial": TEXT, "status": TEXT},
    key=["gtin", "serial"],
    indexes=[["status"]],
)
STOCK = Table("stock", {"gtin": TEXT, "quantity": INTEGER, "last": optional(TEXT)}, key=["gtin"])
NOTES = Table("notes", {"pack": TEXT, "text": TEXT}, key=["pack"], private=True)


class Packs(Projection):
    name = "packs"
    chaincode = "pharma"
    tables = (PACKS, STOCK, NOTES)

    @on_write(composite("pack", "gtin", "serial"))
    def pack(self, write: Written) -> Iterator[Operation]:
        if write.is_delete:
            yield PACKS.delete(gtin=write["gtin"], serial=write["serial"])
            return
        yield PACKS.put(gtin=write["gtin"], serial=write["serial"], status=write.json()["status"])

    @on_event("Moved")
    def moved(self, event: Emitted) -> Iterator[Operation]:
        moved = event.json()
        yield STOCK.add(gtin=moved["gtin"], quantity=moved["by"])
        yield STOCK.merge(gtin=moved["gtin"], last=event.transaction.transaction_id)

    @on_private(OWN, plain("note-{pack}"))
    def note(self, write: PrivateWritten) -> Iterator[Operation]:
        yield NOTES.put(pack=write["pack"], text=write.json()["text"])


def pack(serial: str, status: str | None, **more: object) -> Tx:
    key = composite_key("pack", "0950", serial)
    value = None if status is None else {"status": status}
    return Tx(chaincode="pharma", writes={key: value}, **more)  # type: ignore[arg-type]


def moved(by: int) -> Tx:
    return Tx(chaincode="pharma", event=("Moved", {"gtin": "0950", "by": by}))


def note(number: str, text: object) -> Tx:
    value = {"text": text} if isinstance(text, str) else text
    return Tx(chaincode="pharma", private={(OWN_COLLECTION, f"note-{number}"): value})


def project(ledger: Ledger, store: Store, *projections: Projection) -> list[str]:
    letters = replay(ledger.blocks, projections or [Packs()], store, channel="care", msp_id=MSP)
    return [f"{each.block_number}/{each.transaction_number} {each.error}" for each in letters]


def test_the_last_state_of_each_key(store: Store) -> None:
    ledger = Ledger()
    ledger.add(pack("1", "made"), pack("2", "made"), pack("3", "made"))
    ledger.add(pack("1", "shipped"), pack("2", None))
    ledger.add(pack("3", "recalled", code="MVCC_READ_CONFLICT"))
    assert project(ledger, store) == []
    rows = store.query("SELECT serial, status FROM packs ORDER BY serial")
    assert rows == [("1", "shipped"), ("3", "made")]


def test_sums_and_parts_of_rows(store: Store) -> None:
    ledger = Ledger()
    ledger.add(moved(5), moved(-2))
    last = ledger.add(moved(1)).block.transactions[0].transaction_id
    assert project(ledger, store) == []
    assert store.query("SELECT * FROM stock") == [("0950", 4, last)]


def test_private_rows_follow_the_present_value_of_their_key(store: Store) -> None:
    ledger = Ledger()
    ledger.add(note("1", "a"), note("2", "b"), note("3", "c"))
    ledger.add(note("1", "changed"))
    ledger.add(note("2", PURGE), note("3", None))
    assert project(ledger, store) == []
    assert store.query("SELECT pack, text FROM notes") == [("1", "changed")]


def test_what_was_purged_in_the_same_batch_never_comes(store: Store) -> None:
    ledger = Ledger()
    ledger.add(note("1", "a"), note("1", PURGE), note("2", "b"), note("2", PURGE), note("2", "c"))
    assert project(ledger, store) == []
    assert store.query("SELECT pack, text FROM notes") == [("2", "c")]


def test_a_private_value_with_another_hash_is_not_taken(store: Store) -> None:
    ledger, other = Ledger(), Ledger()
    block = ledger.add(note("1", "the value in the block"))
    forged = other.add(note("1", "another one"))
    ledger.blocks[0] = type(block)(block=block.block, private_data=forged.private_data)
    assert project(ledger, store) == []
    assert store.query("SELECT * FROM notes") == []


def test_a_poisoned_transaction_is_set_aside_as_a_whole_and_named(store: Store) -> None:
    class Fragile(Packs):
        @on_event("Broken")
        def broken(self, event: Emitted) -> Iterator[Operation]:
            yield STOCK.add(gtin="x", quantity=1)
            raise RuntimeError("Alice Smith is HIV positive")

    ledger = Ledger()
    ledger.add(pack("1", "made"), pack("2", "lost", event=("Broken", b"")), pack("3", "made"))
    (letter,) = project(ledger, store, Fragile())
    assert letter.startswith("0/1 RuntimeError at test_projections.py:")
    assert store.query("SELECT serial FROM packs ORDER BY serial") == [("1",), ("3",)]
    assert store.query("SELECT count(*) FROM stock") == [(0,)]
    kept = store.query("SELECT * FROM medfab_dead_letters")
    assert len(kept) == 1
    assert "Alice" not in str(kept)


def test_rows_that_a_database_would_refuse_are_set_aside(store: Store) -> None:
    class Strange(Projection):
        name = "strange"
        chaincode = "pharma"
        tables = (STOCK,)

        @on_event("Set")
        def set(self, event: Emitted) -> Iterator[Operation]:
            yield STOCK.put(gtin=event.payload.decode(), **event.json())

    ledger = Ledger()
    values = [{"quantity": 1}, {"quantity": 2**63}, {"quantity": True}, {"quantity": "1"}, {}]
    ledger.add(*(Tx(chaincode="pharma", event=("Set", value)) for value in values))
    ledger.add(Tx(chaincode="pharma", event=("Set", {"quantity": 1, "last": "a\x00b"})))
    letters = project(ledger, store, Strange())
    assert [letter.partition(" at ")[0] for letter in letters] == [
        "0/1 ValueError",
        "0/2 TypeError",
        "0/3 TypeError",
        "0/4 ValueError",
        "1/0 ValueError",
    ]
    assert store.query("SELECT quantity FROM stock") == [(1,)]


def test_the_explorer(store: Store) -> None:
    ledger = Ledger()
    ledger.add(pack("1", "made"), pack("2", "made", code="ENDORSEMENT_POLICY_FAILURE"))
    ledger.add(pack("1", "shipped", event=("Moved", b"{}")), note("1", "secret"))
    assert project(ledger, store, Explorer()) == []
    assert store.query("SELECT number, transactions, valid_transactions FROM ledger_blocks") == [
        (0, 2, 1),
        (1, 2, 2),
    ]
    assert store.query(
        "SELECT block, number, validation_code, chaincode, event FROM ledger_transactions"
    ) == [
        (0, 0, "VALID", "pharma", None),
        (0, 1, "ENDORSEMENT_POLICY_FAILURE", "pharma", None),
        (1, 0, "VALID", "pharma", "Moved"),
        (1, 1, "VALID", "pharma", None),
    ]
    key = r"\0pack\0" + r"0950\0" + r"1\0"
    history = store.query("SELECT block, value FROM ledger_key_history WHERE key = ?", [key])
    assert history == [(0, b'{"status": "made"}'), (1, b'{"status": "shipped"}')]
    assert store.query("SELECT value FROM ledger_keys") == [(b'{"status": "shipped"}',)]
    (private,) = store.query("SELECT * FROM ledger_private_history")
    assert b"secret" not in b"".join(each for each in private if isinstance(each, bytes))


def test_what_is_larger_than_an_index_takes(store: Store) -> None:
    """Any member of a channel can write such a key: it stops nobody."""
    ledger = Ledger()
    long = "".join(f"{n:x}" for n in range(4000))
    ledger.add(Tx(chaincode="pharma", writes={long: 1}), pack("1", "made"))
    ledger.add(pack(long, "made"), pack("2", "made"))
    letters = project(ledger, store, Explorer(), Packs())
    assert store.query("SELECT count(*) FROM ledger_key_history") == [(4,)]
    serials = {serial for (serial,) in store.query("SELECT serial FROM packs")}
    assert serials - {long} == {"1", "2"}
    assert (long in serials) is (letters == [])  # SQLite takes it, PostgreSQL refuses it


def test_text_that_is_no_unicode(store: Store) -> None:
    ledger = Ledger()
    surrogate = Tx(
        chaincode="pharma",
        writes={composite_key("pack", "0950", "1"): b'{"status": "\\ud800"}'},
    )
    ledger.add(surrogate, pack("2", "made"))
    assert len(project(ledger, store)) == 1
    assert store.query("SELECT serial FROM packs") == [("2",)]


@pytest.mark.parametrize(
    "declare",
    [
        lambda: Table("Packs", {"a": TEXT}, key=["a"]),
        lambda: Table("medfab_packs", {"a": TEXT}, key=["a"]),
        lambda: Table("packs", {"a": TEXT}, key=["b"]),
        lambda: Table("packs", {"a": TEXT}, key=[]),
        lambda: Table("packs", {"a": optional(TEXT)}, key=["a"]),
        lambda: Table("packs", {"derived_from": TEXT}, key=["derived_from"]),
        lambda: NOTES.add(pack="1", text=1),
        lambda: NOTES.delete(pack="1"),
        lambda: NOTES.merge(pack="1", text="1"),
        lambda: composite("a\x00b"),
        lambda: composite("a", "b", "b"),
        lambda: plain(""),
    ],
)
def test_declarations_that_cannot_work_are_refused(declare: object) -> None:
    with pytest.raises(DeclarationError):
        declare()  # type: ignore[operator]
