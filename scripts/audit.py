"""Looks up known vulnerabilities of what the three distributions need, as uv.lock pins it.

    make audit              with every extra; exit status 1 for a vulnerability that is not excepted
    make audit STRICT=1     exit status 1 also for what nobody could be asked about
    make audit OSV=URL      asks that service (OSV's API), for example a mirror within your network

The advisories are those of PyPI, asked for by pip-audit. What it knows nothing of is told as not
audited: no answer is not a good answer. Exceptions, with reasons and dates: audit-exceptions.toml.
pip-audit asks about no Go modules. For those in the Fabric builds there is `govulncheck -mode
binary`, where its database can be reached; `make sbom` lists them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
EXCEPTIONS = ROOT / "audit-exceptions.toml"


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """An advisory that is lived with until a day."""

    id: str
    package: str
    reason: str
    expires: datetime.date


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What there is to tell."""

    audited: int
    not_audited: list[str]
    found: list[str]
    """Vulnerabilities that nobody excepted, and exceptions that are over: one sentence each."""
    excepted: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0] if __doc__ else None)
    parser.add_argument("--strict", action="store_true", help="what is not audited is a failure")
    parser.add_argument("--osv", metavar="URL", help="ask this service in place of PyPI")
    parser.add_argument("--requirements", metavar="FILE", help="audit these in place of uv.lock's")
    parser.add_argument("--exceptions", metavar="FILE", default=EXCEPTIONS, type=Path)
    options = parser.parse_args()
    today = datetime.datetime.now(datetime.UTC).date()
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(options.requirements or pinned(Path(folder)))
        answer = ask(requirements, osv=options.osv)
    if answer is None:
        say("audit: NOT AUDITED: no advisory service answered; nothing is known")
        sys.exit(1 if options.strict else 0)
    result = judge(answer, exemptions(options.exceptions), today)
    for line in result.excepted + result.found:
        say(f"audit: {line}")
    if result.not_audited:
        say(
            f"audit: NOT AUDITED: the service knows nothing of {len(result.not_audited)} of "
            f"{result.audited + len(result.not_audited)} packages: {', '.join(result.not_audited)}"
        )
    say(f"audit: {result.audited} packages audited, {len(result.found)} findings")
    sys.exit(1 if result.found or (options.strict and result.not_audited) else 0)


def pinned(folder: Path) -> Path:
    """Everything that users may get: all distributions, all extras, nothing of development."""
    path = folder / "requirements.txt"
    what = ["--no-default-groups", "--all-packages", "--all-extras", "--no-extra", "go"]
    form = ["--quiet", "--frozen", "--no-emit-workspace", "--output-file", str(path)]
    subprocess.run([str(ROOT / ".uv/bin/uv"), "export", *form, *what], cwd=ROOT, check=True)
    return path


def ask(requirements: Path, *, osv: str | None) -> dict[str, Any] | None:
    """What pip-audit found; None where it reached nobody."""
    service = ["--vulnerability-service", "osv", "--osv-url", osv] if osv else []
    form = ["--format", "json", "--progress-spinner", "off", "--disable-pip", "--no-deps"]
    run = subprocess.run(
        [str(ROOT / ".release/bin/pip-audit"), "-r", str(requirements), *form, *service],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        answer = json.loads(run.stdout)
    except ValueError:
        say(f"audit: {run.stderr.strip().splitlines()[-1] if run.stderr.strip() else 'no answer'}")
        return None
    return answer if isinstance(answer, dict) else None


def judge(answer: dict[str, Any], known: list[Exemption], today: datetime.date) -> Audit:
    """What is found, less what is excepted."""
    packages = answer["dependencies"]
    skipped = sorted(package["name"] for package in packages if "skip_reason" in package)
    found: list[str] = []
    excepted: list[str] = []
    used: set[Exemption] = set()
    for package in packages:
        for advisory in package.get("vulns", ()):
            names = {advisory["id"], *advisory["aliases"]}
            what = f"{package['name']} {package['version']}: {advisory['id']}"
            mended = f"; mended in {', '.join(advisory['fix_versions']) or 'no version yet'}"
            match = next(
                (item for item in known if item.package == package["name"] and item.id in names),
                None,
            )
            if match is not None:
                used.add(match)
            if match is not None and today < match.expires:
                excepted.append(f"{what} is excepted until {match.expires}: {match.reason}")
            elif match is not None:
                found.append(f"{what}: the exception is over since {match.expires}{mended}")
            else:
                found.append(f"{what}{mended}")
    if not skipped:
        found += [
            f"the exception {item.id} is of no use any more" for item in known if item not in used
        ]
    return Audit(
        audited=len(packages) - len(skipped), not_audited=skipped, found=found, excepted=excepted
    )


def exemptions(path: Path) -> list[Exemption]:
    return [Exemption(**item) for item in _table(path)]


def _table(path: Path) -> Iterator[dict[str, Any]]:
    try:
        yield from tomllib.loads(path.read_text("utf-8")).get("exception", [])
    except tomllib.TOMLDecodeError as error:
        sys.exit(f"{path}: {error}")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
