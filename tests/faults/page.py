"""docs/faults.md, from a report."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterable

from faults.ends import DOWN_SECONDS, PAUSE_SECONDS
from faults.full import SECONDS as FULL_SECONDS
from faults.links import SECONDS as LINK_SECONDS
from faults.suite import Report, Row

_TEXT = """\
# What a fault does, and what comes back by itself

Made by `make faults` on {date}, {cpus} CPUs, in {minutes:.0f} minutes; do not edit. Three
organisations as processes, one of them with two peers, three orderers. All the while six clients
submit and two evaluate through the hospital's two peers, one follows the blocks, one gets
certificates of the hospital's authority, and a consumer writes the channel's explorer into
PostgreSQL and SQLite.

{times} faults, {kills} of them `kill -9`. A node that was ended is away for {down:.0f} s and is
then started again with the same command, as a supervisor does it; one that was paused goes on after
{pause:.0f} s; a link is slow or cut for {link:.0f} s, a disk full for {full:.0f} s. Seconds are the
longest of all times that a fault was done, from its beginning; those of a busy machine are longer.
*All level again*: every node is well, all peers have the same blocks, the authority enrols, and the
consumer's rows are up to date. *Came back*: what had to be done, besides undoing the fault.

{tables}

## What is true afterwards

In the same run: of {acknowledged} transactions that were acknowledged, every one is on each of the
four peers exactly once, valid, and was delivered by the stream of blocks exactly once; all peers
have the same commit hash, so the same state, after {blocks} blocks; all {private} private values
are on both peers of the organisation that they belong to; {consumed} rows of the consumer in each
of its two databases are those that a replay of the ledger gives; the authority knows all {enrolled}
certificates that it has issued. {failed} submissions failed: {unknown} were reported as unknown,
with their transaction id; of the others none is on a ledger.

## What clients were told, in words

And what nodes and databases wrote into their logs about it. Each text once, shortened.

{words}

## How it is done

- *Links* go through a relay of our own, `tests/faults/relay.py`: it delays, limits or holds back
  the bytes between two nodes, and needs neither root nor a module of the kernel. *Cut*: nothing
  gets through, nobody is told, and what was sent gets through afterwards, as TCP sends it again.
  *Connections lost*: what is sent vanishes for good without an end being told, as by a firewall
  that forgets connections; new connections work. Nodes that Docker disconnects:
  `tests/containers/test_container_faults.py`.
- *Disks* are file systems in memory, one for each node, which are cut down to what is in them, in
  a mount namespace of the run's own. That needs root; elsewhere these faults are left out, with
  the reason. A chaincode has no disk.{skipped}
- *Clocks*: the client's proposals carry another time. A node's own clock cannot be set apart from
  its machine's; a node whose clock is wrong sees all clients as these rows' client is seen. What
  a wrong clock can gain in the health-record contract: [its design](design/ehr.md#time), tested
  in `test_review_trust.py`.
- *Certificates*: a copy of the good one over the same key, which has expired, signed by
  the authority's own key. Nodes whose enrolment certificate has expired are not
  tried yet. How to renew in time: [rotate-certificates.md](rotate-certificates.md).

`make faults ROUNDS=1` kills each node once; `ONLY="disk full"` takes the faults whose family or
name has these words, and writes no page. A few of each family run in `make test`.
What a client does about each of these errors is in [resilience.md](resilience.md); kills at any
moment of consumers' work: `make consumer-faults` and [consumers.md](consumers.md).
"""
_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z|\+00:00)?( [0-9a-f]{4}\b)?"
_ADVICE = 60  # letters at the end, by which texts are the same: what differs are ids and times
_HEADING = """\
## {family}

| What failed | How | Times | No commit for | No answer to evaluate for | All level again after | \
Came back | What clients were told |
|---|---|---|---|---|---|---|---|
"""


def page(report: Report) -> str:
    families: dict[str, list[Row]] = {}
    for row in report.rows.values():
        families.setdefault(row.fault.family, []).append(row)
    skipped = "".join(
        f" Left out in this run: {', '.join(f.name for f in faults)} ({reason})."
        for reason, faults in report.skipped.items()
    )
    return _TEXT.format(
        date=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        cpus=os.cpu_count(),
        minutes=report.seconds / 60,
        times=sum(row.times for row in report.rows.values()),
        kills=report.kills,
        down=DOWN_SECONDS,
        pause=PAUSE_SECONDS,
        link=LINK_SECONDS,
        full=FULL_SECONDS,
        tables="\n\n".join(
            _HEADING.format(family=family) + "\n".join(map(_line, rows))
            for family, rows in families.items()
        ),
        acknowledged=report.acknowledged,
        blocks=report.blocks,
        private=report.private,
        consumed=report.consumed,
        enrolled=report.enrolled,
        failed=report.failed,
        unknown=report.unknown,
        words=_words(report),
        skipped=skipped,
    )


def _line(row: Row) -> str:
    told = ", ".join(f"{kind} ({n})" for kind, n in row.errors.most_common(4)) or "nothing"
    return (
        f"| {row.fault.target} | {row.fault.action} | {row.times} | {row.no_commit:.1f} s "
        f"| {row.no_read:.1f} s | {row.recovered:.1f} s | {'; '.join(sorted(row.came_back))} "
        f"| {told} |"
    )


def _words(report: Report) -> str:
    return words(
        (row.fault.name, kind, text)
        for row in report.rows.values()
        for kind, text in row.samples.items()
    )


def words(samples: Iterable[tuple[str, str, str]]) -> str:
    """A line for each text, by fault and by who said it; the same said again is left out."""
    seen: set[tuple[str, str]] = set()
    lines = []
    for fault, kind, text in samples:
        short = _shortened(text)
        what = "log" if kind.startswith("log of") else kind
        end = re.sub(r"\d", "", short)[-_ADVICE:]
        if (what, end) not in seen:
            seen.add((what, end))
            lines.append(f"- **{fault}**, {kind}: {short}")
    return "\n".join(lines)


def _shortened(text: str) -> str:
    text = re.sub(r"\b[0-9a-f]{64}\b", "…", " ".join(text.split()))
    text = re.sub(_TIME, "TIME", text)
    text = re.sub(r"/tmp/medfab-faults-\w+", "DIRECTORY", text)  # noqa: S108
    text = re.sub(r"\b127\.0\.0\.1:\d+|ipv[46]:\S+", "ADDRESS", text)
    text = re.sub(r"[<>|`]", "'", text)
    return text if len(text) <= 420 else f"{text[:250]} … {text[-165:]}"
