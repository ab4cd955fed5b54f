"""Files that only their owner can read, and what is no file."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

from medfab_gateway._files import write_private_file


def test_a_file_is_replaced_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_private_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["key.pem"]


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writing = threading.Thread(target=write_private_file, args=(path, b"content"))
    writing.start()
    assert path.read_bytes() == b"content"
    writing.join()
    assert path.is_fifo()


def test_devices_are_never_replaced() -> None:
    """As root, a rename would put a file in the place of the device, for every program."""
    before = os.lstat("/dev/stdout"), os.lstat("/dev/null")
    write_private_file(Path("/dev/null"), b"content")
    after = os.lstat("/dev/stdout"), os.lstat("/dev/null")
    assert [entry.st_mode for entry in after] == [entry.st_mode for entry in before]
