"""Our client, as `bench.gateway` runs it beside the official ones.

python -m bench.gateway_client SETUP.json CASE CONCURRENCY WARMUP COUNT async|sync
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

from medfab_gateway import (
    AsyncGateway,
    BlockTransaction,
    Endpoint,
    Gateway,
    Identity,
    decode_block,
    private_key_signer,
)

Setup = dict[str, Any]


class Meter:
    """CPU and time of this process over one piece of work, printed as the other clients do."""

    def __init__(self) -> None:
        self.keys = self.values = 0
        self._began = time.perf_counter()
        self._cpu = time.process_time()

    def print(self) -> None:
        used = time.process_time() - self._cpu
        found = {
            "cpu_us": round(used * 1e6),
            "seconds": time.perf_counter() - self._began,
            "keys": self.keys,
            "values": self.values,
        }
        print(json.dumps(found))


def arguments(setup: Setup) -> tuple[Endpoint, Identity, Any]:
    endpoint = Endpoint(
        setup["address"],
        tls_root_certificates=Path(setup["tls_root"]).read_bytes(),
        server_name=setup["server_name"],
    )
    identity = Identity(setup["msp_id"], Path(setup["certificate"]).read_bytes())
    return endpoint, identity, private_key_signer(Path(setup["key"]).read_bytes())


async def call_async(setup: Setup, case: str, at_once: int, warmup: int, wanted: int) -> None:
    numbers = count()
    async with AsyncGateway.connect(*arguments(setup)) as gateway:
        contract = gateway.network(setup["channel"]).contract(setup["chaincode"])

        async def evaluate() -> None:
            answer = await contract.evaluate(*setup["evaluate"])
            expect(answer, setup["evaluate_gives"])

        async def submit() -> None:
            function, *others = setup["submit"]
            answer = await contract.submit(function, key(next(numbers)), *others)
            expect(answer, setup["submit_gives"])

        call = evaluate if case == "evaluate" else submit
        await repeat(call, at_once, warmup)
        meter = Meter()
        await repeat(call, at_once, wanted)
        meter.print()


async def repeat(call: Callable[[], Awaitable[None]], at_once: int, wanted: int) -> None:
    left = iter(range(wanted))

    async def work() -> None:
        for _ in left:
            await call()

    await asyncio.gather(*(work() for _ in range(at_once)))


def call_sync(setup: Setup, case: str, at_once: int, warmup: int, wanted: int) -> None:
    numbers = count()
    with Gateway.connect(*arguments(setup)) as gateway, ThreadPoolExecutor(at_once) as threads:
        contract = gateway.network(setup["channel"]).contract(setup["chaincode"])

        def evaluate() -> None:
            expect(contract.evaluate(*setup["evaluate"]), setup["evaluate_gives"])

        def submit() -> None:
            function, *others = setup["submit"]
            answer = contract.submit(function, key(next(numbers)), *others)
            expect(answer, setup["submit_gives"])

        call = evaluate if case == "evaluate" else submit
        repeat_in(threads, call, at_once, warmup)
        meter = Meter()
        repeat_in(threads, call, at_once, wanted)
        meter.print()


def repeat_in(
    threads: ThreadPoolExecutor, call: Callable[[], None], at_once: int, wanted: int
) -> None:
    """As `repeat`: what the executor itself costs for each piece of work is nobody's client."""
    left = iter(range(wanted))

    def work(_: int) -> None:
        for _ in left:
            call()

    list(threads.map(work, range(at_once)))


async def follow_blocks(setup: Setup, warmup: int, wanted: int) -> None:
    last = warmup + wanted - 1
    async with AsyncGateway.connect(*arguments(setup)) as gateway:
        network = gateway.network(setup["channel"])
        async with network.block_events(0, last) as blocks:
            meter = Meter()
            following = 0
            async for block in blocks:
                if block.number != following:
                    raise SystemExit(f"block {block.number} came instead of {following}")
                following += 1
                if following == warmup:
                    meter = Meter()
            if following != last + 1:
                raise SystemExit(f"the blocks ended at {following}")
            meter.print()


def read_blocks(path: Path) -> list[bytes]:
    """Serialised blocks, each after its length."""
    content = path.read_bytes()
    messages = []
    while content:
        size = int.from_bytes(content[:4], "big")
        messages.append(content[4 : 4 + size])
        content = content[4 + size :]
    return messages


def decode_transactions(setup: Setup, warmup: int, wanted: int) -> None:
    messages = read_blocks(Path(setup["blocks"]))
    decode(messages, warmup, Meter())
    meter = Meter()
    decode(messages, wanted, meter)
    meter.print()


def decode(messages: list[bytes], wanted: int, meter: Meter) -> None:
    """Take out all that the official clients' programs take out, `wanted` times or a few more."""
    done = 0
    while done < wanted:
        for message in messages:
            for transaction in decode_block(message).transactions:
                done += 1
                if transaction.undecoded is not None:
                    raise SystemExit(transaction.undecoded)
                count_up(transaction, meter)


def count_up(transaction: BlockTransaction, meter: Meter) -> None:
    keys = len(transaction.transaction_id) + len(transaction.channel_id)
    keys += transaction.validation_code == "VALID"
    values = 0
    creator = transaction.creator
    keys += len(creator.msp_id)
    values += len(creator.certificate)
    for endorser in transaction.endorsers:
        keys += len(endorser.msp_id)
        values += len(endorser.certificate) + len(endorser.signature)
    if transaction.type == "ENDORSER_TRANSACTION":
        response = transaction.response
        assert response is not None
        keys += len(transaction.chaincode_name or "") + response.status
        values += len(response.payload) + sum(map(len, transaction.args))
        event = transaction.event
        if event is not None:
            keys += len(event.name)
            values += len(event.payload)
        for namespace in transaction.read_write_sets:
            keys += len(namespace.namespace)
            for read in namespace.reads:
                keys += len(read.key)
            for write in namespace.writes:
                keys += len(write.key)
                values += len(write.value)
            for collection in namespace.collections:
                keys += len(collection.collection)
                for hashed in collection.reads:
                    keys += len(hashed.key_hash)
                for change in collection.writes:
                    keys += len(change.key_hash)
                    values += len(change.value_hash)
    meter.keys += keys
    meter.values += values


def key(number: int) -> str:
    return f"key{os.getpid()}-{number}"


def expect(answer: bytes, wanted: str) -> None:
    if answer != wanted.encode():
        raise SystemExit("a call gave back something else")


def main() -> None:
    setup_file, case, *numbers, form = sys.argv[1:]
    at_once, warmup, wanted = map(int, numbers)
    setup: Setup = json.loads(Path(setup_file).read_bytes())
    if case == "decoded transaction":
        decode_transactions(setup, warmup, wanted)
    elif case == "block event":
        asyncio.run(follow_blocks(setup, warmup, wanted))
    elif form == "async":
        asyncio.run(call_async(setup, case, at_once, warmup, wanted))
    else:
        call_sync(setup, case, at_once, warmup, wanted)


if __name__ == "__main__":
    main()
