"""What the tests of the network share: small consortia, transactions, and a look at /proc."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integration.conftest import on_free_ports
from medfab_gateway.ehr import AsyncPatient
from medfab_network import Network, Topology, User, parse_topology

MEDFAB = Path(sys.executable).parent / "medfab"
CHANNEL, CHAINCODE = "care", "ehr"


def consortium(*, orderers: int = 1, peers: int = 1, version: str = "1.0") -> Topology:
    """Two organisations that both have to agree, on ports that are free now."""
    return on_free_ports(
        parse_topology(
            {
                "ordering": {"orderers": orderers},
                "organizations": [
                    {"name": "hospital", "msp_id": "HospitalMSP", "peers": peers},
                    {"name": "clinic", "msp_id": "ClinicMSP"},
                ],
                "channels": [{"name": CHANNEL, "organizations": ["hospital", "clinic"]}],
                "chaincodes": [
                    {
                        "name": CHAINCODE,
                        "channel": CHANNEL,
                        "version": version,
                        "contract": "medfab_chaincode.ehr:EhrContract",
                        "custodians": ["hospital", "clinic"],
                        "collections": ["consents"],
                    }
                ],
            }
        )
    )


def of_version(topology: Topology, version: str) -> Topology:
    """The same consortium with another version of its chaincode."""
    (chaincode,) = topology.source["chaincodes"]
    changed: dict[str, Any] = {
        **topology.source,
        "chaincodes": [{**chaincode, "version": version}],
    }
    return parse_topology(changed)


async def register_patient(network: Network, organization: str = "hospital") -> str:
    """A transaction that both organisations endorse; returns the user, for `is_registered`."""
    name = f"patient-{secrets.token_hex(4)}"
    attributes = {"medfab.role": "patient", "medfab.patient": secrets.token_hex(16)}
    await network.enrol_user(organization, User(name=name, attributes=attributes))
    async with network.gateway(organization, name) as gateway:
        await AsyncPatient(gateway.network(CHANNEL).contract(CHAINCODE)).register()
    return name


async def is_registered(network: Network, name: str, organization: str = "hospital") -> bool:
    """Whether the ledger knows the patient: it refuses the list to those it does not know."""
    async with network.gateway(organization, name) as gateway:
        patient = AsyncPatient(gateway.network(CHANNEL).contract(CHAINCODE))
        return await patient.accesses() == ()


@dataclass(frozen=True)
class Process:
    """One process of a network directory, by the marker in its environment."""

    node: str
    pid: int

    @property
    def command_line(self) -> bytes:
        return Path(f"/proc/{self.pid}/cmdline").read_bytes()

    @property
    def environment(self) -> bytes:
        return Path(f"/proc/{self.pid}/environ").read_bytes()

    def listening(self) -> set[tuple[str, int]]:
        """Address and port of every socket on which this process listens, of all interfaces."""
        inodes = set()
        for entry in Path(f"/proc/{self.pid}/fd").iterdir():
            target = str(entry.readlink())
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
        found = set()
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/{self.pid}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and fields[9] in inodes:
                    address, port = fields[1].split(":")
                    found.add((_address(address), int(port, 16)))
        return found


def _address(text: str) -> str:
    """`/proc/net/tcp*` writes addresses as 32-bit words in the machine's byte order."""
    words = [bytes.fromhex(text[i : i + 8])[::-1] for i in range(0, len(text), 8)]
    raw = b"".join(words)
    if len(raw) == 4 or raw[:12] == bytes(10) + b"\xff\xff":
        return ".".join(str(byte) for byte in raw[-4:])
    return raw.hex()


def processes_of(directory: Path) -> list[Process]:
    """Every process that carries the directory in its environment, in /proc's own words."""
    found = []
    marker = f"MEDFAB_NODE={directory.resolve()}|".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            for line in environment.split(b"\0"):
                if line.startswith(marker):
                    node = line.removeprefix(marker).decode()
                    found.append(Process(node, int(entry.name)))
    return sorted(found, key=lambda process: process.node)


def mentions(directory: Path) -> list[str]:
    """The command line of every process that was called with something in the directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command_line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(directory.resolve()) in command_line:
                found.append(command_line.replace(b"\0", b" ").decode())
    return found


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another task or process brings about. Raises `TimeoutError`."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)
