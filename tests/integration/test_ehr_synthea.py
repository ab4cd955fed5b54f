"""Whole bundles of Synthea: filed sealed, consented, read, and compared value by value."""

from __future__ import annotations

import json
import os
import secrets
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import x25519

from integration.test_ehr import (
    ASKER,
    HOLDER,
    NORMAL,
    SYNTHEA,
    Consortium,
    blocks_of,
    patient_of,
    practitioner_of,
)
from medfab_gateway.ehr import (
    AsyncKeyAgent,
    AsyncPractitioner,
    AsyncProvider,
    DocumentStore,
    FilingKey,
    KeyStore,
    load_bundle,
    phi_values,
    scan_blocks,
    scan_files,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not SYNTHEA.is_dir(), reason=f"{SYNTHEA} is not there"),
]


@pytest.mark.parametrize("pattern", ["Buster*", "Clemente*", "Liz*"])
async def test_a_whole_bundle_comes_back_value_by_value(
    consortium: Consortium, tmp_path: Path, pattern: str
) -> None:
    (path,) = SYNTHEA.glob(pattern)
    bundle = load_bundle(path.read_bytes())
    pseudonym = secrets.token_hex(16)
    patient = await patient_of(consortium, HOLDER, pseudonym)
    await patient.register()
    await consortium.level("care")
    filer = await practitioner_of(consortium, HOLDER)
    filing_key = FilingKey(secrets.token_bytes(32))
    keys = KeyStore(tmp_path / "keys", filing_key)
    documents = DocumentStore(str(tmp_path / "documents"))
    holder_msp = consortium.msp_id(HOLDER)
    provider = AsyncProvider(
        filer,
        msp_id=holder_msp,
        filing_key=filing_key,
        keys=keys,
        documents=documents,
        labels=NORMAL,
    )
    began = time.perf_counter()
    filed = await provider.file_bundle(pseudonym, bundle)
    seconds = time.perf_counter() - began
    assert filed.filed == len(bundle.resources)

    await patient.grant(
        grantee_msp=consortium.msp_id(ASKER),
        purposes=["TREAT"],
        resource_types=sorted({r.labels.resource_type for r in bundle.resources}),
        not_after=datetime.now(UTC) + timedelta(days=1),
    )
    practitioner = AsyncPractitioner(
        await practitioner_of(consortium, ASKER),
        private_key=x25519.X25519PrivateKey.generate(),
        documents=documents,
    )
    permit = await practitioner.request_access(
        pseudonym,
        purpose="TREAT",
        resource_types=sorted({r.labels.resource_type for r in bundle.resources}),
    )
    assert permit.permitted
    await consortium.level("care")
    agent = AsyncKeyAgent(filer, msp_id=holder_msp, keys=keys)
    assert await agent.wrap(pseudonym, permit.request_id)
    result = await practitioner.read(permit, holder_msp=holder_msp)

    original = {(e["resourceType"], e["id"]): e for e in resources_of(path.read_text())}
    read = {(e["resourceType"], e["id"]): e for e in map(parsed, result.resources)}
    assert read.keys() == original.keys()
    for key, resource in original.items():
        assert values_of(read[key]) == values_of(resource), key
    assert result.withheld == 0

    values = phi_values(bundle)
    in_blocks = scan_blocks(await blocks_of(consortium), values)
    assert in_blocks.clean, in_blocks.findings
    logs = [each for each in running_logs(consortium) if each.is_file()]
    in_logs = scan_files([*logs, *documents_in(tmp_path)], values)
    assert in_logs.clean, in_logs.findings
    if report := os.environ.get("EHR_FILING"):
        row = {"bundle": path.stem[:6], "resources": filed.filed, "seconds": round(seconds, 3)}
        with Path(report).open("a") as file:
            file.write(json.dumps(row) + "\n")


def running_logs(consortium: Any) -> list[Path]:
    return sorted(consortium.running_network.logs.iterdir())


def documents_in(folder: Path) -> list[Path]:
    return [each for each in (folder / "documents").rglob("*") if each.is_file()]


def parsed(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def resources_of(text: str) -> list[Any]:
    return [entry["resource"] for entry in parsed(text)["entry"]]


def values_of(node: Any, path: str = "") -> list[tuple[str, object]]:
    """Every value with its path; numbers by their digits: 1.10 is not 1.1."""
    if isinstance(node, dict):
        return [item for name in node for item in values_of(node[name], f"{path}.{name}")]
    if isinstance(node, list):
        each = enumerate(node)
        return [item for index, value in each for item in values_of(value, f"{path}[{index}]")]
    return [(path, str(node) if isinstance(node, Decimal) else node)]
