"""`make faults`: the whole suite, and its table in docs/faults.md."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import os
import tempfile
from pathlib import Path

from faults.plan import DOWN_SECONDS, PAUSE_SECONDS, plan
from faults.suite import Report, run

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "faults.md"

_TEXT = """\
# What a fault does, and what comes back by itself

Made by `make faults` on {date}, {cpus} CPUs, in {minutes:.0f} minutes; do not edit. Three
organisations as processes, one of them with two peers, three orderers. All the while six clients
submit and two evaluate through the hospital's two peers, and one follows the blocks.

{times} faults, {kills} of them `kill -9`. A node that was ended is away for {down:.0f} s and then
started by `medfab network up`; one that was paused goes on after {pause:.0f} s. Seconds are the
longest of all times that a fault was done; those of a busy machine are longer.

| What failed | How | Times | No commit for | No answer to evaluate for | All level again after | \
What clients were told |
|---|---|---|---|---|---|---|
{rows}

Afterwards, in the same run: of {acknowledged} transactions that were acknowledged, every one is on
each of the four peers exactly once, valid, and was delivered by the stream of blocks exactly once;
all peers have the same commit hash, so the same state, after {blocks} blocks; all {private} private
values are on both peers of the organisation that they belong to. {failed} submissions failed:
{unknown} were reported as unknown, with their transaction id; of the others none is on a ledger.

What a client does about each of these errors is in [resilience.md](resilience.md). The certificate
authority is needed to enrol, and for nothing else. Faults of a consumer and its database:
`make consumer-faults` and [consumers.md](consumers.md).
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="times that each target is killed")
    parser.add_argument("--no-page", action="store_true", help="do not write docs/faults.md")
    arguments = parser.parse_args()
    os.environ["PYTHONPATH"] = str(HERE)  # the chaincode processes find the contract there
    with tempfile.TemporaryDirectory(prefix="medfab-faults-") as folder:
        report = asyncio.run(run(Path(folder) / "net", list(plan(arguments.rounds))))
    text = page(report)
    print(text)
    if not arguments.no_page:
        PAGE.write_text(text)


def page(report: Report) -> str:
    rows = []
    for row in report.rows.values():
        told = ", ".join(f"{kind} ({n})" for kind, n in row.errors.most_common(4)) or "nothing"
        rows.append(
            f"| {row.fault.target} | `{row.fault.action}` | {row.times} | {row.no_commit:.1f} s "
            f"| {row.no_read:.1f} s | {row.recovered:.1f} s | {told} |"
        )
    return _TEXT.format(
        date=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        cpus=os.cpu_count(),
        minutes=report.seconds / 60,
        times=sum(row.times for row in report.rows.values()),
        kills=report.kills,
        down=DOWN_SECONDS,
        pause=PAUSE_SECONDS,
        rows="\n".join(rows),
        acknowledged=report.acknowledged,
        blocks=report.blocks,
        private=report.private,
        failed=report.failed,
        unknown=report.unknown,
    )


if __name__ == "__main__":
    main()
