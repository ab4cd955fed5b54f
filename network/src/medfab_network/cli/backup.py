"""`medfab network backup` and `medfab network restore`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from medfab_gateway.cli import Output, pass_output, run
from medfab_network._backup import BackupReport
from medfab_network._restore import RestoreReport
from medfab_network._sealed import Secret
from medfab_network.cli._progress import ConsoleProgress
from medfab_network.cli.network import bin_dir_option, directory_option, existing
from medfab_network.network import Network

_F = TypeVar("_F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)


def _secret_options(function: _F) -> _F:
    """Files, never values: a command line can be read by everybody on the machine."""
    key = click.option("--key-file", type=_FILE, help="32 random bytes or more; only yours (0600).")
    passphrase = click.option(
        "--passphrase-file", type=_FILE, help="A passphrase in one line; only yours (0600)."
    )
    return key(passphrase(function))


def _secret(key_file: Path | None, passphrase_file: Path | None) -> Secret:
    if (key_file is None) == (passphrase_file is None):
        raise click.UsageError("Give either --key-file or --passphrase-file.")
    return Secret.from_files(key_file, passphrase_file)


@click.command()
@directory_option
@bin_dir_option
@click.option("--org", "organization", required=True, help="Whose backup.")
@click.option("--to", "target", type=_FILE, required=True, help="The archive; must not be there.")
@_secret_options
@pass_output
def backup(
    directory: Path,
    bin_dir: Path | None,
    organization: str,
    target: Path,
    key_file: Path | None,
    passphrase_file: Path | None,
    output: Output,
) -> None:
    """Write a sealed copy of all that an organisation has.

    Its certificate authority with keys, its wallets and certificates, and its
    peers' ledgers with private data. Private keys and patients' data are in
    it: it is encrypted, and worth as much care as the machines themselves.

    The channel goes on. Each peer is down while its ledger is copied; with two
    of them, one after the other, clients see nothing. Orderers' ledgers are
    left out: a lost orderer joins anew. See docs/disaster-recovery.md.

    \b
    Example:
      (umask 077; head -c 32 /dev/urandom > backup.key)
      medfab network backup --org hospital --to hospital.backup \\
          --key-file backup.key
    """
    network = existing(directory, progress=ConsoleProgress(), bin_dir=bin_dir)

    async def work() -> BackupReport:
        secret = _secret(key_file, passphrase_file)
        return await network.backup(organization, target, secret)

    report = run(work)
    if output.as_json:
        output.json(
            {
                "organization": report.organization,
                "file": str(report.file),
                "bytes": report.bytes,
                "files": report.files,
                "heights": report.heights,
                "seconds_down": report.seconds_down,
            }
        )
        return
    output.line(f"{report.file} has {report.files} files of {organization}, {report.bytes} bytes.")
    for peer, seconds in report.seconds_down.items():
        blocks = ", ".join(f"{n} blocks of {c}" for c, n in report.heights[peer].items())
        output.line(f"{peer} was down for {seconds:.1f} s, with {blocks}.")


@click.command()
@click.argument("archive", type=_FILE)
@directory_option
@bin_dir_option
@_secret_options
@click.option("--files-only", is_flag=True, help="Put its files into place, and start nothing.")
@pass_output
def restore(
    archive: Path,
    directory: Path,
    bin_dir: Path | None,
    key_file: Path | None,
    passphrase_file: Path | None,
    files_only: bool,
    output: Output,
) -> None:
    """Bring an organisation back from ARCHIVE, to where nothing of it is.

    All of the archive is verified before anything is written. Then its peers
    catch up from the channel, with the private data that other members have;
    what the organisation alone had is named as lost. Its certificate
    authority learns what was revoked meanwhile before it starts.

    \b
    Example:
      medfab network restore hospital.backup --key-file backup.key
    """
    network = Network(directory, progress=ConsoleProgress(), bin_dir=bin_dir)

    async def work() -> RestoreReport:
        secret = _secret(key_file, passphrase_file)
        return await network.restore(archive, secret, files_only=files_only)

    _show(run(work), output, files_only=files_only)


def _show(report: RestoreReport, output: Output, *, files_only: bool) -> None:
    if output.as_json:
        output.json(
            {
                "organization": report.organization,
                "made": report.made,
                "heights": report.heights,
                "lost": [asdict(each) for each in report.lost],
                "revoked_certificates": report.revocations.certificates,
                "revoked_identities": report.revocations.identities,
                "seconds": report.seconds,
            }
        )
        return
    output.line(f"{report.organization} is as it was at {report.made}.")
    if files_only:
        output.line("Nothing was started: `medfab network up` does.")
        return
    for peer, channels in report.heights.items():
        for channel, (before, now) in channels.items():
            output.line(f"{peer} had {before} blocks of {channel}, and has caught up to {now}.")
    for each in report.lost:
        output.line(
            f"Lost: {each.transactions} transactions after the backup wrote to {each.collection} "
            f"of {each.chaincode} on {each.channel}; nobody else has what they wrote."
        )
    merged = report.revocations
    if merged.certificates:
        output.line(
            f"Revoked after the backup, and revoked again: {len(merged.certificates)} certificates"
            + (
                f"; may enrol no more: {', '.join(merged.identities)}."
                if merged.identities
                else "."
            )
        )
    output.line(f"It took {report.seconds:.1f} s.")
