"""Packets of single connections that get lost: `iptables`, in a network namespace of our own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable

from faults.namespace import has_own_network

_Flow = tuple[int, int]
"""The two ports of a connection of this machine with itself."""


def why_not() -> str | None:
    """Why packets cannot be lost here; None: they can."""
    if not has_own_network():
        return "there is no network namespace of our own here (`unshare -n`, as root)"
    if shutil.which("iptables-restore") is None:
        return "there is no iptables"
    return None


def drop(flows: Iterable[_Flow]) -> None:
    """From now on nothing of these connections arrives, in either direction."""
    rules = [
        f"-A INPUT -i lo -p tcp --sport {source} --dport {target} -j DROP"
        for first, second in flows
        for source, target in ((first, second), (second, first))
    ]
    _restore(rules, "--noflush")


def pass_all() -> None:
    """Nothing is dropped any more."""
    _restore([])


def _restore(rules: list[str], *options: str) -> None:
    text = "\n".join(["*filter", *rules, "COMMIT", ""])
    subprocess.run(["iptables-restore", *options], input=text, text=True, check=True, timeout=60)
