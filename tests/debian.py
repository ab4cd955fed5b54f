"""Programs that tests need and this machine may lack: Debian's packages, unpacked as any user.

They are fetched with `apt-get` into medfab's cache; nothing is installed.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path

from medfab_network._binaries import cache_folder


def unpacked(name: str, *packages: str) -> Path | None:
    """The folder in which the packages are unpacked, `name` in the cache; None without apt-get."""
    if shutil.which("apt-get") is None:
        return None
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / name
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                _fetch(Path(folder), packages)
                (Path(folder) / "root").rename(target)
    return target


def _fetch(folder: Path, packages: tuple[str, ...]) -> None:
    """With package lists of its own, so that neither root nor an earlier update is needed."""
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    apt = ["apt-get", "-q", "-o", f"Dir::State::Lists={folder}/lists"]
    apt += ["-o", f"Dir::Cache={folder}/cache", "-o", "APT::Sandbox::User=root"]
    for arguments in (["update"], ["download", *packages]):
        subprocess.run([*apt, *arguments], cwd=folder, check=True, capture_output=True, timeout=300)
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, folder / "root"], check=True, timeout=60)
