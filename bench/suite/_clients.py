"""The clients of the whole stacks: one process each, warm, told what to do line by line."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from official import node

ROOT = Path(__file__).parents[2]
OFFICIAL = ROOT / "bench" / "official"
SECONDS = 180
"""Longest that one run may take."""
_LINE = 1 << 24


class ClientFailed(Exception):
    """A client's process has ended, or says nothing."""


class Client:
    """One client process."""

    def __init__(self, name: str, process: Process, log: Path) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._log = log

    async def tell(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            await self._process.stdin.drain()
            line = await asyncio.wait_for(self._process.stdout.readline(), SECONDS)
        except (TimeoutError, ConnectionError) as error:
            raise ClientFailed(f"{self.name}: {error!r}: {self._tail()}") from error
        if not line:
            raise ClientFailed(f"{self.name} has ended: {self._tail()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _tail(self) -> str:
        return self._log.read_text(errors="replace")[-1000:]


@asynccontextmanager
async def clients(
    setup: Path, *, go: Path, node_folder: Path, logs: Path
) -> AsyncIterator[dict[str, Client]]:
    """All of them, running, by name."""
    commands: dict[str, list[Any]] = {
        "python": [sys.executable, "-m", "bench.suite.client", setup],
        "node": [node(), node_folder / "client.js", setup, "default"],
        "node-native": [node(), node_folder / "client.js", setup, "native"],
        "go": [go, "client", setup],
    }
    async with AsyncExitStack() as stack:
        found = {}
        for name, command in commands.items():
            found[name] = await stack.enter_async_context(_running(name, command, logs))
        yield found


@asynccontextmanager
async def _running(name: str, command: list[Any], logs: Path) -> AsyncIterator[Client]:
    log = logs / f"client-{name}.log"
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
            stdin=PIPE,
            stdout=PIPE,
            stderr=stderr,
            limit=_LINE,
        )
    try:
        yield Client(name, process, log)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
