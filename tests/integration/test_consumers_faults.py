"""The scaled form of `make consumer-faults`: each kind of node is killed, some twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.consumer_faults import survive
from integration.consumers_help import consumer_network
from postgres import postgres_server

pytestmark = pytest.mark.integration
KILLS = 6


async def test_killed_at_any_moment_the_rows_are_those_of_the_ledger(tmp_path: Path) -> None:
    async with consumer_network(tmp_path / "net") as network:
        with postgres_server() as postgres:
            report = await survive(network, postgres, tmp_path, kills=KILLS)
    print(report)
    assert report.differences == []
    assert sum(report.kills.values()) == KILLS
    assert report.transactions > 50
    assert report.compared_rows > 200
