"""Disks of nodes that can be full: file systems in memory, in a mount namespace of our own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

from faults.namespace import has_own_mounts

_LARGE = 2 << 30
_ROOM = 64 << 10  # a busy node writes on between the look and the cut


def why_not() -> str | None:
    """Why no disk can be made small here; None: it can."""
    if os.geteuid() != 0:
        return "mounting a small file system needs root"
    if not has_own_mounts():
        return "there are no mount namespaces here (`unshare -m`)"
    return None


class Disk:
    """A file system in memory at a folder, large until it is filled."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        mode = f"mode={folder.stat().st_mode & 0o777:o}"
        _run("mount", "-t", "tmpfs", "-o", f"size={_LARGE},{mode}", "medfab-faults", str(folder))

    def fill(self) -> None:
        """From now on there is no room left for a single byte."""
        for _ in range(100):
            if self._resize(shutil.disk_usage(self.folder).used + _ROOM):
                break
        else:
            raise RuntimeError(f"{self.folder} cannot be made small")
        with contextlib.suppress(OSError), self._ballast.open("wb", buffering=0) as ballast:
            while ballast.write(bytes(4096)):
                pass

    def free(self) -> None:
        assert self._resize(_LARGE)
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def remove(self) -> None:
        _run("umount", "--lazy", str(self.folder))

    def _resize(self, size: int) -> bool:
        """Whether it has room for what is in it."""
        command = ["mount", "-o", f"remount,size={size}", str(self.folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=60)
