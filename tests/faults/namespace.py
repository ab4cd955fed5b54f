"""A mount and a network namespace of our own: what a run mounts and drops is nobody else's."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

from medfab_network._binaries import ensure_binaries
from medfab_network._progress import Silent

_MARK = "MEDFAB_FAULTS_NAMESPACE"
# A peer does not start on a machine that has no address but 127.0.0.1.
_LOOPBACK = 'ip link set lo up && ip address add 192.0.2.1/32 dev lo && exec "$@"'


def enter() -> None:
    """Start this program again in namespaces of its own, as far as that can be done."""
    unshare = shutil.which("unshare")
    if _MARK in os.environ or os.geteuid() != 0 or unshare is None:
        return
    _fetch_all()
    again = [sys.executable, "-m", "faults", *sys.argv[1:]]
    for mark, command in (
        ("mount network", [unshare, "-m", "-n", "sh", "-c", _LOOPBACK, "sh"]),
        ("mount", [unshare, "-m"]),
    ):
        if subprocess.run([*command, "true"], check=False, capture_output=True).returncode == 0:
            os.environ[_MARK] = mark
            os.execv(command[0], [*command, *again])  # noqa: S606


def has_own_mounts() -> bool:
    return "mount" in os.environ.get(_MARK, "").split()


def has_own_network() -> bool:
    return "network" in os.environ.get(_MARK, "").split()


def _fetch_all() -> None:
    """What may have to be downloaded: there is loopback alone afterwards."""
    from postgres import _find_in, _unpacked

    asyncio.run(ensure_binaries(Silent()))
    if _find_in(Path("/")) is None:
        _unpacked()
