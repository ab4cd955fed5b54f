"""Writes bills of materials (CycloneDX 1.6, JSON) into dist/, and checks them with its schema.

    make sbom

`medfab-VERSION.cdx.json` holds the three distributions with every extra at the versions of uv.lock,
read from an environment into which the wheels in dist/ are installed. `fabric-VERSION.cdx.json` and
`fabric-ca-VERSION.cdx.json` hold the Go modules that are linked into the programs that a network
starts, read from the programs themselves.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scripts.inventory import ROOT, Component, fabric_builds, install_runtime
from scripts.version import current

DIST: Path = ROOT / "dist"
_VALIDATE = """
import sys
from pathlib import Path
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

for name in sys.argv[1:]:
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(Path(name).read_text("utf-8"))
    if error is not None:
        sys.exit(f"{name}: {error}")
"""


def main() -> None:
    if not list(DIST.glob("medfab_*.whl")):
        subprocess.run([ROOT / "scripts" / "dist", DIST], check=True)
    written = [python_bill()]
    for (name, version), components in fabric_builds().items():
        path = DIST / f"{name}-{version}.cdx.json"
        path.write_text(json.dumps(go_bill(name, version, components), indent=1) + "\n", "utf-8")
        written.append(path)
    validate(written)
    for path in written:
        count = len(json.loads(path.read_text("utf-8"))["components"])
        sys.stdout.write(f"{path.relative_to(ROOT)}: {count} components, valid\n")


def python_bill() -> Path:
    python = install_runtime(DIST)
    path = DIST / f"medfab-{current()}.cdx.json"
    commit = ["git", "log", "-1", "--format=%ct"]
    time = subprocess.run(commit, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    subprocess.run(
        [
            *(ROOT / ".release/bin/cyclonedx-py", "environment", "--output-reproducible"),
            *("--spec-version", "1.6", "--pyproject", "pyproject.toml", "--output-file", path),
            python,
        ],
        cwd=ROOT,
        env={**os.environ, "SOURCE_DATE_EPOCH": time.strip()},
        check=True,
    )
    return path


def go_bill(name: str, version: str, components: Sequence[Component]) -> dict[str, Any]:
    """The document for one build; modules by name, so that the same build gives the same bytes."""
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": name, "version": version},
        },
        "components": [_entry(component) for component in components],
    }


def _entry(component: Component) -> dict[str, Any]:
    purl = f"pkg:golang/{quote(component.name)}@{quote(component.version)}"
    entry: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": component.name,
        "version": component.version,
        "purl": purl,
    }
    if " " not in component.licence:
        entry["licenses"] = [{"license": {"id": component.licence}}]
    elif " AND " in component.licence:
        entry["licenses"] = [{"expression": component.licence}]
    if component.checksum:
        entry["properties"] = [{"name": "go:sum", "value": component.checksum}]
    return entry


def validate(paths: Sequence[Path]) -> None:
    done = subprocess.run(
        [ROOT / ".release/bin/python", "-c", _VALIDATE, *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)


if __name__ == "__main__":
    main()
