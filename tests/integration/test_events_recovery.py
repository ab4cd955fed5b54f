"""Nothing is lost and nothing comes twice: nodes and consumers killed under load; docs/events.md.

In CI some hundred events; with `MEDFAB_SOAK=1` 10,000 submissions by 32 workers, while peer,
orderer and the whole network are restarted again and again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from integration.events_help import (
    CHAINCODE,
    CHANNEL,
    Example,
    connect,
    endpoints,
    event_network,
    events_on_ledger,
    kill,
    submit_all,
    until,
)
from integration.network_help import MEDFAB
from medfab_gateway import (
    AsyncEventStream,
    CommittedEvent,
    Gateway,
    GatewayOptions,
    Reconnect,
)
from medfab_network import Network
from pages import ran
from soak import SOAK, record

pytestmark = pytest.mark.integration

EVENTS, WORKERS = (10_000, 32) if SOAK else (300, 8)
SECONDS = 3000 if SOAK else 120
OPTIONS = GatewayOptions(reconnect=Reconnect(max_delay=2.0))
CONSUMER = Path(__file__).with_name("event_consumer.py")
PAGE = Path(__file__).parents[2] / "docs" / "events.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    directory = tmp_path_factory.mktemp("recovery") / "net"
    async with event_network(directory) as network:
        yield network


class Received:
    """What a stream has delivered so far, by a task of its own."""

    def __init__(self, stream: AsyncEventStream[CommittedEvent]) -> None:
        self.ids: list[str] = []
        self._stream = stream
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self._stream:
            self.ids.append(event.transaction_id)

    async def until_it_has(self, transaction_id: str) -> None:
        async with asyncio.timeout(60):
            while transaction_id not in self.ids:
                if self._task.done():
                    self._task.result()
                await asyncio.sleep(0.05)


async def height(network: Network) -> int:
    return await network.ledger_height("clinic", CHANNEL)


async def restart_peer(network: Network) -> None:
    await kill(network, "peer0.hospital")
    await network.up()


async def restart_orderer(network: Network) -> None:
    await kill(network, "orderer0.orderer")
    await network.up()


async def restart_everything(network: Network) -> None:
    await kill(network, *network.processes())
    await network.up()


async def emit(network: Network) -> str:
    """One event, once the network is well again; its transaction."""
    async with connect(network, *endpoints(network)) as gateway:
        (last,), _ = await submit_all(
            gateway.network(CHANNEL).contract(CHAINCODE), 1, workers=1, seconds=60
        )
        return last


@pytest.mark.parametrize("restart", [restart_peer, restart_orderer, restart_everything])
async def test_every_event_once_and_in_order_while_nodes_are_killed(
    network: Network, restart: Callable[[Network], Awaitable[None]]
) -> None:
    """One reader at the killed peer alone, and one that may go to the other peer; both against
    what is on the ledger, in its order."""
    begin = await height(network)
    one, both = endpoints(network)[:1], endpoints(network)
    async with (
        connect(network, *one, options=OPTIONS) as first,
        connect(network, *both, options=OPTIONS) as second,
        connect(network, *both) as writer,
        first.network(CHANNEL).chaincode_events(CHAINCODE, begin) as at_one,
        second.network(CHANNEL).chaincode_events(CHAINCODE, begin) as at_both,
    ):
        received = [Received(at_one), Received(at_both)]
        load = asyncio.create_task(
            submit_all(
                writer.network(CHANNEL).contract(CHAINCODE),
                EVENTS // 3,
                workers=WORKERS,
                seconds=SECONDS,
            )
        )
        restarts = 0
        while not load.done() and (SOAK or restarts == 0):
            wanted = len(received[1].ids) + EVENTS // 30
            while len(received[1].ids) < wanted and not load.done():
                await asyncio.sleep(0.05)
            await restart(network)
            restarts += 1
        acknowledged, failures = await load
        last = await emit(network)
        for reader in received:
            await reader.until_it_has(last)
        truth = await events_on_ledger(first.network(CHANNEL), begin, await height(network) - 1)
        truth = truth[: truth.index(last) + 1]
        assert acknowledged <= set(truth)
        assert received[0].ids == truth
        assert received[1].ids == truth
    record(
        f"events over restarts, {restart.__name__}",
        workers=WORKERS,
        restarts=restarts,
        events_once_and_in_order_at_each_of_2_readers=len(truth),
        calls_failed_and_made_anew=failures,
    )


@pytest.mark.parametrize("restart", [restart_peer, restart_orderer, restart_everything])
async def test_the_blocking_form_too(
    network: Network, restart: Callable[[Network], Awaitable[None]]
) -> None:
    """Events and filtered blocks, in threads, of the one peer that they know."""
    begin = await height(network)
    async with connect(network, *endpoints(network)) as writer:
        client = writer._client
        gateway = Gateway.connect(
            endpoints(network)[0], client.identity, client.signer, options=OPTIONS
        )
        channel = gateway.network(CHANNEL)
        ids: list[str] = []
        blocks: list[int] = []
        events, filtered = (
            channel.chaincode_events(CHAINCODE, begin),
            channel.filtered_block_events(begin),
        )
        reading = [
            asyncio.create_task(
                asyncio.to_thread(lambda: ids.extend(e.transaction_id for e in events))
            ),
            asyncio.create_task(
                asyncio.to_thread(lambda: blocks.extend(b.number for b in filtered))
            ),
        ]
        contract = writer.network(CHANNEL).contract(CHAINCODE)
        count = EVENTS // 3 if SOAK else 60
        load = asyncio.create_task(
            submit_all(contract, count, workers=WORKERS if SOAK else 4, seconds=SECONDS)
        )
        restarts = 0
        while not load.done() and (SOAK or restarts == 0):
            wanted = len(ids) + max(count // 10, 10)
            while len(ids) < wanted and not load.done():
                await asyncio.sleep(0.05)
            await restart(network)
            restarts += 1
        _, failures = await load
        last = await emit(network)
        await until(lambda: last in ids)
        end = await height(network)
        await until(lambda: bool(blocks) and blocks[-1] >= end - 1)
        truth = await events_on_ledger(writer.network(CHANNEL), begin, end - 1)
        assert ids[: len(truth)] == truth
        assert blocks[: end - begin] == list(range(begin, end))
        events.close()
        filtered.close()
        async with asyncio.timeout(10):
            await asyncio.gather(*reading)
        gateway.close()
    record(
        f"events over restarts, blocking form, {restart.__name__}",
        workers=WORKERS if SOAK else 4,
        restarts=restarts,
        events_once_and_in_order=len(truth),
        filtered_blocks_once_and_in_order=end - begin,
        calls_failed_and_made_anew=failures,
    )


async def test_a_consumer_killed_again_and_again_goes_on_at_its_checkpoint(
    network: Network, tmp_path: Path
) -> None:
    """At least once: what had been handled when it was killed, but not yet checkpointed, comes
    once more, and nothing else does."""
    begin = await height(network)
    handled = tmp_path / "handled"
    handled.touch()
    count = 200
    async with connect(network, *endpoints(network)) as writer:
        contract = writer.network(CHANNEL).contract(CHAINCODE)
        load = asyncio.create_task(submit_all(contract, count, workers=4, seconds=SECONDS))
        kills = 0
        while len(distinct(handled)) < count:
            wanted = min(len(distinct(handled)) + 30, count)
            with consumer(network, tmp_path, begin) as process:
                await until(partial(has_handled, handled, wanted, process))
                assert process.poll() is None, words(process)
            kills += 1
        await load
        truth = await events_on_ledger(writer.network(CHANNEL), begin, await height(network) - 1)
    lines = handled.read_text().splitlines()
    without_repetition = [line for line, _ in itertools.groupby(lines)]
    repeated = len(lines) - len(without_repetition)
    assert without_repetition == truth[: len(without_repetition)]
    assert len(without_repetition) >= count
    assert repeated <= kills
    assert kills >= 2
    print(f"{kills} kills, {len(truth)} events, {repeated} of them handled twice")


def distinct(handled: Path) -> set[str]:
    return set(handled.read_text().splitlines())


def has_handled(handled: Path, wanted: int, process: subprocess.Popen[bytes]) -> bool:
    return len(distinct(handled)) >= wanted or process.poll() is not None


@contextlib.contextmanager
def consumer(network: Network, folder: Path, first_block: int) -> Iterator[subprocess.Popen[bytes]]:
    """The process; killed with SIGKILL at the end."""
    arguments = [network.directory, folder / "checkpoint", folder / "handled", first_block]
    command = [sys.executable, str(CONSUMER), *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def words(process: subprocess.Popen[bytes]) -> str:
    """What a process that has ended wrote to standard error."""
    assert process.stderr is not None
    return process.stderr.read().decode()


async def test_two_consumers_with_one_checkpoint_file(network: Network, tmp_path: Path) -> None:
    begin = await height(network)
    await emit(network)
    with consumer(network, tmp_path, begin) as first:
        await until(lambda: (tmp_path / "checkpoint").exists())
        with consumer(network, tmp_path, begin) as second:
            await until(lambda: second.poll() is not None)
            said = words(second)
        assert f"in use by another consumer (process {first.pid})" in said


async def test_the_command_goes_on_at_its_checkpoint(network: Network, tmp_path: Path) -> None:
    """`medfab events --chaincode --checkpoint`, ended by SIGKILL after the first event."""
    begin = await height(network)
    first = await emit(network)
    (tmp_path / ".medfab").symlink_to(network.directory)
    [shown] = re.findall(r"```sh\n(medfab events .*?)```", PAGE.read_text(), re.DOTALL)
    text = shown.replace("\\\n", "").replace("care", CHANNEL).replace("registry", CHAINCODE)
    command = [str(MEDFAB), *shlex.split(text.replace("--from 0", f"--from {begin}"))[1:]]
    file = tmp_path / f"{CHAINCODE}.checkpoint"
    printed, emitted = [], [first]
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path) as process:
            assert process.stdout is not None
            try:
                printed.append(json.loads(await asyncio.to_thread(process.stdout.readline)))
                await until(partial(is_saved, file, printed[-1]))
            finally:
                process.kill()
        emitted.append(await emit(network))
    assert [line["transaction_id"] for line in printed] == emitted[:2]
    assert set(printed[0]) == {"block", "transaction_id", "chaincode", "event"}
    ran(PAGE, shown)


def is_saved(file: Path, line: dict[str, object]) -> bool:
    saved = {"blockNumber": line["block"], "transactionId": line["transaction_id"]}
    return file.exists() and json.loads(file.read_text()) == saved


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
async def test_the_examples_of_the_page(network: Network, tmp_path: Path, number: int) -> None:
    """Each prints what was there and what comes; with a checkpoint, nothing again."""
    (tmp_path / ".medfab").symlink_to(network.directory)
    program = EXAMPLES[number].replace('"care"', f'"{CHANNEL}"').replace("registry", CHAINCODE)
    (tmp_path / "example.py").write_text(program)
    old = await emit(network)
    with Example(tmp_path) as example:
        await example.prints(old)
        new = await emit(network)
        await example.prints(new)
    ran(PAGE, EXAMPLES[number])
    if "heckpointer" not in program:
        return
    later = await emit(network)
    with Example(tmp_path) as example:
        await example.prints(later)
        # Killed after it had printed, and perhaps before it had saved that.
        assert not any(old in line for line in example.lines)
