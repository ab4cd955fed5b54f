"""Checkpoints: what the official clients mean by them, their files, locks, and crashes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import official
from medfab_gateway import (
    AsyncCheckpointer,
    AsyncFileCheckpointer,
    AsyncInMemoryCheckpointer,
    Checkpoint,
    CheckpointError,
    CommittedEvent,
    FileCheckpointer,
    InMemoryCheckpointer,
)

EVENT = CommittedEvent(
    block_number=7, transaction_id="ab", chaincode_name="ehr", name="filed", payload=b""
)


@pytest.fixture(params=["memory", "file"])
def checkpointer(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncCheckpointer:
    if request.param == "memory":
        return AsyncInMemoryCheckpointer()
    return AsyncFileCheckpointer(tmp_path / "checkpoint")


async def test_the_official_meanings(checkpointer: AsyncCheckpointer) -> None:
    assert await checkpointer.load() is None
    await checkpointer.checkpoint_block(0)
    assert await checkpointer.load() == Checkpoint(block_number=1)
    await checkpointer.checkpoint_transaction(3, "tx")
    assert await checkpointer.load() == Checkpoint(block_number=3, transaction_id="tx")
    await checkpointer.checkpoint_chaincode_event(EVENT)
    assert await checkpointer.load() == Checkpoint(block_number=7, transaction_id="ab")
    await checkpointer.checkpoint_block(7)
    assert await checkpointer.load() == Checkpoint(block_number=8)


def test_the_blocking_form(tmp_path: Path) -> None:
    with FileCheckpointer(tmp_path / "checkpoint") as file:
        for checkpointer in (file, InMemoryCheckpointer()):
            assert checkpointer.load() is None
            checkpointer.checkpoint_chaincode_event(EVENT)
            assert checkpointer.load() == Checkpoint(block_number=7, transaction_id="ab")


OFFICIAL = [
    # Go: filecheckpointer.go
    ('{"blockNumber":0,"transactionId":""}', None),  # as it makes a new file
    ('{"blockNumber":5,"transactionId":""}', Checkpoint(block_number=5)),
    ('{"blockNumber":5,"transactionId":"ab"}', Checkpoint(block_number=5, transaction_id="ab")),
    # killed between writing and shortening the file
    ('{"blockNumber":10,"transactionId":""}"ab"}', Checkpoint(block_number=10)),
    # Node: filecheckpointer.ts
    ("", None),
    ("{}", None),
    ('{"blockNumber":"5"}', Checkpoint(block_number=5)),
    ('{"blockNumber":"5","transactionId":"ab"}', Checkpoint(block_number=5, transaction_id="ab")),
    ('{"blockNumber":"18446744073709551615"}', Checkpoint(block_number=2**64 - 1)),
    # Java: FileCheckpointer.java
    ('{"blockNumber":5}', Checkpoint(block_number=5)),
    ('{"blockNumber":5,"transactionId":"ab"}', Checkpoint(block_number=5, transaction_id="ab")),
]


@pytest.mark.parametrize(("content", "expected"), OFFICIAL)
def test_files_of_the_official_clients(
    tmp_path: Path, content: str, expected: Checkpoint | None
) -> None:
    file = tmp_path / "checkpoint"
    file.write_text(content)
    with FileCheckpointer(file) as checkpointer:
        assert checkpointer.load() == expected
    assert file.read_text() == content  # reading changes nothing


def test_ours_is_a_number_and_leaves_out_what_is_not_set(tmp_path: Path) -> None:
    """Go takes no text as a number; all three take a key that is missing."""
    file = tmp_path / "checkpoint"
    with FileCheckpointer(file) as checkpointer:
        checkpointer.checkpoint_block(4)
        assert json.loads(file.read_bytes()) == {"blockNumber": 5}
        checkpointer.checkpoint_transaction(5, "ab")
        assert json.loads(file.read_bytes()) == {"blockNumber": 5, "transactionId": "ab"}
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("client", ["node", "go"])
async def test_the_official_clients_go_on_with_our_file_and_we_with_theirs(
    tmp_path: Path, client: str
) -> None:
    folder = Path(official.__file__).parent / f"gateway-{client}"
    file = tmp_path / "checkpoint"
    command: list[Path | str]
    if client == "node":
        project = await asyncio.to_thread(official.node_project, folder)
        command = [official.node(), project / "checkpoint.mjs", file]
    else:
        command = [await official.go_program(folder), "checkpoint", file]
    with FileCheckpointer(file) as checkpointer:
        for transaction_id in ("ab", None):
            checkpointer.save(Checkpoint(block_number=7, transaction_id=transaction_id))
            run = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=60)
            assert json.loads(run.stdout) == ["7", transaction_id or ""], run.stderr
            assert checkpointer.load() == Checkpoint(block_number=12, transaction_id=client)


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "nonsense",
        '{"blockNumber":-1}',
        '{"blockNumber":"x"}',
        '{"blockNumber":null}',
        '{"blockNumber":1.5}',
        '{"blockNumber":1,"transactionId":2}',
        "\xff",
    ],
)
def test_files_that_are_no_checkpoint(tmp_path: Path, content: str) -> None:
    file = tmp_path / "checkpoint"
    file.write_bytes(content.encode("latin-1"))
    with FileCheckpointer(file) as checkpointer, pytest.raises(CheckpointError, match="delete it"):
        checkpointer.load()


def test_one_consumer_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    with FileCheckpointer(file):
        with pytest.raises(CheckpointError, match=rf"another consumer \(process {os.getpid()}\)"):
            AsyncFileCheckpointer(file)
        other = subprocess.run(
            [sys.executable, "-c", WRITER, str(file)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "CheckpointError" in other.stderr
    with FileCheckpointer(file) as again:
        assert again.load() is None


WRITER = """
import sys
from medfab_gateway import FileCheckpointer
checkpointer = FileCheckpointer(sys.argv[1])
number = 0
while True:
    number += 1
    checkpointer.checkpoint_transaction(number, "x" * (number % 100))
    print(number, flush=True)
"""


def test_killed_at_any_moment_the_file_is_whole(tmp_path: Path) -> None:
    """What `save` had returned from is in it, or the one that was being saved."""
    file = tmp_path / "checkpoint"
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        saved = [int(line) for line in process.communicate()[0].splitlines() if line]
        last = saved[-1] if saved else 20
        with FileCheckpointer(file) as checkpointer:  # the lock went with the process
            checkpoint = checkpointer.load()
        assert checkpoint is not None
        assert checkpoint.block_number in {last, last + 1}


def test_a_lock_is_given_back_twice_without_harm(tmp_path: Path) -> None:
    checkpointer = FileCheckpointer(tmp_path / "checkpoint")
    checkpointer.close()
    checkpointer.close()


def test_numbers_that_no_block_has() -> None:
    with pytest.raises(ValueError, match="Block numbers"):
        Checkpoint(block_number=2**64)
