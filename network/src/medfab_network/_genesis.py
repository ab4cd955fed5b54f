"""The first block of each channel, made by Fabric's `configtxgen`."""

from __future__ import annotations

import asyncio
import contextlib

import yaml

from medfab_network._binaries import Binaries
from medfab_network._configtx import configtx
from medfab_network._files import write_atomically
from medfab_network._layout import Layout
from medfab_network._together import together
from medfab_network.errors import NetworkError
from medfab_network.topology import Channel, Topology


async def write_genesis_blocks(topology: Topology, layout: Layout, binaries: Binaries) -> None:
    """For each channel that has none yet; `configtx.yaml` in any case, for people."""
    missing = [
        channel for channel in topology.channels if not layout.channel_block(channel.name).exists()
    ]
    document = yaml.safe_dump(configtx(topology, layout), sort_keys=False)
    write_atomically(layout.configtx, document)
    await together(_write_genesis_block(channel, layout, binaries) for channel in missing)


async def _write_genesis_block(channel: Channel, layout: Layout, binaries: Binaries) -> None:
    target = layout.channel_block(channel.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".unfinished")
    process = await asyncio.create_subprocess_exec(
        binaries["configtxgen"],
        *("-profile", channel.name, "-channelID", channel.name),
        *("-configPath", str(layout.root), "-outputBlock", str(unfinished)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, errors = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        last = errors.decode(errors="replace").strip().splitlines()[-3:]
        raise NetworkError(
            f"configtxgen could not make the genesis block of {channel.name}:\n" + "\n".join(last)
        )
    unfinished.replace(target)
