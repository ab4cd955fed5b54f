"""Our client for the whole stacks: python -m bench.suite.client SETUP.json

The official clients' programs are bench/official/stack-{go,node}. Each does what standard input
says, line by line: `load` a file of calls, `go`, and `report` what came of it. So the process is
warm before it is measured, and reading and hashing are not in what is measured.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medfab_gateway import AsyncContract, AsyncGateway, Endpoint, Identity, private_key_signer

Call = dict[str, Any]


@dataclass(frozen=True)
class Result:
    answer: bytes
    seconds: float
    error: str = ""


async def run(contract: AsyncContract, command: Call, calls: list[Call]) -> list[Result]:
    """Every call once, `at_once` of them at a time, in their order."""
    results: list[Result] = [Result(b"", 0.0)] * len(calls)
    left = iter(enumerate(calls))
    send = contract.submit if command["submit"] else contract.evaluate

    async def worker() -> None:
        for number, call in left:
            transient = {name: text.encode() for name, text in call["transient"].items()}
            began = time.perf_counter()
            try:
                answer = await send(call["function"], *call["args"], transient=transient)
                results[number] = Result(answer, time.perf_counter() - began)
            except Exception as error:
                results[number] = Result(b"", time.perf_counter() - began, repr(error))

    await asyncio.gather(*(worker() for _ in range(command["at_once"])))
    return results


def report(calls: list[Call], results: list[Result], seconds: float) -> Call:
    """What the harness compares: digests of what went in and of what came back."""
    inputs, answers = hashlib.sha256(), hashlib.sha256()
    for call, result in zip(calls, results, strict=True):
        inputs.update(input_text(call).encode())
        answers.update(result.answer + b"\n")
    return {
        "seconds": seconds,
        "latencies": [result.seconds for result in results],
        "inputs": inputs.hexdigest(),
        "answers": answers.hexdigest(),
        "error": next((result.error for result in results if result.error), ""),
    }


def input_text(call: Call) -> str:
    """A call as every client hashes it."""
    lines = [call["function"], *call["args"]]
    lines += [f"{name}={call['transient'][name]}" for name in sorted(call["transient"])]
    return "".join(f"{line}\n" for line in lines)


async def main() -> None:
    setup = json.loads(Path(sys.argv[1]).read_bytes())
    endpoint = Endpoint(
        setup["address"],
        tls_root_certificates=Path(setup["tls_root"]).read_bytes(),
        server_name=setup["server_name"],
    )
    identity = Identity(setup["msp_id"], Path(setup["certificate"]).read_bytes())
    signer = private_key_signer(Path(setup["key"]).read_bytes())
    loop = asyncio.get_running_loop()
    command: Call = {}
    calls: list[Call] = []
    results: list[Result] = []
    seconds = 0.0
    async with AsyncGateway.connect(endpoint, identity, signer) as gateway:
        network = gateway.network(setup["channel"])
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            order = json.loads(line)
            if order["do"] == "load":
                command, calls = order, json.loads(Path(order["calls"]).read_bytes())
                answer: Call = {"ready": True}
            elif order["do"] == "go":
                began = time.perf_counter()
                results = await run(network.contract(command["chaincode"]), command, calls)
                seconds = time.perf_counter() - began
                answer = {"done": True}
            else:
                answer = report(calls, results, seconds)
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
