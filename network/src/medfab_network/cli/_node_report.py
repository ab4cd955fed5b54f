"""What a command that changes one node says at its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine

from medfab_gateway.cli import Output, run
from medfab_network._node_change import NodeReport
from medfab_network.network import Network


def report(
    network: Network,
    work: Callable[[], Coroutine[None, None, NodeReport]],
    sentence: str,
    output: Output,
) -> None:
    """Do the work and tell of it. sentence: with `{node}` and `{seconds}`."""
    began = time.monotonic()
    done = run(work)
    seconds = time.monotonic() - began
    if output.as_json:
        output.json(
            {
                "node": done.node,
                "directory": str(network.directory),
                "started": done.started,
                "seconds": {step: round(value, 3) for step, value in done.seconds.items()},
                "total_seconds": round(seconds, 3),
                "notes": done.notes,
            }
        )
        return
    output.line(sentence.format(node=done.node, seconds=f"{seconds:.1f} s"))
    for note in done.notes:
        output.line(note)
