"""What a decision costs while the ledger grows: others' consents and records, and the past.

    PYTHONPATH=tests .venv/bin/python -m bench.ehr_costs [--network]

On the ledger in memory: messages to the peer and bytes of their answers, of one decision and of
one read, with 10³ to 10⁶ consents (and as many records, up to 10⁵) on the ledger; then with 10 to
10⁵ ended consents of the same patient. `--network`: the time of endorsing a decision on a real
network with 10³ to 10⁵ of each, over that of a call that reads next to nothing. A ratio of 1 means:
as with the fewest.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import ehr_contract as seeds
from bench._results import Row, compare, print_row, write

from medfab_chaincode import Stub
from medfab_chaincode.ehr import EhrContract
from medfab_chaincode.testing import Collection, Identity, Ledger, _stream, majority_of

MSP = "HospitalMSP"
WANTED = 7
"""The patient whose records are asked for, among all."""
REQUEST = {
    "request": json.dumps(
        {"purpose": "TREAT", "categories": ["laboratory"], "salt": seeds.SALT}
    ).encode()
}
ASKER = Identity(MSP, "asker", {"medfab.role": "practitioner", "medfab.practitioner": "dr-cole"})


@dataclass
class Cost:
    messages: int = 0
    """Round trips between chaincode and peer."""
    bytes: int = 0
    """Of the peer's answers."""


class Counted:
    """Counts what goes over the stream between chaincode and peer, while it is entered."""

    def __enter__(self) -> Cost:
        self.cost = cost = Cost()
        self.original = original = _stream.PeerStream._answer

        async def answer(stream: _stream.PeerStream, request: Any) -> bytes:
            found = await original(stream, request)
            cost.messages += 1
            cost.bytes += len(found)
            return found

        _stream.PeerStream._answer = answer  # type: ignore[method-assign, assignment]
        return cost

    def __exit__(self, *_: object) -> None:
        _stream.PeerStream._answer = self.original  # type: ignore[method-assign]


def filled(consents: int, records: int, *, ended: int = 0) -> Ledger:
    """A ledger of one organisation with so much on it; `ended`: consents of the wanted patient."""
    key = Stub.create_composite_key
    public: dict[str, bytes] = {}
    private: dict[str, bytes] = {}
    held: dict[str, bytes] = {}
    entry, home = seeds.consent_entry(), seeds.patient_entry(MSP)
    wordings = [seeds.terms(number, MSP) for number in range(seeds.PER_PATIENT)]
    for number in range(consents):
        patient = seeds.pseudonym(number // seeds.PER_PATIENT)
        public[key("patient", [patient])] = home
        name = key("consent", [patient, seeds.consent_id(number)])
        public[name] = entry
        private[name] = wordings[number % seeds.PER_PATIENT]
    for number in range(records):
        patient = seeds.pseudonym(number // seeds.PER_PATIENT)
        held[key("folder", [patient])] = b'{"opened_at":0}'
        held[key("record", [patient, seeds.consent_id(number)])] = seeds.record(number % 10)
    over = seeds.consent_entry(active=False)
    for number in range(ended):
        parts = [seeds.pseudonym(WANTED), seeds.consent_id(10**9 + number)]
        public[key("consent-ended", parts)] = over
        private[key("consent", parts)] = wordings[0]
    return Ledger(
        EhrContract,
        organizations=[MSP],
        collections=[
            Collection(name="consents", members=[MSP], endorsement_policy=majority_of(MSP))
        ],
        state=public,
        private_state={"consents": private, f"_implicit_org_{MSP}": held},
    )


async def costs(ledger: Ledger) -> tuple[Cost, Cost]:
    """Of one decision, and of one read."""
    patient = seeds.pseudonym(WANTED)
    with Counted() as decision:
        endorsed = await ledger.endorse("RequestAccess", patient, caller=ASKER, transient=REQUEST)
    answer = json.loads(endorsed.result)
    assert answer["decision"] == "permit"
    assert ledger.commit(endorsed) == ("VALID",)
    with Counted() as read:
        released = await ledger.evaluate(
            "ReadRecords", patient, answer["request_id"], MSP, caller=ASKER
        )
    assert len(json.loads(released)["records"]) == seeds.PER_PATIENT
    return decision, read


async def in_memory() -> list[Row]:
    rows: list[Row] = []
    grown = [(n, {"consents": n, "records": min(n, 10**5)}) for n in (10**3, 10**4, 10**5, 10**6)]
    past = [(n, {"consents": 100, "records": 100, "ended": n}) for n in (10, 10**3, 10**4, 10**5)]
    for what, sizes in (("consents on the ledger", grown), ("ended consents of the patient", past)):
        base: Mapping[str, Cost] | None = None
        for size, contents in sizes:
            ledger = filled(**contents)
            decision, read = await costs(ledger)
            found = {"decision": decision, "read": read}
            base = base or found
            for act, cost in found.items():
                for unit in ("messages", "bytes"):
                    row = compare(
                        f"{act}, {size} {what}",
                        ours=[getattr(cost, unit)],
                        peer=[getattr(base[act], unit)],
                        peer_name=f"{sizes[0][0]} {what}",
                        unit=f"{unit} between peer and chaincode",
                    )
                    rows.append(row)
                    print_row(row)
            del ledger
            gc.collect()
    return rows


async def on_network() -> list[Row]:
    """Endorsing at one peer, in milliseconds: what a decision waits for before it is ordered."""
    from bench.ehr_network import seeded_network

    rows: list[Row] = []
    samples: dict[int, list[float]] = {}
    async with seeded_network() as (network, grow):
        total = 0
        for size in (10**3, 10**4, 10**5):
            await grow(total, size - total)
            total = size
            milliseconds, samples[size] = await network.decisions(REQUEST)
            print(f"{size}: {milliseconds:.2f} ms", flush=True)
            row = compare(
                f"decision endorsed, {size} consents and records ({milliseconds:.1f} ms)",
                ours=sorted(samples[size]),
                peer=sorted(samples[10**3]),
                peer_name="1000 of each, earlier in the same run",
                unit="times a call that reads next to nothing, in turn",
            )
            rows.append(row)
            print_row(row)
    return rows


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--network", action="store_true", help="milliseconds on a real network")
    network = parser.parse_args().network
    began = time.monotonic()
    rows = await (on_network() if network else in_memory())
    path = write("ehr_costs_network" if network else "ehr_costs", rows)
    print(f"{path}, after {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    asyncio.run(main())
