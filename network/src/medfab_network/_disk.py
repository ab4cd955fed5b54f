"""How much room a node's ledger or database has left.

What happens where it has none: docs/faults.md.
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

_LOW_SHARE = 0.1
_LOW_BYTES = 1 << 30
"""An orderer's log of the consensus takes 64 MiB at a time, for each channel."""


@dataclass(frozen=True, kw_only=True)
class DiskSpace:
    """Of one file system, in bytes."""

    device: int
    """Its number: the same for all folders of one file system."""
    total: int
    free: int

    @property
    def is_low(self) -> bool:
        """Less than a tenth is left, or less than 1 GiB."""
        return self.free < max(_LOW_BYTES, _LOW_SHARE * self.total)


def disk_space(folder: Path) -> DiskSpace | None:
    """Of the file system with this folder; None where it is not there, or not for us to see."""
    with contextlib.suppress(OSError):
        usage = shutil.disk_usage(folder)
        return DiskSpace(device=folder.stat().st_dev, total=usage.total, free=usage.free)
    return None
