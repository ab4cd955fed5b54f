"""Faults one after the other under load, with what clients saw; and the ledger compared after."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificate

from faults.ends import KILL
from faults.load import CHAINCODE, CHANNEL, longest_gap
from faults.plan import Fault
from faults.site import SETTLE_SECONDS, Site, site, temporary_folder
from medfab_gateway import AsyncGateway, Block, OutcomeUnknownError
from medfab_gateway.ca import Credential
from medfab_gateway.consumers import LedgerBlock
from medfab_network._authority import REGISTRAR
from medfab_network.topology import Node

_RECONCILE_SECONDS = 240.0  # peers look for missing private data once a minute
_CALM_SECONDS = 1.0
_AT_ONCE = 16


@dataclass
class Row:
    """One kind of fault, over all times that it was done."""

    fault: Fault
    times: int = 0
    no_commit: float = 0.0
    """Seconds; the longest."""
    no_read: float = 0.0
    recovered: float = 0.0
    """Seconds from the fault until all peers had the same blocks again, commits included, and the
    consumers' rows those of the peers."""
    came_back: set[str] = field(default_factory=set)
    errors: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)


@dataclass
class Report:
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    skipped: dict[str, list[Fault]] = field(default_factory=dict)
    """By reason."""
    kills: int = 0
    acknowledged: int = 0
    failed: int = 0
    unknown: int = 0
    private: int = 0
    blocks: int = 0
    consumed: int = 0
    enrolled: int = 0
    seconds: float = 0.0


async def run(
    report: Report, faults: Iterable[Fault], *, relayed: bool, logs: Path | None = None
) -> None:
    """A network of its own, gone afterwards. Raises `AssertionError` where data is lost."""
    from faults.disks import why_not

    began = time.monotonic()
    chosen = []
    for fault in faults:
        reason = why_not() if fault.needs_disks else None
        if reason is None:
            chosen.append(fault)
        else:
            report.skipped.setdefault(reason, []).append(fault)
    if not chosen:
        return
    with temporary_folder() as folder:
        async with site(Path(folder), relayed=relayed, logs=logs) as running:
            for number, fault in enumerate(chosen, 1):
                row = report.rows.setdefault((fault.target, fault.action), Row(fault))
                seconds = await _one(running, row, fault)
                report.kills += fault.action == KILL
                print(f"{number:3}/{len(chosen)} {seconds:5.1f} s  {fault.name}", flush=True)
            running.load.stop()
            await running.working
            await _compare(running, report)
    report.seconds += time.monotonic() - began


async def _one(running: Site, row: Row, fault: Fault) -> float:
    load = running.load
    load.errors.clear()
    load.samples.clear()
    began = time.monotonic()
    try:
        row.came_back.add(await fault.do(running))
        await running.commits(3)
        await _level(running)
    except BaseException as error:
        error.add_note(f"while: {fault.name}; clients were told {dict(load.errors)}")
        raise
    recovered = time.monotonic() - began
    await asyncio.sleep(_CALM_SECONDS)
    now = time.monotonic()
    row.times += 1
    row.recovered = max(row.recovered, recovered)
    row.no_commit = max(row.no_commit, longest_gap(load.commits_at, began, now))
    row.no_read = max(row.no_read, longest_gap(load.reads_at, began, now))
    row.errors += load.errors
    for kind, text in load.samples.items():
        row.samples.setdefault(kind, text)
    return now - began


async def _level(running: Site) -> None:
    """Wait until every node is well, every peer within some blocks of the others, the authority
    enrols, and the consumers' rows are up to date."""
    enrolled = len(running.load.enrolled_at)
    async with asyncio.timeout(SETTLE_SECONDS):
        while True:
            status = await running.network.status()
            heights = [s.heights.get(CHANNEL, 0) for s in status if s.node.kind == "peer"]
            if all(s.healthy for s in status) and max(heights) - min(heights) <= 3:
                break
            await asyncio.sleep(0.2)
        await running.rows.until(min(heights))
        while len(running.load.enrolled_at) <= enrolled:
            await asyncio.sleep(0.05)


async def _compare(running: Site, report: Report) -> None:
    """Every peer has every acknowledged transaction once, and all have come to the same state; and
    consumers have the rows of the ledger."""
    load = running.load
    async with asyncio.timeout(SETTLE_SECONDS):
        while len(heights := set(await running.heights())) > 1:
            await asyncio.sleep(0.2)
    (height,) = heights
    await running.rows.until(height)
    states = set()
    for peer in running.peers:
        blocks = await _blocks(running, peer, height)
        found: Counter[tuple[str, str]] = Counter()
        for block in blocks:
            found.update((t.transaction_id, t.validation_code) for t in block.transactions)
        states.add(blocks[-1].metadata.commit_hash)
        missing = [one for one in load.acknowledged if found[one, "VALID"] != 1]
        assert not missing, f"{peer.name} lacks {len(missing)} acknowledged transactions"
        on_ledger = {transaction_id for transaction_id, _ in found}
        for error in load.failed:
            certain = not isinstance(error, OutcomeUnknownError)
            assert not (certain and error.transaction_id in on_ledger), error
    assert len(states) == 1, "the peers have come to different states"
    assert None not in states
    twice = [one for one in load.acknowledged if load.seen[one] != 1]
    assert not twice, f"the stream of blocks brought {len(twice)} transactions not once"
    await _private_data_is_complete(running, load.private_keys)
    await _certificates_are_known(running)
    report.consumed += await asyncio.to_thread(
        running.rows.compare, [LedgerBlock(block=block) for block in blocks]
    )
    report.acknowledged += len(load.acknowledged)
    report.failed += len(load.failed)
    report.unknown += sum(isinstance(error, OutcomeUnknownError) for error in load.failed)
    report.private += len(load.private_keys)
    report.blocks += height
    report.enrolled += len(load.serials)


async def _blocks(running: Site, peer: Node, height: int) -> list[Block]:
    async with running.network._access.peer_admin(peer) as admin:
        blocks: list[Block] = []
        for first in range(0, height, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, height))
            blocks += await asyncio.gather(*(admin.block_by_number(CHANNEL, n) for n in numbers))
        return blocks


async def _private_data_is_complete(running: Site, keys: list[str]) -> None:
    """Both of the hospital's peers have every private value, by reconciliation where need be."""
    access = running.network._access
    entry = access.entry("hospital", "admin")
    for peer in running.network.topology.organization("hospital").peers:
        endpoint = access.endpoint(peer)
        async with AsyncGateway.connect(endpoint, entry.identity, entry.signer()) as gateway:
            contract = gateway.network(CHANNEL).contract(CHAINCODE)
            async with asyncio.timeout(_RECONCILE_SECONDS):
                for first in range(0, len(keys), 500):
                    part = json.dumps(keys[first : first + 500])
                    while await contract.evaluate("HasPrivate", part, result=json.loads):
                        await asyncio.sleep(1)


async def _certificates_are_known(running: Site) -> None:
    """The authority has every certificate that it has issued, so that it can be revoked."""
    access = running.network._access
    registrar = access.entry("hospital", REGISTRAR)
    caller = Credential(certificate=registrar.identity.certificate, signer=registrar.signer())
    async with access.certificate_authority(
        running.network.topology.organization("hospital")
    ) as authority:
        known = await authority.certificates.list(caller)
    serials = {load_pem_x509_certificate(_bytes(pem)).serial_number for pem in known}
    lost = set(running.load.serials) - serials
    assert not lost, f"the authority does not know {len(lost)} certificates that it has issued"


def _bytes(pem: bytes | str) -> bytes:
    return pem.encode() if isinstance(pem, str) else pem
