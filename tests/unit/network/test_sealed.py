"""Archives: what is read is what was written, or there is an error."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from medfab_network._archive import extract, verified
from medfab_network._backup import FORMAT
from medfab_network._files import write_entry
from medfab_network._sealed import SealedReader, SealedWriter, Secret
from medfab_network.errors import ArchiveError

KEY = Secret(content=bytes(range(32)), is_passphrase=False)
FRAME = (1 << 20) + 16


def seal(path: Path, content: bytes, secret: Secret = KEY) -> Path:
    with path.open("wb") as file:
        writer = SealedWriter(file, secret)
        for start in range(0, len(content), 300_000):
            writer.write(content[start : start + 300_000])
        writer.finish()
    return path


def read(path: Path, secret: Secret = KEY, size: int = 100_000) -> bytes:
    with SealedReader(path, secret) as reader:
        found = b""
        while piece := reader.read(size):
            found += piece
        return found


@pytest.mark.parametrize("length", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_what_was_written_is_read(tmp_path: Path, length: int) -> None:
    content = (b"0123456789abcdef" * (length // 16 + 1))[:length]
    path = seal(tmp_path / "a", content)
    assert read(path) == content
    assert read(path, size=-1) == content
    assert length < 64 or content[:64] not in path.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data, start: data[:-1], id="the last byte is missing"),
        pytest.param(lambda data, start: data[: start + FRAME], id="cut off at a frame's end"),
        pytest.param(lambda data, start: data[: start + 5], id="cut off in the first frame"),
        pytest.param(lambda data, start: data[:start], id="the header alone"),
        pytest.param(lambda data, start: data + b"x", id="a byte more"),
        pytest.param(
            lambda data, start: data[:start] + data[start + FRAME :], id="a frame is left out"
        ),
        pytest.param(
            lambda data, start: data[: start + FRAME] + data[start:],
            id="a frame is repeated",
        ),
        pytest.param(
            lambda data, start: (
                data[:start]
                + data[start + FRAME : start + 2 * FRAME]
                + data[start : start + FRAME]
                + data[start + 2 * FRAME :]
            ),
            id="frames are exchanged",
        ),
        pytest.param(
            lambda data, start: (
                data[: start + 9] + bytes([data[start + 9] ^ 1]) + data[start + 10 :]
            ),
            id="a bit is changed",
        ),
        pytest.param(
            lambda data, start: data.replace(b'"hkdf-sha256"', b'"hkdf-sha257"'),
            id="the header is changed",
        ),
    ],
)
def test_a_changed_archive_is_refused(
    tmp_path: Path, change: Callable[[bytes, int], bytes]
) -> None:
    path = seal(tmp_path / "a", b"x" * (5 << 19))
    data = path.read_bytes()
    start = data.index(b"}") + 1
    path.write_bytes(change(data, start))
    with pytest.raises(ArchiveError):
        read(path)


def test_another_key(tmp_path: Path) -> None:
    path = seal(tmp_path / "a", b"content")
    with pytest.raises(ArchiveError, match="sealed with another key"):
        read(path, Secret(content=bytes(32), is_passphrase=False))
    with pytest.raises(ArchiveError, match="sealed with a key file"):
        read(path, Secret(content=b"a good passphrase", is_passphrase=True))
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(ArchiveError, match="no backup"):
        read(tmp_path / "text")


def test_a_passphrase(tmp_path: Path) -> None:
    secret = Secret(content=b"correct horse battery", is_passphrase=True)
    path = seal(tmp_path / "a", b"content", secret)
    assert read(path, secret) == b"content"
    other = Secret(content=b"correct horse batterx", is_passphrase=True)
    with pytest.raises(ArchiveError, match="another key"):
        read(path, other)
    costly = path.read_bytes().replace(b'"n": 131072', b'"n": 931072')
    path.write_bytes(costly.replace(b'"r": 8', b'"r": 9'))
    with pytest.raises(ArchiveError):
        read(path, secret)


def test_secrets_come_from_files_that_nobody_else_reads(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(bytes(32))
    path.chmod(0o644)
    with pytest.raises(ArchiveError, match="chmod 600"):
        Secret.from_files(path, None)
    path.chmod(0o600)
    secret = Secret.from_files(path, None)
    assert "content" not in repr(secret)
    path.write_bytes(bytes(31))
    with pytest.raises(ArchiveError, match="too short"):
        Secret.from_files(path, None)
    path.write_text("correct horse battery\n")
    assert Secret.from_files(None, path).content == b"correct horse battery"
    with pytest.raises(ArchiveError, match="cannot be read"):
        Secret.from_files(tmp_path / "none", None)


def archive(path: Path, files: dict[str, bytes], digests: dict[str, str]) -> Path:
    with path.open("wb") as file:
        writer = SealedWriter(file, KEY)
        with tarfile.open(fileobj=writer, mode="w|") as tar:
            manifest = {
                "format": FORMAT,
                "made": "now",
                "organization": "hospital",
                "msp_id": "HospitalMSP",
                "topology": {},
                "heights": {},
                "files": digests,
            }
            for name, content in {**files, "manifest.json": json.dumps(manifest).encode()}.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(content), 0o600
                tar.addfile(info, io.BytesIO(content))
        writer.finish()
    return path


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_an_archive_writes_where_it_should_alone(tmp_path: Path) -> None:
    good = archive(
        tmp_path / "good", {"organization/ca/key.pem": b""}, {"organization/ca/key.pem": EMPTY}
    )
    assert verified(good, KEY).organization == "hospital"
    target = tmp_path / "target"
    target.mkdir()
    extract(good, KEY, partial(write_entry, target))
    assert (target / "organization/ca/key.pem").stat().st_mode & 0o777 == 0o600
    for name in ("../outside", "/etc/outside", "organization/../../outside", "other/file"):
        wrong = archive(tmp_path / "wrong", {name: b""}, {name: EMPTY})
        with pytest.raises(ArchiveError, match="no backup holds"):
            verified(wrong, KEY)
    wrong = archive(tmp_path / "wrong", {"organization/a": b"x"}, {"organization/a": EMPTY})
    with pytest.raises(ArchiveError, match="not what the manifest says"):
        verified(wrong, KEY)
