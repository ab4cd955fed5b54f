"""Files of consumers: what they can say, and what is said of those that are wrong."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from made_blocks import Ledger, Tx
from medfab_gateway.cli._main import medfab
from medfab_gateway.consumers import (
    ConfigurationError,
    Explorer,
    Progress,
    SqliteStore,
    Store,
    load_consumers,
)
from medfab_gateway.consumers._applier import Applier
from medfab_gateway.consumers._dispatch import plans
from medfab_gateway.consumers._metrics import Operations, health

GATEWAY = """
[gateway]
organization = "hospital"
identity = "admin"
"""
EXPLORER = """
[[consumer]]
name = "explorer"
channel = "care"
database = "explorer.sqlite"
projections = ["explorer"]
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "consumers.toml"
    file.write_text(text)
    return file


def test_everything_that_a_file_can_say(tmp_path: Path) -> None:
    (tmp_path / "hook.secret").write_text("0123456789abcdef\n")
    (tmp_path / "own_projections.py").write_text(
        "from medfab_gateway.consumers import *\n"
        "T = Table('own', {'id': TEXT}, key=['id'])\n"
        "class Own(Projection):\n"
        "    name, chaincode, tables = 'own', 'ehr', (T,)\n"
        "def note(delivery, database): pass\n"
    )
    file = written(
        tmp_path,
        GATEWAY
        + """
[service]
listen = "127.0.0.1:9464"

[[consumer]]
name = "tables"
channel = "care"
database = "postgresql://medfab@localhost/medfab"
schema = "care"
private = "stream"
max_transactions = 10
projections = [{ use = "explorer", values = false }, { use = "own_projections:Own" }]

[[consumer]]
name = "files"
channel = "care"
database = "sqlite:files.sqlite"
start = "next"
[consumer.json_lines]
path = "out.jsonl"
what = "transactions"
[consumer.webhook]
url = "https://example.org"
secret_file = "hook.secret"
events = ["A"]
[consumer.function]
use = "own_projections:note"
chaincode = "ehr"
""",
    )
    configuration = load_consumers(file)
    assert configuration.listen == ("127.0.0.1", 9464)
    tables, files = configuration.consumers
    assert [each.name for each in tables.projections] == ["explorer", "own"]
    assert tables.store().description == "postgresql:localhost/medfab (care)"
    assert [sink.name for sink in files.sinks()] == ["json_lines", "webhook", "function"]
    assert files.store().description == f"sqlite:{tmp_path / 'files.sqlite'}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "cannot be read"),
        ("", "it has no consumer"),
        (GATEWAY, "it has no consumer"),
        (EXPLORER, r"\[gateway\] has no `identity`"),
        (GATEWAY + EXPLORER + EXPLORER, "two consumers have one name"),
        (GATEWAY + EXPLORER + "colour = 1", "consumer explorer has colour.\nWhat it can have: "),
        (GATEWAY + EXPLORER.replace("care", ""), "consumer explorer has no `channel`"),
        (GATEWAY + EXPLORER.replace('["explorer"]', '["else"]'), "not installed\\.\nThere are"),
        (GATEWAY + EXPLORER.replace('["explorer"]', '["nowhere:X"]'), "cannot be loaded"),
        (GATEWAY + EXPLORER.replace('["explorer"]', '["json:dumps"]'), "projection json:dumps"),
        (GATEWAY + EXPLORER.replace('["explorer"]', "[]"), "neither projections nor a sink"),
        (GATEWAY + EXPLORER + 'start = "next"', "need the channel from block 0"),
        (GATEWAY + EXPLORER + 'private = "gossip"', "contract or stream"),
        (GATEWAY + EXPLORER + "max_transactions = 0", "1 or more"),
        (GATEWAY + EXPLORER + 'schema = "a"', "Only PostgreSQL has schemas"),
        (GATEWAY + EXPLORER + '[consumer.webhook]\nurl = "https://e"', "no `secret_file`"),
        (
            GATEWAY + EXPLORER + '[consumer.webhook]\nurl = "https://e"\nsecret_file = "s"',
            "Make one: openssl rand",
        ),
        (
            GATEWAY + EXPLORER + '[consumer.json_lines]\npath="f"\nwhat="x"',
            "events or transactions",
        ),
        (GATEWAY + EXPLORER + '[service]\nlisten = "9464"', "127.0.0.1:9464"),
        (
            GATEWAY + EXPLORER.replace("explorer.sqlite", "postgresql://[x").strip(),
            "cannot be read; it should be like",
        ),
    ],
)
def test_files_that_cannot_be_right(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        load_consumers(written(tmp_path, text))


def test_passwords_are_in_no_text(tmp_path: Path) -> None:
    text = EXPLORER.replace("explorer.sqlite", "postgresql://medfab:hidden@localhost/db")
    (consumer,) = load_consumers(written(tmp_path, GATEWAY + text)).consumers
    assert "hidden" not in consumer.store().description
    assert "hidden" not in repr(consumer.store())


def test_status_and_dead_letters_without_a_network(tmp_path: Path) -> None:
    """What the databases alone can say; a database that is not there is not made."""
    file = written(tmp_path, GATEWAY + EXPLORER)
    nothing = CliRunner().invoke(medfab, ["events", "status", str(file)])
    assert nothing.exit_code == 1
    assert "explorer not built yet" in " ".join(nothing.output.split())
    assert not (tmp_path / "explorer.sqlite").exists()

    store = SqliteStore(tmp_path / "explorer.sqlite")
    follow(store)
    store.execute(
        "INSERT INTO medfab_dead_letters VALUES "
        "('explorer', 'explorer', 0, 0, 'abcdef0123456789', 'block', 'ValueError', '')"
    )
    store.close()
    found = CliRunner().invoke(medfab, ["events", "status", str(file)])
    assert "explorer could not take block 0, transaction abcdef012345… (ValueError)" in found.output
    listed = CliRunner().invoke(medfab, ["events", "dead-letters", "list", str(file), "--json"])
    assert json.loads(listed.output)[0]["error"] == "ValueError"
    command = ["events", "dead-letters", "drop", str(file), "explorer", "--yes"]
    assert CliRunner().invoke(medfab, command).output == "1 forgotten.\n"
    listed = CliRunner().invoke(medfab, ["events", "dead-letters", "list", str(file)])
    assert listed.output == "There are no dead letters.\n"


def follow(store: Store) -> None:
    ledger = Ledger()
    ledger.add(Tx())
    store.open()
    made = plans([Explorer()], msp_id="HospitalMSP")
    working = Applier(store, consumer="explorer", channel="care", plans=made)
    working.prepare()
    working.apply(ledger.blocks)


def test_health_and_metrics() -> None:
    well = Progress(consumer="a", channel="care", phase="leading")
    well.handled(blocks=2, transactions=7, next_block=2, seconds=0.02)
    well.seen(5)
    failed = Progress(consumer="b", channel="care", phase="failed", last_error="a fork")
    failed.failed(ValueError("a fork"))
    operations = Operations(("127.0.0.1", 0), [well])
    try:
        metrics = get(operations.port, "/metrics")
        assert 'medfab_consumer_lag_blocks{channel="care",consumer="a"} 3.0' in metrics
        assert 'medfab_consumer_transactions_total{channel="care",consumer="a"} 7.0' in metrics
        assert json.loads(get(operations.port, "/healthz"))["status"] == "OK"
        with pytest.raises(urllib.error.HTTPError, match="404") as missing:
            get(operations.port, "/")
        missing.value.close()
    finally:
        operations.close()
    operations = Operations(("127.0.0.1", 0), [well, failed])
    try:
        with pytest.raises(urllib.error.HTTPError, match="503") as failing:
            get(operations.port, "/healthz")
        failing.value.close()
        assert (
            'medfab_consumer_errors_total{channel="care",consumer="b",error="ValueError"}'
            in get(operations.port, "/metrics")
        )
        with pytest.raises(ConfigurationError, match="another port"):
            Operations(("127.0.0.1", operations.port), [well])
    finally:
        operations.close()
    assert health([failed])["consumers"][0]["error"] == "a fork"


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
        text: str = answer.read().decode()
        return text
