"""Write `network/src/medfab_network/data/images.lock`: what images are made of today.

`--check` compares what can be compared without Debian's archive: Python's packages with this
environment, which uv.lock pins, and the checksums of Fabric's modules.
"""

from __future__ import annotations

import asyncio
import json
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from medfab_network import _debian
from medfab_network._binaries import FABRIC, FABRIC_CA
from medfab_network._image_lock import Package
from medfab_network._progress import Silent
from medfab_network._python_site import chaincode_site, consumer_site

LOCK = Path(__file__).parents[1] / "network/src/medfab_network/data/images.lock"


async def debian() -> dict[str, dict[str, object]]:
    """The newest packages, for this machine's release; other machines' stay as they are."""
    found: dict[str, dict[str, object]] = (
        json.loads(LOCK.read_text())["debian"] if LOCK.exists() else {}
    )
    release = _debian.release()
    if release is None:
        raise SystemExit("a lock is made on a Debian release that images can be made of")
    packages: dict[str, Package] = {}
    for group in _debian.PACKAGES:
        packages |= await _debian.newest(group, Silent())
    found[f"{release}-{platform.machine()}"] = {
        name: asdict(package) for name, package in sorted(packages.items())
    }
    return found


def python() -> dict[str, str]:
    return dict(sorted({**chaincode_site().versions, **consumer_site().versions}.items()))


def programs() -> dict[str, str]:
    return {tools.name: tools.checksum() for tools in (FABRIC, FABRIC_CA)}


def main() -> None:
    if "--check" in sys.argv:
        document = json.loads(LOCK.read_text())
        if (document["python"], document["programs"]) != (python(), programs()):
            raise SystemExit("images.lock is behind uv.lock or go.sum: run `make images-lock`")
        return
    document = {"debian": asyncio.run(debian()), "python": python(), "programs": programs()}
    LOCK.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
