"""The demonstration from beginning to end: checks, network, story, search, summary."""

from __future__ import annotations

import shlex
import sys
import time
from contextlib import suppress
from pathlib import Path

from medfab_gateway import Block
from medfab_gateway.cli import run, uninterrupted
from medfab_gateway.ehr import (
    Bundle,
    BundleError,
    PhiValue,
    ScanReport,
    example_bundle,
    load_bundle,
    phi_values,
    scan_blocks,
)
from medfab_network.cli._progress import ConsoleProgress
from medfab_network.demo._narrator import Narrator
from medfab_network.demo._report import DemoReport
from medfab_network.demo._story import (
    ASKER,
    CHAINCODE,
    CHANNEL,
    HOLDER,
    Told,
    tell,
    wait_for_blocks,
)
from medfab_network.demo._supply_story import CHANNEL as SUPPLY
from medfab_network.demo._supply_story import can_be_told, tell_supply
from medfab_network.errors import DirectoryError, NetworkError, TopologyError
from medfab_network.network import Network
from medfab_network.topology import Topology

_READER = "regulator"
_NEEDED = ((HOLDER, "practitioner"), (ASKER, "practitioner"), (_READER, "auditor"))
_SHOWN_FINDINGS = 20


class DemoFailedError(NetworkError):
    """The demonstration did not show what it is there to show."""


class DemoUsageError(NetworkError):
    """The demonstration cannot begin with what it was given."""

    exit_code = 2


class Demo:
    """One run. Everything it starts has ended when `run` returns or raises, but for `keep`.

    `report` is None until the search of the blocks has ended.
    """

    def __init__(
        self,
        directory: Path,
        *,
        topology: Topology,
        narrator: Narrator,
        bundle: Path | None = None,
        keep: bool = False,
        plant_leak: bool = False,
    ) -> None:
        self._directory = directory
        self._topology = topology
        self._narrator = narrator
        self._bundle_file = bundle
        self._keep = keep
        self._plant_leak = plant_leak
        self._started: set[str] = set()
        self.report: DemoReport | None = None

    def run(self) -> None:
        """Not to be called in a running event loop: it makes one for each stage.

        Raises `NetworkError` and the gateway's `MedfabError`, which say what to do;
        `KeyboardInterrupt` when interrupted.
        """
        narrator = self._narrator
        began = time.monotonic()
        self._check_topology()
        old = Network(self._directory)
        self._check_directory(old)
        narrator.headline("medfab: a consented, audited record read on Hyperledger Fabric")
        with narrator.part("The bundle", "checking the bundle"):
            bundle = self._load_bundle()
        with old.exclusive():
            self._check_directory(old)  # once more: it may have been another's until now
            self._clear_away(old)
        network = Network(self._directory, self._topology, progress=ConsoleProgress(indent="     "))
        with network.exclusive():
            network.mark_as_demo()
            try:
                told = self._on(network, bundle)
                self._sum_up(time.monotonic() - began)
            except BaseException as error:
                dead = sorted(self._started - set(network.processes()))
                with uninterrupted():
                    run(network.down)
                if isinstance(error, Exception):
                    if dead:
                        error.add_note(f"Ended by itself before: {', '.join(dead)}.")
                    error.add_note(
                        f"The demo ended {narrator.place}. Its nodes are stopped; their logs are "
                        f"in {network.logs}"
                    )
                raise
            if self._keep:
                self._say_how_to_look_around(told.patient)
                return
            with uninterrupted():
                run(network.clean)
        with suppress(DirectoryError):  # the folder too, now that nobody works in it
            run(network.clean)
        narrator.note("Everything is taken down. `medfab demo --keep` leaves it up.")

    def _on(self, network: Network, bundle: Bundle) -> Told:
        """All that needs the network."""
        narrator = self._narrator
        organizations = len(self._topology.organizations)
        with narrator.part(
            f"The consortium: {organizations} organisations, each with its own certificate "
            "authority and peer",
            "starting the network",
        ):
            self._started = set(run(network.up).started)
            narrator.good(f"{len(self._started)} nodes run, with TLS everywhere")
        with narrator.part("The story of one record", "the story"):
            told = run(lambda: tell(network, bundle, narrator))
        with narrator.part("What everybody in the channel can read", "searching the blocks"):
            values = phi_values(bundle)
            if self._plant_leak:
                run(lambda: self._leak(network, values))
            blocks = run(lambda: self._read_blocks(network))
            search = self._search(blocks, values)
        if search.clean and can_be_told(self._topology):
            self._second_act(network)
        self.report = DemoReport(
            directory=network.directory,
            kept=self._keep and search.clean,
            nodes=len(self._started),
            channel=CHANNEL,
            resources=len(bundle.resources),
            filing_transactions=told.filing_transactions,
            search=search,
            seconds=dict(narrator.seconds),
        )
        if not search.clean:
            raise DemoFailedError(
                f"data of the patient is in blocks that everybody in the channel {CHANNEL!r} can "
                f"read: {len(search.findings)} findings"
            )
        return told

    def _second_act(self, network: Network) -> None:
        narrator = self._narrator
        with narrator.part("Second act: the story of one lot of medicine", "the lot's story"):
            told = run(lambda: tell_supply(network, narrator))
            blocks = run(lambda: self._read_blocks(network, SUPPLY))
            found = scan_blocks(blocks, told.secrets)
            if not found.clean:
                raise DemoFailedError(
                    f"serial numbers are in blocks of the channel {SUPPLY!r}: "
                    f"{len(found.findings)} findings"
                )
            narrator.good(
                f"None of the {len(told.secrets)} serial numbers is in the {found.blocks} blocks "
                f"of the channel {SUPPLY!r}."
            )

    def _check_topology(self) -> None:
        """The roles and the channel of the story must be there."""
        users = {(o.name, user.name) for o in self._topology.organizations for user in o.users}
        for organization, user in _NEEDED:
            if (organization, user) not in users:
                raise TopologyError(
                    f"the demo needs an organisation {organization!r} with the user {user!r} in "
                    "the topology"
                )
        everybody = {organization for organization, _ in _NEEDED}
        for chaincode in self._topology.chaincodes:
            members = self._topology.channel(chaincode.channel).organizations
            here = (chaincode.name, chaincode.channel) == (CHAINCODE, CHANNEL)
            if here and everybody.issubset(members):
                return
        raise TopologyError(
            f"the demo needs the chaincode {CHAINCODE!r} on a channel {CHANNEL!r} of "
            f"{', '.join(sorted(everybody))} in the topology"
        )

    def _check_directory(self, old: Network) -> None:
        if old.exists and not old.is_of_demo:
            raise DirectoryError(
                f"{old.directory} holds a network that was not made by the demo, which would "
                "delete it. Give the demo another folder with --dir, or delete that network with "
                f"`medfab network clean --dir {shlex.quote(str(self._directory))}`"
            )
        folder = old.directory
        if (
            not old.is_of_demo
            and folder.exists()
            and any(f.name != "lock" for f in folder.iterdir())
        ):
            raise DirectoryError(
                f"{folder} is not empty, and the demo deletes its folder at the end. Give it one "
                "of its own with --dir"
            )

    def _load_bundle(self) -> Bundle:
        if self._bundle_file is None:
            data, name = example_bundle(), "the example bundle (an invented patient)"
        else:
            name = str(self._bundle_file)
            try:
                data = self._bundle_file.read_bytes()
            except OSError as error:
                raise DemoUsageError(f"{name} cannot be read: {error.strerror}") from error
        try:
            bundle = load_bundle(data)
        except BundleError as error:
            raise DemoUsageError(f"{name} cannot be used: {error}") from error
        self._narrator.good(f"{name}: valid FHIR, {len(bundle.resources)} resources")
        return bundle

    def _clear_away(self, old: Network) -> None:
        """Take down and delete what an earlier demo has left, however it ended."""
        if old.is_of_demo:
            with uninterrupted():  # a half-deleted network could not be told from another's
                stopped = run(old.clean)
            if stopped:
                self._narrator.note(f"Ended {len(stopped)} nodes that an earlier demo had left.")

    async def _leak(self, network: Network, values: list[PhiValue]) -> None:
        """Put a value into a block, in the argument of a transaction that will be found invalid."""
        value = next(v for v in [*values] if v.kind == "name" and len(v.value) > 5)
        holder = self._topology.organization(HOLDER)
        async with network.gateway(HOLDER, "practitioner") as gateway:
            submitted = (
                await gateway.network(CHANNEL)
                .contract("qscc")
                .submit_async(
                    "GetChainInfo", CHANNEL, value.value, endorsing_organizations=[holder.msp_id]
                )
            )
            status = await submitted.commit.status()
        self._narrator.bad(
            f"planted: a {value.kind} of the patient, in an argument of a transaction that is "
            f"{status.code} and changed nothing, but is in block {status.block_number}"
        )

    async def _read_blocks(self, network: Network, channel: str = CHANNEL) -> list[Block]:
        if channel == CHANNEL:
            height = await wait_for_blocks(network, _READER, of=(HOLDER, ASKER))
        else:
            height = await network.ledger_height(_READER, channel)
        async with network.gateway(_READER, "auditor") as gateway:
            events = gateway.network(channel).block_events(0, height - 1)
            async with events as stream:
                blocks = [block async for block in stream]
        if len(blocks) != height:
            raise DemoFailedError(f"only {len(blocks)} of {height} blocks could be read")
        return blocks

    def _search(self, blocks: list[Block], values: list[PhiValue]) -> ScanReport:
        narrator = self._narrator
        narrator.live(f"searching {len(blocks)} blocks for {len(values)} values")
        search = scan_blocks(blocks, values)
        narrator.note(
            f"All {search.bytes:,} bytes of {search.blocks} blocks, as the regulator's peer has "
            f"them, are searched for {len(values):,} values of the bundle: names, addresses, "
            f"identifiers, dates, results, whole resources, in {search.patterns:,} encoded forms."
        )
        if search.short_values:
            narrator.note(
                f"({search.short_values} values have fewer than 5 characters, and are in any data "
                "by chance: they are searched as digests, and as words of what can be decoded.)"
            )
        for finding in search.findings[:_SHOWN_FINDINGS]:
            narrator.bad(
                f"a {finding.kind} ({finding.encoding}) is in block {finding.block_number}, "
                f"{finding.where}"
            )
        if len(search.findings) > _SHOWN_FINDINGS:
            narrator.bad(f"and {len(search.findings) - _SHOWN_FINDINGS} more")
        if search.clean:
            narrator.good("None of them is there.")
        return search

    def _sum_up(self, total: float) -> None:
        narrator = self._narrator
        narrator.headline("Summary")
        rows = [[name, f"{seconds:5.1f} s"] for name, seconds in narrator.seconds.items()]
        narrator.table(["stage", "time"], [*rows, ["all", f"{total:5.1f} s"]])
        if self.report is not None:
            search = self.report.search
            narrator.good(
                f"{search.transactions} transactions in {search.blocks} blocks of the channel "
                f"{CHANNEL!r}, its configuration and the chaincode's deployment included"
            )

    def _say_how_to_look_around(self, patient: str) -> None:
        program = shlex.quote(str(Path(sys.executable).parent / "medfab"))
        where = f"--dir {shlex.quote(str(self._directory))}"
        narrator = self._narrator
        narrator.headline("The network is up. Look around:")
        narrator.command(f"export MEDFAB_DIR={shlex.quote(str(self._directory.absolute()))}")
        for command in (
            "network status",
            "network logs peer0.hospital",
            f"wallet list --org {HOLDER}",
            f"events --channel {CHANNEL} --org {HOLDER} --identity practitioner --from 0 --to 5",
            f"contract evaluate {CHAINCODE} ListAccess --channel {CHANNEL} --org {HOLDER} \\\n"
            f"      --identity {patient}",
            "network down",
        ):
            narrator.command(f"{program} {command}")
        narrator.headline("Delete it (a new demo in this folder does that, too):")
        narrator.command(f"{program} network clean --yes {where}")
