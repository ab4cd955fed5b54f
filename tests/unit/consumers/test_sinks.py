"""Sinks: a file, a webhook on loopback, a function."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from made_blocks import Ledger, Tx
from medfab_gateway.consumers import (
    ConfigurationError,
    Database,
    Delivery,
    FunctionSink,
    JsonLines,
    Selection,
    Sink,
    Store,
    StoreError,
    StoreUnavailableError,
    Webhook,
    verify_signature,
)
from medfab_gateway.consumers._applier import Applier
from medfab_gateway.consumers._sink import Stopped

SECRET = b"0123456789abcdef0123456789abcdef"


def events(*names: str, **more: Any) -> list[Tx]:
    return [Tx(event=(name, {"n": number}), **more) for number, name in enumerate(names)]


def following(store: Store, sink: Sink) -> Applier:
    store.open()
    working = Applier(store, consumer="c", channel="care", plans=[], sinks=[sink])
    working.prepare()
    return working


# -- a file ------------------------------------------------------------------------------------


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_line_for_each_event_of_a_valid_transaction(store: Store, tmp_path: Path) -> None:
    ledger = Ledger()
    ledger.add(*events("A", "B"), *events("C", code="MVCC_READ_CONFLICT"))
    ledger.add(Tx(), Tx(event=("Raw", b"\xff\x00")))
    working = following(store, JsonLines("file", tmp_path / "out.jsonl"))
    working.apply(ledger.blocks)
    found = lines(tmp_path / "out.jsonl")
    assert [each["event"] for each in found] == ["A", "B", "Raw"]
    assert found[0]["id"] == "care/0/0"
    assert found[1]["payload"] == {"n": 1}
    assert found[2]["payload_base64"] == "/wA="
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(chaincode="pharma"), ["B"]),
        (Selection(events=["A"]), ["A"]),
        (Selection(what="transactions"), [None, None, None]),
        (Selection(what="transactions", chaincode="ehr"), [None, None]),
    ],
)
def test_what_is_selected(
    store: Store, tmp_path: Path, selection: Selection, expected: list[str | None]
) -> None:
    ledger = Ledger()
    ledger.add(Tx(event=("A", {})), Tx(chaincode="pharma", event=("B", {})), Tx())
    working = following(store, JsonLines("file", tmp_path / "out.jsonl", selection))
    working.apply(ledger.blocks)
    assert [each.get("event") for each in lines(tmp_path / "out.jsonl")] == expected


def test_what_a_killed_batch_has_left_is_cut_off(
    make_store: Callable[[], Store], tmp_path: Path
) -> None:
    """The lines were written, the checkpoint was not: as after `kill -9` between the two."""
    file, ledger = tmp_path / "out.jsonl", Ledger()
    ledger.add(*events("A"))
    ledger.add(*events("B", "C"))
    store, sink = make_store(), JsonLines("file", file)
    working = following(store, sink)
    working.apply(ledger.blocks[:1])
    with file.open("ab") as other:
        other.write(b'{"half of a li')
    sink.close()
    store.close()
    store, sink = make_store(), JsonLines("file", file)
    working = following(store, sink)
    working.apply(ledger.blocks[1:])
    assert [each["event"] for each in lines(file)] == ["A", "B", "C"]
    sink.close()
    store.close()


def test_a_batch_that_the_database_rolls_back_is_written_once(
    make_store: Callable[[], Store], tmp_path: Path
) -> None:
    file, ledger = tmp_path / "out.jsonl", Ledger()
    ledger.add(*events("A", "B"))
    store, sink = make_store(), JsonLines("file", file)
    working = following(store, sink)
    move = working.state.move
    working.state.move = failing  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreUnavailableError):
        working.apply(ledger.blocks)
    working.state.move = move  # type: ignore[method-assign]
    working.prepare()
    working.apply(ledger.blocks)
    assert [each["event"] for each in lines(file)] == ["A", "B"]
    sink.close()
    store.close()


def failing(*arguments: Any) -> None:
    raise StoreUnavailableError("the connection broke")


def test_a_file_may_be_moved_away_and_nothing_else(
    make_store: Callable[[], Store], tmp_path: Path
) -> None:
    file, ledger = tmp_path / "out.jsonl", Ledger()
    for name in "ABC":
        ledger.add(*events(name))
    store, sink = make_store(), JsonLines("file", file)
    working = following(store, sink)
    working.apply(ledger.blocks[:1])
    file.rename(tmp_path / "old.jsonl")
    working.apply(ledger.blocks[1:2])
    assert [each["event"] for each in lines(tmp_path / "old.jsonl")] == ["A"]
    assert [each["event"] for each in lines(file)] == ["B"]
    with pytest.raises(StoreUnavailableError, match="in use"):
        JsonLines("file", file).restore(0)
    sink.close()
    file.write_text("x")
    with pytest.raises(StoreError, match="is shorter than it was"):
        working.prepare()
    sink.close()
    other = JsonLines("other", file)
    with pytest.raises(StoreError, match="holds what this consumer has not written"):
        other.restore(None)
    other.close()
    store.close()


# -- a webhook ---------------------------------------------------------------------------------


@dataclass
class Receiver:
    """Answers with the next of `statuses`, then with 204; None closes the connection."""

    statuses: list[int | None] = field(default_factory=list)
    received: list[tuple[str, str, bytes]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.received.append(
                (self.headers["medfab-delivery"], self.headers["medfab-signature"], body)
            )
            status = found.statuses.pop(0) if found.statuses else 204
            if status is None:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def webhook(receiver: Receiver, **more: Any) -> Webhook:
    quick: dict[str, Any] = {"first_pause": 0.01, "longest_pause": 0.02, **more}
    return Webhook("hook", receiver.url, secret=SECRET, **quick)


def test_deliveries_are_signed_in_order_and_recognisable(store: Store, receiver: Receiver) -> None:
    ledger = Ledger()
    ledger.add(*events("A", "B"))
    sink = webhook(receiver)
    assert following(store, sink).apply(ledger.blocks) == []
    assert [each[0] for each in receiver.received] == ["care/0/0", "care/0/1"]
    _, signed, body = receiver.received[0]
    assert json.loads(body)["event"] == "A"
    made = float(signed.partition(",")[0].removeprefix("t="))
    assert verify_signature(SECRET, body, signed, now=made)
    assert not verify_signature(SECRET, body, signed, now=made + 301)
    assert not verify_signature(SECRET, body + b" ", signed, now=made)
    assert not verify_signature(b"another secret of some size", body, signed, now=made)
    for broken in ("", "t=,v1=", "v1=00", "t=²,v1=00", f"{signed},x=1"):
        assert not verify_signature(SECRET, body, broken, now=made)
    sink.close()


def test_what_may_pass_is_tried_again_and_the_rest_goes_to_the_dead_letters(
    store: Store, receiver: Receiver
) -> None:
    ledger = Ledger()
    ledger.add(*events("A", "B", "C"))
    receiver.statuses = [503, None, 429, 204, 400, 500, 500, 500, 500]
    sink = webhook(receiver, attempts=4)
    letters = following(store, sink).apply(ledger.blocks)
    assert [(each.transaction_number, each.error) for each in letters] == [
        (1, "status 400"),
        (2, "status 500"),
    ]
    assert [each[0][-1] for each in receiver.received] == list("000012222")
    assert len(store.query("SELECT * FROM medfab_dead_letters")) == 2
    sink.close()


def test_the_end_is_not_held_up_by_a_receiver_that_is_away(store: Store) -> None:
    """And nothing is checkpointed: it is delivered at the next start."""
    ledger = Ledger()
    ledger.add(*events("A"))
    sink = Webhook("hook", "http://127.0.0.1:9/", secret=SECRET, first_pause=600)
    working = following(store, sink)
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Stopped):
        working.apply(ledger.blocks, stop)
    state = working.state.load()
    assert state is not None
    assert state.position.next_block == 0
    sink.close()


@pytest.mark.parametrize(
    "options", [{"secret": b"short"}, {"attempts": 0}, {"url": "ftp://example"}]
)
def test_options_of_webhooks_that_cannot_be_right(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Webhook("hook", **{"url": "https://example", "secret": SECRET, **options})


# -- a function --------------------------------------------------------------------------------


def test_a_function_writes_with_the_checkpoint_and_poison_is_undone(store: Store) -> None:
    def note(delivery: Delivery, database: Database) -> None:
        database.execute("INSERT INTO seen VALUES (?)", [delivery.id])
        if delivery.event == "Bad":
            raise ValueError("with what is private")

    ledger = Ledger()
    ledger.add(*events("A", "Bad", "B"))
    working = following(store, FunctionSink("notes", note))
    store.execute("CREATE TABLE seen (id TEXT PRIMARY KEY)")
    (letter,) = working.apply(ledger.blocks)
    assert (letter.handler, letter.error.partition(" at ")[0]) == ("note", "ValueError")
    assert store.query("SELECT id FROM seen ORDER BY id") == [("care/0/0",), ("care/0/2",)]


def test_deliveries_do_not_depend_on_batches() -> None:
    from medfab_gateway.consumers._delivery import deliveries

    ledger = Ledger()
    ledger.add(*events("A", "B"))

    def of(blocks: Sequence[Any]) -> list[bytes]:
        return [d.line() for b in blocks for d in deliveries(b, "care", Selection())]

    assert of(ledger.blocks) == of(ledger.blocks)
