"""The document store: encrypted, checked, and nothing of it readable without the key."""

import io
import secrets
from dataclasses import replace
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from medfab_gateway.ehr import DocumentError, DocumentReference, DocumentStore, TamperError
from medfab_gateway.ehr._documents import CHUNK_BYTES

KEY = secrets.token_bytes(32)
FOLDER = secrets.token_hex(16)


@pytest.fixture(params=["memory", "file", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> DocumentStore:
    url = {
        "memory": f"memory://{secrets.token_hex(8)}",
        "file": (tmp_path / "documents").as_uri(),
        "folder": str(tmp_path / "documents"),
    }[request.param]
    return DocumentStore(url)


def files_of(store: DocumentStore) -> dict[str, bytes]:
    """Every file of the store with its bytes, beside the store's own calls."""
    return {path: store._files.cat_file(path) for path in store._files.find(store._root)}


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES]
)
def test_a_document_comes_back(store: DocumentStore, size: int) -> None:
    data = secrets.token_bytes(size)
    reference = store.put(data, KEY, folder=FOLDER)
    assert reference.size == size
    assert store.get(reference, KEY) == data
    assert store.names() == (reference.name,)


def test_nothing_of_it_is_readable(store: DocumentStore) -> None:
    data = b"Quenneville, Marisol: " * 100_000
    reference = store.put(io.BytesIO(data), KEY, folder=FOLDER)
    ((path, stored),) = files_of(store).items()
    assert b"Quenneville" not in stored
    assert reference.sha256 not in path
    assert store.put(data, KEY, folder=FOLDER).name != reference.name
    with pytest.raises(TamperError):
        store.get(reference, secrets.token_bytes(32))


def test_r3_every_changed_byte_raises_a_tamper_alert(store: DocumentStore) -> None:
    data = secrets.token_bytes(2 * CHUNK_BYTES + 7)
    reference = store.put(data, KEY, folder=FOLDER)
    ((path, stored),) = files_of(store).items()
    chunk = CHUNK_BYTES + 16
    changed = {
        "a byte of the header": b"x" + stored[1:],
        "a byte of the nonce": stored[:20] + bytes([stored[20] ^ 1]) + stored[21:],
        "a byte of the middle": stored[:chunk] + bytes([stored[chunk] ^ 1]) + stored[chunk + 1 :],
        "the last byte": stored[:-1] + bytes([stored[-1] ^ 1]),
        "cut within a chunk": stored[:-3],
        "cut between chunks": stored[: 25 + chunk],
        "cut to nothing": b"",
        "header alone": stored[:25],
        "two chunks swapped": stored[:25]
        + stored[25 + chunk : 25 + 2 * chunk]
        + stored[25 : 25 + chunk]
        + stored[25 + 2 * chunk :],
        "appended to": stored + b"x",
    }
    for what, content in changed.items():
        store._files.pipe_file(path, content)
        with pytest.raises(TamperError):
            pytest.fail(f"{what}: {len(store.get(reference, KEY))} bytes came back")
    store._files.pipe_file(path, stored)
    assert store.get(reference, KEY) == data


def test_r3_another_document_in_its_place_raises_a_tamper_alert(store: DocumentStore) -> None:
    one, other = store.put(b"one", KEY, folder=FOLDER), store.put(b"two", KEY, folder=FOLDER)
    files = files_of(store)
    place = {"/".join(path.split("/")[-2:]): path for path in files}
    store._files.pipe_file(place[one.name], files[place[other.name]])
    with pytest.raises(TamperError):
        store.get(one, KEY)
    for wrong in (replace(other, sha256="0" * 64), replace(other, size=4)):
        with pytest.raises(TamperError):
            store.get(wrong, KEY)


def test_a_document_that_is_gone(store: DocumentStore) -> None:
    reference = store.put(b"one", KEY, folder=FOLDER)
    assert store.delete(reference.name)
    assert not store.delete(reference.name)
    with pytest.raises(DocumentError, match="does not have a document"):
        store.get(reference, KEY)
    assert files_of(store) == {}


def test_a_folder_is_deleted_whole_and_alone(store: DocumentStore) -> None:
    kept = store.put(b"kept", KEY, folder=secrets.token_hex(16))
    one, other = (store.put(data, KEY, folder=FOLDER) for data in (b"one", b"other"))
    assert store.digest(one.name) != one.sha256
    assert store.delete_folder(FOLDER) == tuple(sorted([one.name, other.name]))
    assert store.names() == (kept.name,)
    assert store.exists(kept.name)
    assert not store.exists(one.name)
    assert store.digest(one.name) is None
    assert store.delete_folder(FOLDER) == ()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "", "0" * 32, f"{FOLDER}/x", f"{FOLDER}/{FOLDER}/../x"]
)
def test_a_name_cannot_leave_the_folder(store: DocumentStore, name: str) -> None:
    with pytest.raises(TamperError):
        store.get(DocumentReference(name=name, sha256="0" * 64, size=0), KEY)
    with pytest.raises(TamperError):
        store.delete(name)


def test_a_store_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DocumentError, match="cannot be used"):
        DocumentStore(str(tmp_path / "file" / "documents"))
    with pytest.raises(DocumentError, match="cannot be used"):
        DocumentStore("no-such-protocol://x")


def test_a_source_that_gives_a_few_bytes_at_a_time(store: DocumentStore) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 1000))

    data = secrets.token_bytes(CHUNK_BYTES + 5)
    assert store.get(store.put(Slow(data), KEY, folder=FOLDER), KEY) == data


@pytest.fixture(autouse=True)
def _empty_memory() -> None:
    MemoryFileSystem.store.clear()
