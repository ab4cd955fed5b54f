"""The scaled form of `make faults`: a fault or two of each family, and what is true after."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from faults.firewall import why_not as why_no_firewall
from faults.relay import _socket

pytestmark = pytest.mark.integration
_SECONDS = 900
TESTS = Path(__file__).parents[1]


async def test_what_is_acknowledged_survives_a_fault_of_each_family(tmp_path: Path) -> None:
    """In a program of its own, which mounts small disks where it may (root), and loses packets."""
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "faults", "--small"],
            stdout=said,
            stderr=said,
            env={**os.environ, "PYTHONPATH": str(TESTS)},
            cwd=tmp_path,
        )
        try:
            code = await asyncio.to_thread(process.wait, _SECONDS)
        finally:
            process.terminate()  # which cleans up, where it still runs
            await asyncio.to_thread(process.wait, 60)
    text = (tmp_path / "said").read_text()
    print(text)
    assert code == 0, text[-3000:]
    assert "| orderer leader and followers | cut | 1 |" in text
    assert "every one is on each of the" in text
    full = "| peer of another organisation | disk full | 1 |"
    assert (full in text) or "disk full (" in text  # left out, with the reason


def test_whose_socket_a_connection_is() -> None:
    """By the two ports, as the relay finds out who has dialled."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            found = _socket(client.getsockname()[1], port)
            assert found == str(Path(f"/proc/self/fd/{client.fileno()}").readlink())
    assert _socket(1, port) == ""


def test_no_packet_is_dropped_outside_of_a_namespace_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MEDFAB_FAULTS_NAMESPACE", raising=False)
    assert "no network namespace" in (why_no_firewall() or "")
