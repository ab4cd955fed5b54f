"""A trace, to be read: what happened to a pack, and to what it was in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medfab_gateway.pharma._answers import TraceStep

_PACKED = "pack"


@dataclass(frozen=True, kw_only=True)
class TraceLine:
    """One step, and how deep inside of how many containers it was."""

    depth: int
    step: TraceStep
    last: bool
    """No other step of this depth follows before a higher one."""


def trace_lines(steps: Sequence[TraceStep]) -> list[TraceLine]:
    """The steps with their depth: those of a container stand below the packing into it."""
    depths: dict[str, int] = {}
    found: list[tuple[int, TraceStep]] = []
    for step in steps:
        depth = depths.setdefault(step.item, max(depths.values(), default=-1) + 1 if depths else 0)
        found.append((depth, step))
        if step.kind.lower().startswith(_PACKED) and step.parent is not None:
            depths[step.parent] = depth + 1
    lines = []
    for index, (depth, step) in enumerate(found):
        after = [other for other, _ in found[index + 1 :]]
        last = next((other < depth for other in after if other <= depth), True)
        lines.append(TraceLine(depth=depth, step=step, last=last))
    return lines


def trace_tree(
    steps: Sequence[TraceStep],
    names: Mapping[str, str] | None = None,
    *,
    time_format: str = "%Y-%m-%d %H:%M:%S",
) -> list[str]:
    """Lines of text. names: digest → what to call it, e.g. the pack that was scanned."""
    names = names or {}
    out: list[str] = []
    open_levels: list[bool] = []
    for line in trace_lines(steps):
        del open_levels[line.depth :]
        stem = "".join("   " if last else "│  " for last in open_levels)
        out.append(f"{stem}{'└─' if line.last else '├─'} {_told(line.step, names, time_format)}")
        open_levels.append(line.last)
    return out


def _told(step: TraceStep, names: Mapping[str, str], time_format: str) -> str:
    words = [step.at.strftime(time_format), step.kind.lower()]
    if step.consignee and step.kind.lower().startswith("ship"):
        words.append(f"{step.holder} → {step.consignee}")
    elif step.parent is not None:
        words.append(f"into {names.get(step.parent, step.parent[:10] + '…')}")
    elif step.holder:
        words.append(f"at {step.holder}")
    words.append(f"({step.status})")
    return "  ".join(words)
