"""The demonstration from beginning to end: checks, network, story, search, summary."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

from medfab_gateway.ehr import Bundle, BundleError, example_bundle, load_bundle, phi_values
from medfab_gateway.ehr import scan_blocks as search_blocks
from medfab_network.cli._progress import ConsoleProgress
from medfab_network.demo._narrator import Narrator
from medfab_network.demo._story import CHANNEL, tell
from medfab_network.errors import DirectoryError, NetworkError, TopologyError
from medfab_network.network import Network
from medfab_network.topology import Topology

_NEEDED = ("hospital", "clinic", "regulator")


class DemoFailedError(NetworkError):
    """The demonstration did not show what it is there to show."""


class DemoUsageError(NetworkError):
    """The demonstration cannot begin with what it was given."""

    exit_code = 2


class Demo:
    """One run. Everything it starts has ended when `run` returns or raises, but for `keep`."""

    def __init__(
        self, directory: Path, *, bundle: Path | None, keep: bool, topology: Topology
    ) -> None:
        self._bundle_file = bundle
        self._keep = keep
        self._directory = directory
        self._topology = topology
        self._narrator = Narrator()

    async def run(self) -> None:
        """Raises `NetworkError` and the gateway's `MedfabError`; all say what to do."""
        narrator = self._narrator
        began = time.monotonic()
        self._check_topology()
        narrator.headline("medfab: a consented, audited record read on Hyperledger Fabric")
        with narrator.part("The bundle", "checking the bundle"):
            bundle = self._load_bundle()
        old = Network(self._directory)
        if old.exists and not old.is_of_demo:
            raise DirectoryError(
                f"{old.directory} holds a network that you have started. Give the demo another "
                "folder with --dir, or delete that network with `medfab network clean`"
            )
        with old.exclusive():
            await self._start_afresh(old)
        network = Network(self._directory, self._topology, progress=ConsoleProgress(indent="     "))
        with network.exclusive():
            network.mark_as_demo()
            try:
                await self._on(network, bundle, began)
            except BaseException:
                await network.down()
                if network.exists:
                    narrator.line(f"\nThe nodes are stopped; their logs are in {network.logs}")
                raise
            if self._keep:
                self._say_how_to_look_around(network)
            else:
                await network.clean()
                narrator.note("Everything is taken down. `KEEP=1 make demo` leaves it up.")

    async def _on(self, network: Network, bundle: Bundle, began: float) -> None:
        narrator = self._narrator
        organizations = len(self._topology.organizations)
        with narrator.part(
            f"The consortium: {organizations} organisations, each with its own authority and peer",
            "starting the network",
        ):
            report = await network.up()
            narrator.good(f"{len(report.started)} nodes run, with TLS everywhere")
        with narrator.part("The story of one record", "the story"):
            self._patient = await tell(network, bundle, narrator)
        with narrator.part("What everybody in the channel can read", "searching the blocks"):
            counts = await self._search(network, bundle)
        narrator.headline("Summary")
        rows = [[name, f"{seconds:.1f} s"] for name, seconds in narrator.seconds.items()]
        rows.append(["all", f"{time.monotonic() - began:.1f} s"])
        narrator.table(["stage", "time"], rows)
        narrator.good(f"{counts[1]} transactions in {counts[0]} blocks of the channel {CHANNEL!r}")

    def _check_topology(self) -> None:
        names = {organization.name for organization in self._topology.organizations}
        if not names.issuperset(_NEEDED):
            raise TopologyError(f"the demo needs the organisations {', '.join(_NEEDED)}")

    def _load_bundle(self) -> Bundle:
        if self._bundle_file is None:
            data, name = example_bundle(), "the example bundle (an invented patient)"
        else:
            data, name = self._bundle_file.read_bytes(), str(self._bundle_file)
        try:
            bundle = load_bundle(data)
        except BundleError as error:
            raise DemoUsageError(f"{name} cannot be used: {error}") from error
        self._narrator.good(f"{name}: valid FHIR, {len(bundle.resources)} resources")
        return bundle

    async def _start_afresh(self, old: Network) -> None:
        """Take down and delete what an earlier demo has left, however it ended."""
        if old.is_of_demo:
            stopped = await old.clean()
            if stopped:
                self._narrator.note(f"Ended {len(stopped)} nodes that an earlier demo had left.")

    async def _search(self, network: Network, bundle: Bundle) -> tuple[int, int]:
        narrator = self._narrator
        values = phi_values(bundle)
        height = await network.ledger_height("regulator", CHANNEL)
        async with network.gateway("regulator", "auditor") as gateway:
            events = gateway.network(CHANNEL).block_events(0, height - 1)
            async with events as stream:
                blocks = [block async for block in stream]
        report = search_blocks(blocks, values)
        if len(blocks) != height:
            raise DemoFailedError(f"{len(blocks)} of {height} blocks could be read")
        narrator.note(
            f"{len(values)} names, addresses, identifiers, dates, results and whole resources, "
            f"in {report.patterns} encoded forms"
        )
        narrator.note(
            f"searched in all {report.bytes:,} bytes of {report.blocks} blocks; "
            f"{report.short_values} short values in the decoded parts and by digest"
        )
        if not report.clean:
            for finding in report.findings[:20]:
                narrator.refused(
                    f"a {finding.kind} ({finding.encoding}) is in block {finding.block_number}, "
                    f"{finding.where}"
                )
            raise DemoFailedError(f"{len(report.findings)} values of the patient are in blocks")
        narrator.good("None of them is there.")
        return report.blocks, report.transactions

    def _say_how_to_look_around(self, network: Network) -> None:
        program = shlex.quote(str(Path(sys.executable).parent / "medfab"))
        option = f" --dir {shlex.quote(str(self._directory))}"
        common = f"--channel {CHANNEL} --org hospital --identity"
        self._narrator.headline("The network is up. Look around:")
        for command in (
            "network status",
            "network logs peer0.hospital",
            "wallet list --org hospital",
            f"events {common} practitioner --from 0 --to 5",
            f"contract evaluate ehr ListAccess {common} {self._patient}",
            "network down",
        ):
            self._narrator.line(f"  {program} {command}{option}")
        self._narrator.line(f"Delete it with: {program} network clean{option}")
