"""A consortium for the tests of administration: the CLI beside Fabric's own programs."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import on_free_ports
from medfab_gateway.admin import AsyncChannelAdmin, AsyncPeerAdmin, ChannelConfig
from medfab_gateway.cli import main
from medfab_gateway.wallet import FileSystemWallet
from medfab_network import Network, Topology, parse_topology
from medfab_network._access import Access
from medfab_network._binaries import Binaries
from medfab_network._layout import Layout

CHANNEL, CHAINCODE = "care", "assets"
SECONDS = 90  # for one command; far more than any takes


def document(*, pharmacy: bool = False) -> dict[str, Any]:
    """Two organisations, three orderers, a contract with the channel's own endorsement policy."""
    organizations = [
        {"name": "hospital", "msp_id": "HospitalMSP"},
        {"name": "clinic", "msp_id": "ClinicMSP"},
    ]
    if pharmacy:
        organizations.append({"name": "pharmacy2", "msp_id": "Pharmacy2MSP"})
    return {
        "name": "admin",
        "ordering": {"name": "orderer", "orderers": 3},
        "organizations": organizations,
        "channels": [{"name": CHANNEL, "organizations": [o["name"] for o in organizations]}],
        "chaincodes": [
            {
                "name": CHAINCODE,
                "channel": CHANNEL,
                "version": "1.0",
                "contract": "example_contract:Assets",
            }
        ],
    }


def larger_topology() -> Topology:
    return parse_topology(document(pharmacy=True))


@asynccontextmanager
async def running_consortium(directory: Path) -> AsyncIterator[Network]:
    """On ports that are free for the organisation that comes later, too."""
    base_port = on_free_ports(larger_topology()).base_port
    topology = parse_topology(document() | {"base_port": base_port})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))  # for the contract's processes
        async with Network(directory, topology).running() as network:
            yield network


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str


def in_process(words: list[str], settings: Mapping[str, str]) -> Done:
    """`medfab WORDS` with these variables, as its entry point runs it, but in this process.

    A process for each of some hundred commands would take most of the tests' time.
    """
    stdout, stderr = io.StringIO(), io.StringIO()
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        for name in os.environ:
            if name.startswith("MEDFAB_") and name != "MEDFAB_CACHE":
                patch.delenv(name)
        for name, value in settings.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["medfab", *words])
        patch.setattr(sys, "stdin", io.StringIO())  # nobody to ask
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    code = ended.value.code
    return Done(code if isinstance(code, int) else 1, stdout.getvalue(), stderr.getvalue())


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Admin:
    """An organisation's administrator: our commands, our library, and Fabric's programs."""

    network: Network
    organization: str
    binaries: Binaries

    def __call__(
        self,
        *arguments: str | Path,
        code: int | None = 0,
        settings: Mapping[str, str] | None = None,
    ) -> Done:
        """`medfab …` as this administrator on the channel."""
        own = {
            "MEDFAB_DIR": str(self.network.directory),
            "MEDFAB_ORG": self.organization,
            "MEDFAB_IDENTITY": "admin",
            "MEDFAB_CHANNEL": CHANNEL,
        }
        words = [str(each) for each in arguments]
        done = in_process(words, own | dict(settings or {}))
        assert code is None or done.code == code, (arguments, done.stdout, done.stderr)
        return done

    def json(self, *arguments: str | Path) -> Any:
        return json.loads(self(*arguments, "--json").stdout)

    def config(self) -> ChannelConfig:
        """What is in force, as this organisation's peer has it."""
        out = self.network.directory.parent / f"{self.organization}.config"
        self("channel", "config", "--out", out)
        return ChannelConfig(CHANNEL, out.read_bytes())

    def channels(self) -> AsyncChannelAdmin:
        """To be used with `async with`."""
        access = Access(Layout(self.network.directory))
        peer = self.network.topology.organization(self.organization).peers[0]
        entry = access.entry(self.organization, "admin")
        return AsyncChannelAdmin(access.endpoint(peer), entry.identity, entry.signer())

    def peer(self) -> AsyncPeerAdmin:
        """To be used with `async with`."""
        peer = self.network.topology.organization(self.organization).peers[0]
        return Access(Layout(self.network.directory)).peer_admin(peer)

    def fabric(self, program: str, *arguments: str | Path) -> bytes:
        """What one of Fabric's programs prints, run as this administrator."""
        layout = Layout(self.network.directory)
        peers = self.network.topology.organization(self.organization).peers
        environment = {
            "PATH": os.environ["PATH"],
            "FABRIC_CFG_PATH": str(self.binaries.config),
            "FABRIC_LOGGING_SPEC": "error",
            "CORE_PEER_LOCALMSPID": self.network.topology.organization(self.organization).msp_id,
            "CORE_PEER_MSPCONFIGPATH": str(self._msp_folder()),
            "CORE_PEER_ADDRESS": peers[0].address if peers else "",
            "CORE_PEER_TLS_ENABLED": "true",
            "CORE_PEER_TLS_ROOTCERT_FILE": str(layout.tls_ca_certificate(self.organization)),
        }
        done = subprocess.run(
            [self.binaries[program], *map(str, arguments)],
            capture_output=True,
            timeout=SECONDS,
            env=environment,
        )
        assert done.returncode == 0, (arguments, done.stderr.decode())
        return done.stdout

    def ordering(self) -> Sequence[str | Path]:
        """Which orderer `peer` shall ask."""
        ordering = self.network.topology.ordering
        root = Layout(self.network.directory).tls_ca_certificate(ordering.name)
        return ("-o", ordering.orderers[0].address, "--tls", "--cafile", root)

    def _msp_folder(self) -> Path:
        """As Fabric's programs take an identity: a folder, made once."""
        folder = self.network.directory.parent / f"msp-{self.organization}"
        if not folder.exists():
            shutil.copytree(Layout(self.network.directory).msp(self.organization), folder)
            entry = FileSystemWallet(self.network.wallet(self.organization)).get("admin")
            assert entry.private_key_pem is not None
            for name, content in (
                ("signcerts/cert.pem", entry.identity.certificate),
                ("keystore/key.pem", entry.private_key_pem),
            ):
                path = folder / name
                path.parent.mkdir()
                path.write_bytes(content)
        return folder
