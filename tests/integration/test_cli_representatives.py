"""`medfab ehr representative` on a real network."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import Consortium

pytestmark = pytest.mark.integration

PATIENT = "5e9c0000000000000000000000000a11"
SON = "5e9c0000000000000000000000000b22"


async def medfab(consortium: Consortium, identity: str, *arguments: str) -> Any:
    """What the command prints as JSON, by the hospital's identity; where it fails, its code."""
    where = ["--dir", str(consortium.running_network.directory), "--channel", "care"]
    command = [str(Path(sys.executable).parent / "medfab"), "ehr", *arguments, "--json", *where]

    def call() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, "--org", "hospital", "--identity", identity],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    done = await asyncio.to_thread(call)
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout) if done.returncode == 0 else (done.returncode, done.stderr)


async def test_a_representative_is_appointed_listed_and_ended(consortium: Consortium) -> None:
    patient = await consortium.enrol_user(
        "hospital", role="patient", attributes={"medfab.patient": PATIENT}
    )
    await medfab(consortium, patient, "register")
    options = ["--msp", "HospitalMSP", "--person", SON, "--may", "consent", "--may", "audit"]
    made = await medfab(consortium, patient, "representative", "appoint", *options, "--days", "30")
    (row,) = await medfab(consortium, patient, "representative", "list")
    assert row["appointment_id"] == made["appointment_id"]
    assert (row["person"], row["scope"]) == (SON, ["consent", "audit"])
    ended = await medfab(consortium, patient, "representative", "end", made["appointment_id"])
    assert ended == {"ended": made["appointment_id"]}
    code, told = await medfab(consortium, patient, "representative", "end", made["appointment_id"])
    assert (code, "ended already" in told) == (6, True)
    code, told = await medfab(
        consortium, patient, "representative", "appoint", *options[:2], "--days", "30"
    )
    assert (code, "--person" in told) == (2, True)
