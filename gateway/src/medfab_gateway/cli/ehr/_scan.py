"""`medfab ehr scan`: is anything of a patient where it must not be?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medfab_gateway.cli._connection import Connection
from medfab_gateway.cli._live import clear_live_line, show_live_line
from medfab_gateway.cli._output import Output
from medfab_gateway.cli._run import run
from medfab_gateway.cli.ehr._shared import ehr_command, plain

if TYPE_CHECKING:
    from medfab_gateway import Block
    from medfab_gateway.ehr import PhiValue

_file = click.Path(path_type=Path, exists=True, dir_okay=False)


class LeaksFoundError(click.ClickException):
    """Something was found; what and where is printed."""

    exit_code = 1


@click.command()
@click.option("--bundle", "bundles", multiple=True, type=_file, help="A FHIR bundle that is filed.")
@click.option("--canaries", type=_file, help="A file with texts that were planted, one in a line.")
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="Also search this file or folder: gateway logs, a projection's database.",
)
@click.option("--no-blocks", is_flag=True, help="Search files alone.")
@ehr_command
def scan(
    bundles: tuple[Path, ...],
    canaries: Path | None,
    files: tuple[Path, ...],
    no_blocks: bool,
    channel: str,
    label: str | None,
    connection: Connection,
    output: Output,
) -> None:
    """Search blocks, logs and projections for a patient's data.

    Every value of the bundles, and every canary, is searched in all blocks
    of the channel (arguments, events and signatures included), in the logs
    of the network's nodes and contracts, and in each --file: as UTF-8, in
    JSON, UTF-16, hex, base64, and as hashes without salt. Findings name
    places, never values; the exit code is 1 if there is one.

    \b
    Examples:
      medfab ehr scan --bundle bundle.json --org regulator --identity auditor
      medfab ehr scan --bundle bundle.json --file care.sqlite --file gateway.log \\
          --org regulator --identity auditor --json
    """
    from medfab_gateway.ehr import PhiValue, load_bundle, phi_values, scan_blocks, scan_files

    values: list[PhiValue] = []
    for bundle in bundles:
        values += phi_values(load_bundle(bundle.read_bytes()))
    if canaries is not None:
        lines = canaries.read_text(encoding="utf-8", errors="replace").splitlines()
        values += [PhiValue(kind="canary", value=line) for line in map(str.strip, lines) if line]
    if not values:
        raise click.UsageError("Nothing to search for: give --bundle or --canaries.")

    report: dict[str, Any] = {"values": len(values)}
    findings: list[dict[str, Any]] = []
    if not no_blocks:
        show_live_line(f"reading the blocks of {channel}")
        blocks = run(lambda: _read_blocks(connection, label, channel))
        show_live_line(f"searching {len(blocks)} blocks for {len(values)} values")
        in_blocks = scan_blocks(blocks, values)
        report |= {"blocks": in_blocks.blocks, "block_bytes": in_blocks.bytes}
        findings += [
            {**plain(finding), "place": f"block {finding.block_number}"}
            for finding in in_blocks.findings
        ]
    paths = [*_within(connection.directory / "logs")]
    for each in files:
        paths += _within(each)
    show_live_line(f"searching {len(paths)} files")
    in_files = scan_files(paths, values)
    clear_live_line()
    report |= {"files": in_files.files, "file_bytes": in_files.bytes, "cells": in_files.cells}
    findings += [{**plain(finding), "place": finding.path} for finding in in_files.findings]
    report["findings"] = findings if output.as_json else len(findings)
    if findings and not output.as_json:
        output.table(findings, columns=["place", "where", "kind", "encoding"])
    output.details(report)
    if findings:
        raise LeaksFoundError(f"Data of a patient is where it must not be: {len(findings)} times.")


async def _read_blocks(connection: Connection, label: str | None, channel: str) -> list[Block]:
    from fabric_protos.common import ledger_pb2

    async with connection.gateway(label) as gateway:
        network = gateway.network(channel)
        answer = await network.contract("qscc").evaluate("GetChainInfo", channel)
        height = ledger_pb2.BlockchainInfo.FromString(answer).height
        async with network.block_events(start_block=0, stop_block=height - 1) as stream:
            return [block async for block in stream]


def _within(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(each for each in path.rglob("*") if each.is_file())
    return [path] if path.exists() else []
