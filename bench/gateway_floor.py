"""What any client upon grpcio costs at least: its unary calls, and nothing around them.

The requests are those of our client, made once and sent as bytes again and again; answers are bytes
that nobody reads. An evaluation is one call, a submission three: endorse, submit, commit status.
With `signed`, the one thing that no client can leave out is added: a signature for each call.

python -m bench.gateway_floor SETUP.json CASE CONCURRENCY WARMUP COUNT async|sync bare|signed
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.gateway_client import Meter, Setup, arguments, key, repeat, repeat_in
from fabric_protos.gateway import gateway_pb2

from medfab_gateway import Gateway

Call = tuple[str, bytes, bytes]
"""The method, the request, and what a client signs of it."""

Sign = Callable[[bytes], object]


def make_calls(setup: Setup, case: str) -> list[Call]:
    """The requests that our client sends for one evaluation or submission."""
    channel = setup["channel"]
    with Gateway.connect(*arguments(setup)) as gateway:
        contract = gateway.network(channel).contract(setup["chaincode"])
        if case == "evaluate":
            proposal = contract.proposal(*setup["evaluate"])
        else:
            function, *others = setup["submit"]
            proposal = contract.proposal(function, key(1), *others)
        transaction_id = proposal.transaction_id
        transaction = proposal.endorse()  # signs both
        transaction.submit()
        commit = gateway.network(channel).commit(transaction_id)
        commit.sign()
        proposed = gateway_pb2.ProposedTransaction.FromString(proposal.bytes).proposal
        prepared = gateway_pb2.PreparedTransaction.FromString(transaction.bytes).envelope
        common = {"transaction_id": transaction_id, "channel_id": channel}
        evaluation = gateway_pb2.EvaluateRequest(**common, proposed_transaction=proposed)
        endorsement = gateway_pb2.EndorseRequest(**common, proposed_transaction=proposed)
        submission = gateway_pb2.SubmitRequest(**common, prepared_transaction=prepared)
        if case == "evaluate":
            return [("Evaluate", evaluation.SerializeToString(), proposed.proposal_bytes)]
        return [
            ("Endorse", endorsement.SerializeToString(), proposed.proposal_bytes),
            ("Submit", submission.SerializeToString(), prepared.payload),
            ("CommitStatus", commit.bytes, b""),
        ]


def prepare(channel: Any, calls: list[Call]) -> list[tuple[Any, bytes, bytes]]:
    return [(channel.unary_unary(f"/gateway.Gateway/{name}"), *rest) for name, *rest in calls]


def signing(setup: Setup) -> Sign:
    signer = arguments(setup)[2]
    return lambda message: signer(hashlib.sha256(message).digest())


async def call_async(
    setup: Setup, calls: list[Call], sign: Sign, at_once: int, warmup: int, wanted: int
) -> None:
    async with arguments(setup)[0].open_channel() as channel:
        prepared = prepare(channel, calls)

        async def call() -> None:
            for method, request, content in prepared:
                sign(content)
                await method(request, timeout=30)

        await repeat(call, at_once, warmup)
        meter = Meter()
        await repeat(call, at_once, wanted)
        meter.print()


def call_sync(
    setup: Setup, calls: list[Call], sign: Sign, at_once: int, warmup: int, wanted: int
) -> None:
    with (
        arguments(setup)[0].open_blocking_channel() as channel,
        ThreadPoolExecutor(at_once) as threads,
    ):
        prepared = prepare(channel, calls)

        def call() -> None:
            for method, request, content in prepared:
                sign(content)
                method(request, timeout=30)

        repeat_in(threads, call, at_once, warmup)
        meter = Meter()
        repeat_in(threads, call, at_once, wanted)
        meter.print()


def main() -> None:
    setup_file, case, *numbers, form, signed = sys.argv[1:]
    at_once, warmup, wanted = map(int, numbers)
    setup: Setup = json.loads(Path(setup_file).read_bytes())
    calls = make_calls(setup, case)
    sign: Sign = signing(setup) if signed == "signed" else len
    if form == "async":
        asyncio.run(call_async(setup, calls, sign, at_once, warmup, wanted))
    else:
        call_sync(setup, calls, sign, at_once, warmup, wanted)


if __name__ == "__main__":
    main()
