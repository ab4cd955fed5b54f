"""docs/sizing.md, from bench/results/disk.json.

.venv/bin/python -m bench.disk_page      # writes the page anew, without measuring
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench._results import RESULTS

PAGE = Path(__file__).parents[1] / "docs" / "sizing.md"
_HOLDER, _CUSTODIAN, _MEMBER = (
    "peer of the holder",
    "peer of another custodian",
    "peer of another member",
)
_TRADER, _WITNESS, _ORDERER = "peer of a trader", "peer of the witness", "orderer"
_PARTS = ("blocks", "index of blocks", "state", "history", "private data", "other")
_PASSING = ("consensus", "on its way")
_DAYS = 3650

_TEXT = """\
# How much disk, memory and CPU

Made by `make bench-disk` on {date}, {cpus} CPUs, from `bench/results/disk.json`; do not edit. All
sizes are bytes on the disk of a node with LevelDB, after a restart of the peer (its
databases have then written their logs into tables). A kilobyte has 1,000 bytes here.

## What a thousand take

Health records, three custodians, records sealed, {bundle} records in a filing, about
{record_size} bytes each before sealing:

{care}

Supply chain, {per_call} packs in a call where not said otherwise:

{supply}

*Transactions* of a thousand: how many were on the channel, with conflicts that were tried again.
What is read leaves nothing: the kilobytes of a verification are what the restarts of the peer wrote
for themselves, and are in every row.

Orderers keep the blocks of all channels that they order, and for each of them the log of the
consensus, which took {consensus} here: Fabric writes it ahead in segments of 64 MB. A certificate
authority grows by {ca} for a certificate.

## Where it is, in a peer

Bytes for each record, consent, decision or pack:

{parts}

*Blocks* are what everybody in the channel has, for ever; *private data* is only with who holds it.

## The formula

    disk of a peer = sum over kinds of (number * bytes of that kind, for the peer's part in it)
    disk of an orderer = sum over channels of (blocks)
    disk of the consortium = sum over peers and orderers

Every member of a channel has all of its blocks, public state and history: one member more is one
more copy of these, as in the column of *another member*. The disks of the others grow faster only
where a majority gets larger, and a transaction so has one more endorser's signature in it.

### Example: a hospital, ten years

{records:,} records a day in filings of {bundle}, {consents:,} consents, {decisions:,} requests for
access, {patients:,} new patients, every day for ten years:

| | A day | Ten years |
|---|---|---|
{example}

Double it for what is not measured here: logs, snapshots, the space that a compaction needs, and
room to act in (`medfab network status` warns below a tenth).

## Memory and CPU

Resident memory right after the work, and CPU for a thousand transactions:

{nodes}

Memory is that of an idle start plus what these transactions left behind; it was not measured over
weeks. A CPU of the kind measured ({processor}) does about 1,000 / (CPU seconds for a thousand)
transactions a second for all nodes together that share it.

## When it gets too large

- **Nothing is pruned.** Peers and orderers keep every block; Fabric 3.1 has no command that deletes
  them. Private data goes where it is erased (`medfab ehr erase`), the hash of it stays.
- **A new peer from a snapshot** (`medfab channel snapshot`) has the state and the hashes of private
  data, and no blocks, history or private values from before it. As long as another peer of the
  channel keeps the old blocks, for audits and for consumers that begin at block 0, an organisation
  need not.
- **A larger disk** is the plain answer: end the node, one at a time, copy its folder `data`, start
  it again. What a full disk does meanwhile: [faults.md](faults.md).
- **Large documents do not belong into records**: the gateway keeps attachments in a document store,
  sealed, and their hash on the ledger ([ehr-privacy.md](ehr-privacy.md)).
- **Many at a time.** A transaction has its certificates and signatures once, however much it is
  about: see a pack commissioned alone beside {per_call} in a call.
"""


def write(document: dict[str, Any]) -> Path:
    PAGE.write_text(page(document))
    return PAGE


def page(document: dict[str, Any]) -> str:
    phases = {_key(row["kind"]): row for row in document["rows"]}
    filed, bulk = phases["records filed"], phases["packs commissioned"]
    care = ["patient registered", "records filed", "consent granted", "access decided"]
    supply = [
        "packs commissioned",
        "pack commissioned alone",
        "case packed",
        "case shipped",
        "case received",
        "pack verified",
    ]
    daily = {
        "records filed": 2000,
        "consent granted": 150,
        "access decided": 1500,
        "patient registered": 50,
    }
    certificate = phases["certificate"]
    return _TEXT.format(
        date=document["date"],
        cpus=document["machine"]["cpus"],
        processor=document["machine"]["processor"],
        bundle=document["records_in_a_filing"],
        record_size=document["bytes_of_a_record"],
        per_call=_digits(bulk["kind"]),
        care=_thousand([phases[k] for k in care], [_HOLDER, _CUSTODIAN, _MEMBER, _ORDERER]),
        supply=_thousand([phases[k] for k in supply], [_TRADER, _WITNESS, _ORDERER]),
        consensus=_size(document["consensus_bytes"]),
        ca=_size(_each(certificate, "certificate authority")),
        parts=_parts(
            [(phases[k], _HOLDER) for k in care]
            + [(phases["packs commissioned"], _TRADER), (phases["case shipped"], _TRADER)]
        ),
        records=daily["records filed"],
        consents=daily["consent granted"],
        decisions=daily["access decided"],
        patients=daily["patient registered"],
        example=_example(phases, daily),
        nodes=_nodes(filed, phases["access decided"], phases["case shipped"]),
    )


def _key(kind: str) -> str:
    return kind.partition(",")[0].partition(" (")[0]


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit()) or "1"


def _each(row: dict[str, Any], role: str, part: str | None = None) -> float:
    """Bytes for each thing, without what comes and goes."""
    sizes = row["disk"].get(role, {})
    found = sum(n for name, n in sizes.items() if name not in _PASSING and part in (None, name))
    return float(found) / float(row["things"])


def _thousand(rows: list[dict[str, Any]], roles: list[str]) -> str:
    lines = [
        "| A thousand | Transactions | " + " | ".join(_title(role) for role in roles) + " |",
        "|---|---" + "|---" * len(roles) + "|",
    ]
    for row in rows:
        share = 1000 * row["transactions"] / row["things"]
        sizes = " | ".join(_size(1000 * _each(row, role)) for role in roles)
        lines.append(f"| {row['thing']} ({row['kind']}) | {share:,.0f} | {sizes} |")
    return "\n".join(lines)


def _parts(rows: list[tuple[dict[str, Any], str]]) -> str:
    lines = [
        "| | Peer | " + " | ".join(part.capitalize() for part in _PARTS) + " |",
        "|---|---" + "|---" * len(_PARTS) + "|",
    ]
    for row, role in rows:
        sizes = " | ".join(f"{_each(row, role, part):,.0f}" for part in _PARTS)
        lines.append(f"| {row['kind']} | {role.removeprefix('peer ')} | {sizes} |")
    return "\n".join(lines)


def _example(phases: dict[str, dict[str, Any]], daily: dict[str, int]) -> str:
    lines = []
    for role, name in (
        (_HOLDER, "the hospital's peer"),
        (_CUSTODIAN, "each other custodian's peer"),
        (_MEMBER, "each other member's peer"),
        (_ORDERER, "each orderer"),
    ):
        day = sum(count * _each(phases[kind], role) for kind, count in daily.items())
        lines.append(f"| {name} | {_size(day)} | {_size(day * _DAYS)} |")
    return "\n".join(lines)


def _nodes(*rows: dict[str, Any]) -> str:
    lines = [
        "| Node | Memory | " + " | ".join(f"CPU, {row['kind']}" for row in rows) + " |",
        "|---|---" + "|---" * len(rows) + "|",
    ]
    roles = dict.fromkeys(role for row in rows for role in row["memory"])
    for role in roles:
        memory = max(row["memory"].get(role, 0) for row in rows)
        costs = [
            f"{1000 * row['cpu'][role] / max(row['transactions'], 1):,.1f} s"
            if role in row["cpu"]
            else "-"
            for row in rows
        ]
        lines.append(f"| {_title(role)} | {memory / 1e6:,.0f} MB | {' | '.join(costs)} |")
    return "\n".join(lines)


def _title(role: str) -> str:
    return role[0].upper() + role[1:]


def _size(count: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count:,.0f} bytes"


if __name__ == "__main__":
    print(write(json.loads((RESULTS / "disk.json").read_text())))
