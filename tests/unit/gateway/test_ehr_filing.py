"""Keyed ids, the holder's key file, and the splitter."""

import itertools
import json
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfab_gateway.ehr import (
    Bundle,
    BundleError,
    FilingKey,
    FilingKeyError,
    example_bundle,
    load_bundle,
)
from medfab_gateway.ehr._filing import filing_items, split

PATIENT = "00112233445566778899aabbccddeeff"


@given(
    sizes=st.lists(st.integers(2, 300), max_size=40),
    max_items=st.integers(1, 7),
    max_bytes=st.integers(20, 500),
)
def test_split_keeps_order_and_limits(sizes: list[int], max_items: int, max_bytes: int) -> None:
    items = [json.dumps("x" * (size - 2)).encode() for size in sizes]
    batches = list(split(items, max_items=max_items, max_bytes=max_bytes))
    parsed = [json.loads(batch)["items"] for batch in batches]
    assert [item for batch in parsed for item in batch] == [json.loads(item) for item in items]
    for raw, batch in zip(batches, parsed, strict=True):
        assert 1 <= len(batch) <= max_items
        assert len(raw) <= max_bytes or len(batch) == 1
    # No two neighbours would have fitted together.
    for one, other in itertools.pairwise(parsed):
        joined = json.dumps({"items": [*one, other[0]]}, separators=(",", ":"))
        assert len(one) == max_items or len(joined) > max_bytes


def test_ids_are_keyed_by_holder_patient_and_resource() -> None:
    key, other = FilingKey(bytes(32)), FilingKey(bytes([1] * 32))
    ids = {
        key.record_id(PATIENT, "Observation/1"),
        key.record_id(PATIENT, "Observation/2"),
        key.record_id("f" * 32, "Observation/1"),
        other.record_id(PATIENT, "Observation/1"),
    }
    assert len(ids) == 4
    assert key.record_id(PATIENT, "Observation/1") in ids
    # HMAC-SHA256(HMAC-SHA256(secret, pid), key), computed with openssl dgst -mac HMAC.
    assert key.record_id(PATIENT, "Observation/1") == KNOWN_ID


KNOWN_ID = "d556bd18fb5589e91d5b7d551dbd8ffe3d2a7abf67b495081f4771e0bf79a23a"


def test_items_have_everything_and_salts_of_their_own() -> None:
    bundle = load_bundle(example_bundle())
    made = filing_items(bundle, patient=PATIENT, key=FilingKey(bytes(32)))
    items = [json.loads(item.data) for item in made]
    assert [item["resource"] for item in items] == [r.text for r in bundle.resources]
    assert len({item["salt"] for item in items}) == len(items)
    assert items[2]["labels"]["categories"] == ["laboratory"]
    for item in items:
        assert json.loads(item["resource"])["id"] not in item["id"]


def test_a_resource_too_large_is_refused_before_anything_is_sent() -> None:
    bundle = load_bundle(example_bundle())
    small, large = bundle.resources[0], replace(bundle.resources[1], text="x" * 1_000_000)
    with pytest.raises(BundleError, match=r"entry\[1\] \w+: has 100\d{4} bytes"):
        filing_items(Bundle(resources=(small, large)), patient=PATIENT, key=FilingKey(bytes(32)))


def test_a_key_file_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "wallet" / "filing.key"
    key = FilingKey.load_or_create(path)
    assert FilingKey.load_or_create(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["filing.key"]
    assert key.secret.hex() not in repr(key)


def test_rivals_get_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "filing.key"
    keys: list[FilingKey] = []
    barrier = threading.Barrier(8)

    def make() -> None:
        barrier.wait()
        keys.append(FilingKey.load_or_create(path))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len({key.secret for key in keys}) == 1


@pytest.mark.parametrize("content", ["", "00ff", "not hex", "é"])
def test_a_broken_key_file_is_never_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "filing.key"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FilingKeyError):
        FilingKey.load_or_create(path)
    assert path.read_text(encoding="utf-8") == content
