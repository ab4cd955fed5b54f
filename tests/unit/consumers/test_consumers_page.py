"""docs/consumers.md: its projections work, its file is one, and the tests that it names exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from made_blocks import PURGE, Ledger, Tx
from medfab_gateway import consumers
from medfab_gateway.consumers import BYTES, TEXT, SqliteStore, Table, load_consumers, replay
from pages import ran

ROOT = Path(__file__).parents[3]
FILE = ROOT / "docs" / "consumers.md"
PAGE = FILE.read_text()
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TOML = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
FOLDERS = {
    "live": ROOT / "tests" / "integration",
    "unit": ROOT / "tests" / "unit" / "consumers",
}


def test_the_tests_that_the_page_names_exist() -> None:
    named = re.findall(r"`(live|unit)/(test_\w+\.py)::(test_\w+)`", PAGE)
    assert len(named) > 10
    for folder, file, function in named:
        assert f"def {function}(" in (FOLDERS[folder] / file).read_text(), function


def test_the_projection_of_the_page(tmp_path: Path) -> None:
    """From the file beside `consumers.toml`, and by `replay` as the page has it."""
    (tmp_path / "assets_projection.py").write_text(PYTHON[0])
    file = tmp_path / "consumers.toml"
    file.write_text(TOML[0].replace('projections = ["explorer"]\n', TOML[1]))
    (consumer,) = load_consumers(file).consumers
    explorer, assets = consumer.projections
    assert (explorer.name, assets.name) == ("explorer", "assets")

    ledger = Ledger()
    for place in ("ward 1", "ward 2"):
        ledger.add(
            Tx(
                chaincode="assets",
                writes={f"asset-{place[-1]}": {"place": place}},
                event=("Moved", {"to": "ward 1"}),
            )
        )
    ledger.add(Tx(chaincode="assets", writes={"asset-2": None}))
    names: dict[str, Any] = {"blocks": ledger.blocks, "Assets": type(assets)}
    exec(PYTHON[1], names)  # noqa: S102
    store = names["store"]
    assert store.query("SELECT id, place FROM assets") == [("1", "ward 1")]
    assert store.query("SELECT * FROM busy_places") == [("ward 1",)]
    store.close()
    ran(FILE, *PYTHON[:2], TOML[1])


def test_the_private_projection_of_the_page() -> None:
    names: dict[str, Any] = {name: getattr(consumers, name) for name in consumers.__all__}
    table = Table("notes", {"pack": TEXT, "text": TEXT}, key=["pack"], private=True)
    names["NOTES"] = table
    exec("from collections.abc import Iterator\n" + PYTHON[2], names)  # noqa: S102
    collection = "_implicit_org_HospitalMSP"
    ledger = Ledger()
    ledger.add(
        Tx(chaincode="pharma", private={(collection, "note-1"): {"text": "kept"}}),
        Tx(chaincode="pharma", private={(collection, "note-2"): {"text": "purged"}}),
        Tx(chaincode="pharma", private={(collection, "note-2"): PURGE}),
    )
    store = SqliteStore(":memory:")
    assert (
        replay(ledger.blocks, [names["Notes"]()], store, channel="care", msp_id="HospitalMSP") == []
    )
    assert store.query("SELECT pack, text FROM notes") == [("1", "kept")]
    assert table.all_columns["derived_from"] is BYTES
    store.close()
    ran(FILE, PYTHON[2])


def test_every_key_of_the_file_is_in_the_table() -> None:
    text = (ROOT / "gateway/src/medfab_gateway/consumers/_config.py").read_text()
    known = set(re.findall(r'"(\w+)"', "".join(re.findall(r"\{\n?[^{}]*?\}", text))))
    keys = known & {
        *("directory", "profile", "wallet", "organization", "identity", "listen", "name"),
        *("channel", "database", "schema", "projections", "private", "max_transactions", "start"),
        *("path", "url", "secret_file", "attempts", "first_pause", "longest_pause", "timeout"),
        *("ca_file", "use", "chaincode", "events", "what"),
    }
    table = PAGE.partition("## The file")[2].partition("## What is guaranteed")[0]
    assert len(keys) > 15
    assert [key for key in sorted(keys) if f"`{key}" not in table and f"{key} =" not in table] == []
