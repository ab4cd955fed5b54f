"""The ledger in memory against real peers: the same proposals, the same bytes.

`medfab_chaincode.testing` is worth what this shows. Hypothesis makes up sequences of
transactions, evaluations and blocks with several transactions; `ledger_twins` gives each to a
real network of three organisations and to the ledger in memory, and compares results, errors,
events, read-write sets (the very bytes that the endorsers sign) and validation codes. What chance
seldom comes to is in `differential_cases`.

CI runs a fixed set of sequences. With MEDFAB_SOAK=1 there are more of them, new ones every time.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from integration.differential_cases import CASES
from integration.differential_contract import Operation, encode
from integration.ledger_twins import (
    BRIEF,
    CLINIC,
    HOSPITAL,
    IMPLICIT,
    REGULATOR,
    SECRETS,
    Twins,
    running_twins,
)
from soak import SOAK, record

pytestmark = pytest.mark.integration

SEQUENCES, STEPS = (40, 20) if SOAK else (6, 12)

REFUSED = "refused"

T = TypeVar("T")

_prefixes = itertools.count()


@pytest.fixture(scope="module")
async def twins(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Twins]:
    async with running_twins(tmp_path_factory.mktemp("twins") / "net") as twins:
        yield twins


# -- what the sequences are made of; "@" stands for the prefix of the sequence's keys ---------

KEYS = [f"@{letter}" for letter in "abcd"]
PRIVATE = [SECRETS, BRIEF, IMPLICIT]
key = st.sampled_from(KEYS)
space = st.sampled_from(["", "", *PRIVATE])
private = st.sampled_from(PRIVATE)
value = st.sampled_from(["1", "2", "3"])
bound = st.sampled_from(["@", *KEYS, "@~"])
part = st.sampled_from(["x", "y"])
signers = st.sampled_from([[], [HOSPITAL], [CLINIC], [HOSPITAL, CLINIC]])


def operation(name: str, *arguments: st.SearchStrategy[str]) -> st.SearchStrategy[Operation]:
    return st.tuples(st.just(name), *arguments).map(list)


READS = st.one_of(
    operation("get", space, key),
    operation("get_many", space, key, key),
    operation("get_hash", private, key),
    operation("get_policy", space, key),
    operation("range", st.just(""), bound, bound, st.sampled_from(["1", "100"])),
    operation("composite", st.just(""), st.just("@kind"), st.sampled_from(["", "x"])),
    operation("history", key),
)
QUERIES = st.one_of(
    operation("page", bound, bound, st.sampled_from(["1", "2"]), st.sampled_from(["", "@b"])),
    operation("range", private, bound, bound, st.just("100")),
    operation("composite", private, st.just("@kind"), st.just("")),
    operation("query", space),
)
WRITES = st.one_of(
    operation("put", space, key, value),
    operation("put", space, key, value),
    operation("delete", space, key),
    operation("purge", private, key),
    operation("put_composite", space, st.just("@kind"), part, value),
    operation("event", st.sampled_from(["one", "two"]), value),
)
POLICIES = st.builds(
    lambda where, which, who: ["set_policy", where, which, *who], space, key, signers
)
ENDINGS = st.one_of(operation("refuse", st.sampled_from(["400", "499"])), operation("fail"))


def calls(operations: st.SearchStrategy[list[Operation]]) -> st.SearchStrategy[Operation]:
    return st.builds(
        lambda chaincode, listed: ["call", *chaincode, encode(listed)],
        st.sampled_from([("other", ""), ("everything", ""), ("remote", "alone")]),
        operations,
    )


def listed(*kinds: st.SearchStrategy[Operation]) -> st.SearchStrategy[list[Operation]]:
    return st.lists(st.one_of(*kinds), min_size=1, max_size=5)


PUBLIC_ONLY = st.lists(
    st.one_of(operation("get", st.just(""), key), operation("put", st.just(""), key, value)),
    max_size=2,
)
ANYTHING = listed(READS, WRITES, WRITES, POLICIES, calls(PUBLIC_ONLY))
CHANGES = listed(READS, READS, WRITES, WRITES)
hot, few = st.sampled_from(KEYS[:2]), st.sampled_from(["", SECRETS])
CONTENDED = st.tuples(
    st.one_of(
        operation("get", few, hot),
        operation("range", st.just(""), st.just("@"), st.just("@~"), st.just("100")),
    ),
    operation("put", few, hot, value),
).map(list)
"""Reads and writes that meet those of others in a block."""

QUESTIONS = listed(READS, QUERIES, calls(PUBLIC_ONLY))
MISTAKES = st.tuples(CHANGES, st.one_of(QUERIES, ENDINGS)).map(lambda both: [*both[0], both[1]])

ENOUGH = st.sampled_from([None, [HOSPITAL, CLINIC], [CLINIC, HOSPITAL, REGULATOR]])
ENDORSERS = st.one_of(ENOUGH, st.sampled_from([[HOSPITAL], [HOSPITAL, REGULATOR]]))
CALLERS = st.sampled_from([HOSPITAL, HOSPITAL, CLINIC, REGULATOR])
PEERS = st.sampled_from([HOSPITAL, CLINIC, REGULATOR])


def machine(
    twins: Twins, loop: asyncio.AbstractEventLoop, seen: Counter[str]
) -> type[RuleBasedStateMachine]:
    class Both(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self._prefix = f"{next(_prefixes)}/"

        @rule(operations=ANYTHING, caller=CALLERS, endorsers=ENDORSERS)
        def submit(
            self, operations: list[Operation], caller: str, endorsers: list[str] | None
        ) -> None:
            work = twins.submit(self._own(operations), caller=caller, endorsers=endorsers)
            seen[self._run(work) or REFUSED] += 1

        @rule(operations=MISTAKES, endorsers=ENDORSERS)
        def submit_what_is_refused(
            self, operations: list[Operation], endorsers: list[str] | None
        ) -> None:
            work = twins.submit(self._own(operations), endorsers=endorsers)
            seen[self._run(work) or REFUSED] += 1

        @rule(several=st.lists(st.one_of(CHANGES, CONTENDED), min_size=2, max_size=3))
        def submit_at_once(self, several: list[list[Operation]]) -> None:
            seen.update(self._run(self._commit_at_once(several)))

        @rule(operations=QUESTIONS, caller=CALLERS, peer=PEERS)
        def evaluate(self, operations: list[Operation], caller: str, peer: str) -> None:
            self._run(twins.evaluate(self._own(operations), caller=caller, peer=peer))

        def teardown(self) -> None:
            """Everything that there is, as each peer holds it."""
            everything = [
                *(
                    [name, where, each]
                    for each in KEYS
                    for where in ["", *PRIVATE]
                    for name in ("get", "get_policy")
                ),
                *(["get_hash", where, each] for each in KEYS for where in PRIVATE),
                *(["range", where, "@", "@~", "100"] for where in ["", *PRIVATE]),
                *(["composite", where, "@kind", ""] for where in ["", *PRIVATE]),
                *(["history", each] for each in KEYS),
            ]
            for peer in (HOSPITAL, CLINIC, REGULATOR):
                self._run(twins.evaluate(self._own(everything), peer=peer))

        async def _commit_at_once(self, several: list[list[Operation]]) -> list[str]:
            endorsed = [
                await twins.endorse(self._own(operations), endorsers=[HOSPITAL, CLINIC])
                for operations in several
            ]
            return await twins.commit(*(each for each in endorsed if each is not None))

        def _own(self, operations: list[Operation]) -> list[Operation]:
            return [[text.replace("@", self._prefix) for text in each] for each in operations]

        def _run(self, work: Coroutine[Any, Any, T]) -> T:
            return asyncio.run_coroutine_threadsafe(work, loop).result()

    return Both


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_case(twins: Twins, case: Callable[[Twins], Awaitable[None]]) -> None:
    await case(twins)


async def test_random_sequences(twins: Twins) -> None:
    budget = settings(
        max_examples=SEQUENCES,
        stateful_step_count=STEPS,
        derandomize=not SOAK,
        database=None,
        deadline=None,
        phases=[Phase.generate],  # shrinking would cost a block for every attempt
        suppress_health_check=list(HealthCheck),
    )
    seen: Counter[str] = Counter()
    both = machine(twins, asyncio.get_running_loop(), seen)
    # In a thread of its own: Hypothesis is not asynchronous.
    await asyncio.to_thread(run_state_machine_as_test, both, settings=budget)
    record("ledger in memory beside real peers", sequences=SEQUENCES, seen=dict(seen))
    # Else the sequences would show little.
    assert {"VALID", "ENDORSEMENT_POLICY_FAILURE", REFUSED} <= seen.keys()
    assert {"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"} & seen.keys()
