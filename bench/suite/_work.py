"""What every side is given, and what must come of it.

The inputs are made once and written to a file that all clients read. `Model` is the contract a
fourth time, in plain Python: what each side must answer and what must be on its ledger afterwards.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.suite.client import Call, input_text

ASSETS = 4000
"""On the ledger of every contract, under each of the prefixes."""
READ_PREFIX = "r"
LISTED = 20
"""Rows of a range."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """So many calls, and the digests that every side must come to."""

    submit: bool
    calls: tuple[Call, ...]
    inputs: str
    answers: str


def fresh(prefix: str, number: int) -> dict[str, Any]:
    """An asset as `Fill` writes it."""
    return {
        "id": f"{prefix}{number:05d}",
        "lot": f"L{number % 10}",
        "owner": "maker",
        "units": 100 + number % 50,
        "version": 1,
    }


def canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def reads(count: int, *, first: int) -> Work:
    """`Read` of one asset each, all over the ledger."""
    numbers = [(first + n) * 7919 % ASSETS for n in range(count)]
    calls = [_call("Read", f"{READ_PREFIX}{number:05d}") for number in numbers]
    return work(False, calls, [canonical(fresh(READ_PREFIX, number)) for number in numbers])


def lists(count: int, *, first: int) -> Work:
    """`List` of twenty neighbours each."""
    starts = [(first + n) * 7919 % (ASSETS - LISTED) for n in range(count)]
    calls = [
        _call("List", f"{READ_PREFIX}{start:05d}", f"{READ_PREFIX}{start + LISTED:05d}")
        for start in starts
    ]
    answers = [
        canonical([fresh(READ_PREFIX, start + n) for n in range(LISTED)]) for start in starts
    ]
    return work(False, calls, answers)


def transfers(prefix: str, count: int, *, first: int) -> tuple[Work, dict[str, dict[str, Any]]]:
    """`Transfer` of assets that nobody has touched; and the assets as they are afterwards."""
    calls, after = [], {}
    for number in range(first, first + count):
        asset = fresh(prefix, number)
        owner, units = f"owner{number % 17}", 1 + number % 9
        calls.append(_call("Transfer", asset["id"], owner, str(units), price=price_of(asset["id"])))
        asset |= {"owner": owner, "units": asset["units"] - units, "version": 2}
        after[asset["id"]] = asset
    return work(True, calls, [canonical(asset) for asset in after.values()]), after


def price_of(asset_id: str) -> str:
    return f"{int(hashlib.sha256(asset_id.encode()).hexdigest()[:6], 16)} EUR"


def work(submit: bool, calls: Sequence[Call], answers: Sequence[str]) -> Work:
    inputs, expected = hashlib.sha256(), hashlib.sha256()
    for call, answer in zip(calls, answers, strict=True):
        inputs.update(input_text(call).encode())
        expected.update(answer.encode() + b"\n")
    return Work(
        submit=submit,
        calls=tuple(calls),
        inputs=inputs.hexdigest(),
        answers=expected.hexdigest(),
    )


def _call(function: str, *args: str, **transient: str) -> Call:
    return {"function": function, "args": list(args), "transient": transient}
