"""docs/performance.md and its plots, from bench/results/latest.json alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.suite import _svg
from bench.suite._clients import ROOT
from bench.suite._costs import costs_section
from bench.suite._stacks import KINDS, OURS

PAGE = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "performance"
Part = dict[str, Any]
AIM = 2


def write_page(document: dict[str, Any]) -> Path:
    """Write the page and the plots; returns the page's path."""
    PLOTS.mkdir(exist_ok=True)
    for name, content in plots(document).items():
        (PLOTS / f"{name}.svg").write_text(content)
    PAGE.write_text(page(document))
    return PAGE


def plots(document: dict[str, Any]) -> dict[str, str]:
    """SVG by name, of the parts that there are."""
    found = {}
    parts = document["parts"]
    if stacks := parts.get("stacks"):
        for case, at_once in (("evaluate", 16), ("submit", 16), ("submit", 64)):
            rows = [
                (row["stack"], row["cpu_ms"])
                for row in stacks["stacks"]
                if (row["case"], row["concurrency"]) == (case, at_once)
            ]
            if rows:
                found[f"cpu-{case}-{at_once}"] = _svg.stacked_bars(
                    f"One {case}, {at_once} at once", "ms of CPU, by kind of process", rows, KINDS
                )
        found["stacks"] = _svg.intervals(
            "All Python beside all Node: calls per second",
            "ratio, above 1: ours is faster",
            _ratios(stacks, "all Node"),
        )
    if growth := parts.get("growth"):
        series = {
            row["act"]: {int(size): ratio for size, ratio in row["ratios"].items()}
            for row in growth["growth"]
            if not row["unit"].startswith("messages") and not row["unit"].startswith("ms for")
        }
        found["growth"] = _svg.lines(
            "Cost beside 10^k others", "times the cost beside 10^3", series
        )
    if health := parts.get("health"):
        found["health"] = _svg.stacked_bars(
            "Health work",
            "ms of CPU for one",
            [
                (row["case"], row["cpu_ms"])
                for row in health["work"]
                if row["case"] != "patient erased"
            ],
            KINDS,
        )
    return found


def page(document: dict[str, Any]) -> str:
    sections = [_head(document)]
    parts = document["parts"]
    makers = {
        "stacks": _stacks_section,
        "health": _health_section,
        "network": _network_section,
        "growth": _growth_section,
    }
    sections += [makers[name](parts[name]) for name in makers if name in parts]
    if "stacks" in parts:
        sections.append(costs_section(parts))
    sections.append(_CHECKED)
    return "\n".join(sections)


def _head(document: dict[str, Any]) -> str:
    machine, versions = document["machine"], document["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [
        "# Performance",
        "",
        "<!-- Made by `make bench` from bench/results/latest.json: do not edit. -->",
        "",
        "How fast this is beside what one would take instead, measured side by side in one run.",
        "Ratios are the result: above 1 is better than the other. Figures beside them are of this",
        "machine. `make bench` does all of it anew, `make bench QUICK=1` gives a look in two",
        "minutes, `make bench ONLY=stacks` repeats a part.",
        "",
        f"- Machine: {machine['cpus']} × {machine['processor']}, {machine['system']}",
        f"- Versions: {named}",
        "- Measured: "
        + "; ".join(
            f"{name} {part['date']}" + (f" ({part['seconds']} s)" if part["seconds"] else "")
            for name, part in document["parts"].items()
        ),
    ]
    stacks = document["parts"].get("stacks")
    if stacks:
        share = stacks["share_of_machine"]
        lines.append(
            f"- {share:.0%} of what the machine did during the runs of whole stacks was theirs"
            + (
                ": others worked on it as well. Ratios of CPU bear that; figures per second less."
                if share < 0.9
                else "."
            )
        )
    return "\n".join([*lines, ""])


def _stacks_section(part: Part) -> str:
    settings = part["settings"]
    lines = [
        "## Whole stacks",
        "",
        "A client and a contract, each in a language, on one real network that all share:",
        f"{settings['network']}; {settings['blocks']}. The contract is the same in each language:",
        "`bench/suite/contract.py`, `bench/official/stack-node`, `bench/official/stack-go`. An",
        "*evaluate* reads one JSON asset, a *range* twenty; a *submit* reads an asset, changes it,",
        "and puts a private value. Node has two signers: the client's own, and one on Node's",
        "native cryptography that one has to write. Where one call at a time is submitted, the",
        "time until a block is cut is most of what it takes, and the same for all.",
        "",
        "![Calls per second, all Python beside all Node](performance/stacks.svg)",
        "",
        _aim(part),
        "",
        "| Calls per second | at once | all Python | beside | it has | ratio, median (min … max) |",
        "|---|---|---|---|---|---|",
        *_rows(part, "calls per second"),
        "",
        "The CPU of every process that took part, for one call:",
        "",
        "| ms of CPU | at once | all Python | beside | it has | ratio, median (min … max) |",
        "|---|---|---|---|---|---|",
        *_rows(part, "ms of CPU per call, all processes"),
        "",
        "Where it goes (`rest`: the authorities, and clients and chaincode of the other stacks,",
        "which wait):",
        "",
        "![CPU of an evaluate](performance/cpu-evaluate-16.svg)",
        "",
        "![CPU of a submit](performance/cpu-submit-16.svg)",
        "",
        "![CPU of a submit, 64 at once](performance/cpu-submit-64.svg)",
        "",
        *_limits(part),
        "",
        "| Latency, ms | at once | stack | p50 | p95 | p99 |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row['case']} | {row['concurrency']} | {row['stack']} | "
            + " | ".join(f"{row['latency_ms'][each]:.1f}" for each in ("p50", "p95", "p99"))
            + " |"
            for row in part["stacks"]
        ),
        "",
    ]
    if part["discarded"]:
        lines += [f"{len(part['discarded'])} rounds did not count:", ""]
        lines += [f"- {_one_line(reason)}" for reason in part["discarded"]]
        lines.append("")
    return "\n".join(lines)


def _rows(part: Part, unit: str) -> Iterator[str]:
    for row in part["rows"]:
        if row["unit"] == unit:
            yield (
                f"| {row['case'].removesuffix(': CPU')} | {row['concurrency']} | {row['ours']:.1f} "
                f"| {row['peer_name']} | {row['peer']:.1f} | {spread(row)} |"
            )


def _aim(part: Part) -> str:
    """Which calls are twice as many as all Node's, and which are not."""
    reached: list[str] = []
    missed: list[str] = []
    for row in part["rows"]:
        if row["peer_name"] == "all Node" and row["unit"] == "calls per second":
            name = f"{row['case']} at {row['concurrency']} ({row['ratio_median']:.2f})"
            (reached if row["ratio_median"] >= AIM else missed).append(name)
    return (
        f"The aim is {AIM} × all Node. Reached: {', '.join(reached) or 'nowhere'}. "
        f"Not reached: {', '.join(missed) or 'nowhere'}."
    )


def _limits(part: Part) -> Iterator[str]:
    """What no client and no contract can take away: peers and orderer are the same for all."""
    yield "Peers and orderers are Fabric's own. Beside all Node, a client and a contract that"
    yield "cost nothing at all would come to these ratios of CPU, ours come to those:"
    yield ""
    yield "| | at once | nothing at all | ours |"
    yield "|---|---|---|---|"
    found = {(r["case"], r["concurrency"], r["stack"]): r["cpu_ms"] for r in part["stacks"]}
    for case, at_once, stack in found:
        if stack == OURS.name:
            own = found[case, at_once, stack]
            node = sum(found[case, at_once, "all Node"].values())
            least = own["peers"] + own["orderer"] + own["rest"]
            yield (
                f"| {case} | {at_once} | {node / max(least, 1e-9):.2f} "
                f"| {node / sum(own.values()):.2f} |"
            )


def spread(row: Part) -> str:
    return f"{row['ratio_median']:.2f} ({row['ratio_min']:.2f} … {row['ratio_max']:.2f})"


def _ratios(part: Part, peer: str) -> list[_svg.Interval]:
    return [
        _svg.Interval(
            f"{row['case']}, {row['concurrency']} at once",
            row["ratio_median"],
            row["ratio_min"],
            row["ratio_max"],
        )
        for row in part["rows"]
        if row["peer_name"] == peer and row["unit"] == "calls per second"
    ]


def _health_section(part: Part) -> str:
    settings = part["settings"]
    counts = {row["case"]: row["count"] for row in part["work"]}
    lines = [
        "## Health work",
        "",
        f"On a real network ({settings['network']}; {settings['blocks']}; {settings['at once']}).",
        "Nobody else's product does this: beside it stands a submit of the small contract above,",
        "on the same network, in the same round. CPU is that of all processes, the client's work",
        "(validating FHIR, sealing, hashing events) in it. A resource is filed sealed, in a bundle",
        f"of {counts['resource filed']}; a decision is endorsed by two of three custodians; an",
        "EPCIS event is two transactions, one for all and one in private data; a patient is erased",
        "with those records, from the request to the certificate.",
        "",
        "![CPU of health work](performance/health.svg)",
        "",
        "| | per second | ms of CPU for one | in bare submits, median (min … max) |",
        "|---|---|---|---|",
    ]
    for row in part["work"]:
        ratio = (
            f"{row['bare_submits']:.2f} ({row['bare_submits_min']:.2f} … "
            f"{row['bare_submits_max']:.2f})"
        )
        lines.append(
            f"| {row['case']} | {row['per_second']:.1f} | {row['cpu_ms_total']:.1f} | {ratio} |"
        )
    if part["discarded"]:
        lines += ["", f"{len(part['discarded'])} rounds did not count:", ""]
        lines += [f"- {_one_line(reason)}" for reason in part["discarded"]]
    return "\n".join([*lines, ""])


def _network_section(part: Part) -> str:
    dates = ", ".join(f"`{name}.json` of {date}" for name, date in part["measured"].items())
    lines = [
        "## Network",
        "",
        f"From nothing to a network that works ({dates}; `make bench ONLY=network`).",
        "",
        "| | unit | ours | beside | it has | ratio, median (min … max) |",
        "|---|---|---|---|---|---|",
    ]
    for row in part["rows"]:
        if row.get("ratio_median") is None or row.get("peer") is None:
            lines.append(f"| {row['case']} | {row['unit']} | {row['ours']} | – | – | – |")
        else:
            lines.append(
                f"| {row['case']} | {row['unit']} | {row['ours']} | {row['peer_name']} "
                f"| {row['peer']} | {spread(row)} |"
            )
    return "\n".join([*lines, ""])


def _growth_section(part: Part) -> str:
    sizes = sorted({int(size) for row in part["growth"] for size in row["ratios"]})
    lines = [
        "## Growth",
        "",
        "What one piece of work costs beside so much else on the ledger, over what it costs beside",
        "10³ of it. Decision, read, history, verification and recall run the contracts on the",
        "ledger in memory with generated contents, and what they ask of the peer is counted: that",
        "is what a larger ledger could make more of. Records stop at 10⁵; consents and packs go",
        "on. A projection is timed, from a block's arrival until its rows are in SQLite, in a",
        "table of that many rows.",
        "Milliseconds on real peers, up to 10⁵, are in `bench/results/ehr_costs_network.json` and",
        "`pharma_network.json`.",
        "",
        "![Growth](performance/growth.svg)",
        "",
        "| | counted | at 10³ | " + " | ".join(_power(size) for size in sizes[1:]) + " | it is |",
        "|---|---|---" + "|---" * (len(sizes) - 1) + "|---|",
    ]
    first = {(p["act"], p["unit"]): p["cost"] for p in part["points"] if p["size"] == sizes[0]}
    for row in part["growth"]:
        ratios = [row["ratios"].get(str(size)) for size in sizes[1:]]
        cells = " | ".join("–" if ratio is None else f"× {ratio:.2f}" for ratio in ratios)
        lines.append(
            f"| {row['act']} | {row['unit']} | {first[row['act'], row['unit']]:g} | {cells} "
            f"| {row['verdict']} |"
        )
    dates = {p["date"] for p in part["points"] if p["size"] == sizes[-1]}
    lines += [
        "",
        f"The points at {_power(sizes[-1])} are of {', '.join(sorted(dates))} "
        "(`make bench ONLY=growth LONG=1`).",
        "",
    ]
    return "\n".join(lines)


def _power(size: int) -> str:
    return "10" + str(len(str(size)) - 1).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _one_line(text: str) -> str:
    return " ".join(text.replace("`", "'").replace("|", "/").replace("<", "‹").split())[:200]


_CHECKED = """\
## What is checked while measuring

- **The same work**: each side reports a digest of its inputs and of its answers; both must be those
  of a model that knows what the contract does. After submits the state is read back, private values
  too, and compared with the model.
- **Everybody's CPU**: processes are those of the network, of the clients, and what they have
  started. One that nobody has named, or that has ended, stops the run. The harness's own must be
  next to nothing.
- **What the other peers still have to do** after the last answer is in the CPU of a submit.
- **No errors**: a round in which any side had one counts for no side, and is listed above.
- **Warm-up**: each process is started once; a first, shorter round of each case is thrown away.
- **Order**: sides take turns in an order that is shuffled for each round, from a fixed seed.
- **Five rounds** at least, or nothing is written.
"""
