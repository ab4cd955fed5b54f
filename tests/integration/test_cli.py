"""The commands on the real network: what they print, for people and for programs, and their codes.

Each command is a process of its own, as for users.
"""

from __future__ import annotations

import json
import os
import pty
import secrets
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integration.conftest import Consortium
from medfab_gateway.wallet import FileSystemWallet

pytestmark = pytest.mark.integration

MEDFAB = Path(sys.executable).parent / "medfab"
LONGEST = 60.0


@dataclass
class Command:
    """`medfab` in the network's directory, for one organisation."""

    directory: Path
    organization: str = "hospital"
    extra: dict[str, str] = field(default_factory=dict)

    def __call__(
        self, *arguments: str, stdin: str = "", code: int = 0
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(MEDFAB), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            env=self.environment(),
            check=False,
        )
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        if code:
            assert done.stderr.strip()
        return done

    def json(self, *arguments: str, code: int = 0) -> object:
        return json.loads(self(*arguments, "--json", code=code).stdout)

    def environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("MEDFAB_")}
        return {
            **inherited,
            "MEDFAB_DIR": str(self.directory),
            "MEDFAB_ORG": self.organization,
            "MEDFAB_CHANNEL": "care",
            **self.extra,
        }


@pytest.fixture
def medfab(consortium: Consortium) -> Command:
    return Command(consortium.running_network.directory)


@dataclass
class Patient:
    """A patient, registered and enrolled with the command alone."""

    label: str
    pseudonym: str


@pytest.fixture
def patient(medfab: Command, tmp_path: Path) -> Patient:
    pseudonym = secrets.token_hex(16)
    label = f"patient-{pseudonym}"
    secret = str(tmp_path / "patient.secret")
    medfab(
        *("ca", "register", label, "--secret-file", secret),
        *("--attribute", "medfab.role=patient", "--attribute", f"medfab.patient={pseudonym}"),
    )
    medfab("ca", "enroll", label, "--secret-file", secret)
    return Patient(label, pseudonym)


def test_a_patient_from_registration_to_audit(
    medfab: Command, patient: Patient, tmp_path: Path
) -> None:
    """register → enroll → submit → evaluate → events, all of it by commands."""
    me = ("--identity", patient.label)
    submitted = medfab("contract", "submit", "ehr", "RegisterPatient", *me)
    assert submitted.stdout == "null\n"
    assert submitted.stderr.startswith("Committed in block ")

    again = medfab("contract", "submit", "ehr", "RegisterPatient", *me, code=6)
    assert "ALREADY_REGISTERED" in again.stderr

    until = datetime.now(UTC) + timedelta(days=1)
    terms = tmp_path / "consent.json"
    terms.write_text(
        json.dumps(
            {
                "type": "permit",
                "rule": {
                    "recipients": [{"msp_id": "ClinicMSP"}],
                    "purposes": ["TREAT"],
                    "categories": ["laboratory"],
                    "not_after": int(until.timestamp() * 1000),
                },
                "salt": secrets.token_hex(16),
            }
        )
    )
    granted = medfab.json(
        "contract", "submit", "ehr", "GrantConsent", *me, "--transient", f"consent={terms}"
    )
    assert isinstance(granted, dict)
    assert set(granted) == {"result", "result_base64", "transaction_id", "block_number"}
    assert granted["result"] == {"consent_id": granted["transaction_id"], "version": 1}

    listed = medfab.json("contract", "evaluate", "ehr", "ListConsents", *me)
    assert isinstance(listed, dict)
    assert set(listed) == {"result", "result_base64"}
    assert [c["consent_id"] for c in listed["result"]] == [granted["transaction_id"]]
    for_people = medfab("contract", "evaluate", "ehr", "ListConsents", *me).stdout
    assert json.loads(for_people) == listed["result"]
    assert '\n    "status": "active"' in for_people

    revoke = ("contract", "submit", "ehr", "RevokeConsent")
    missing = medfab(*revoke, "0" * 64, *me, code=4)
    assert "NOT_FOUND" in missing.stderr
    medfab(*revoke, granted["transaction_id"], *me)

    block = str(granted["block_number"])
    rows = medfab("events", *me, "--from", block, "--to", block, "--json").stdout.splitlines()
    row = next(r for r in map(json.loads, rows) if r["function"] == "ehr.GrantConsent")
    assert row["transaction_id"] == granted["transaction_id"]
    assert (row["block"], row["validation_code"]) == (granted["block_number"], "VALID")
    assert row["creator"] == "HospitalMSP"
    assert set(row) == {
        "block", "transaction_id", "type", "validation_code", "timestamp", "creator", "function",
        "endorsers", "event",
    }  # fmt: skip
    table = medfab("events", *me, "--from", block, "--to", block).stdout.splitlines()
    assert table[0].split() == ["block", "time", "outcome", "function", "by", "transaction"]
    assert f"ehr.GrantConsent              HospitalMSP     {granted['transaction_id']}" in table[1]
    filtered = medfab("events", *me, "--from", block, "--to", block, "--filtered").stdout
    assert granted["transaction_id"] in filtered


def test_the_transient_file_may_be_standard_input(medfab: Command, patient: Patient) -> None:
    me = ("--identity", patient.label)
    medfab("contract", "submit", "ehr", "RegisterPatient", *me)
    refused = medfab(
        *("contract", "submit", "ehr", "GrantConsent", *me, "--transient", "consent=-"),
        stdin='{"not": "Hernandez"}',
        code=3,
    )
    assert "INVALID_ARGUMENT" in refused.stderr
    assert "Hernandez" not in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["contract", "evaluate", "ehr", "Nope"], 4, "UNKNOWN_FUNCTION"),
        (["contract", "evaluate", "nope", "ListAccess"], 4, "chaincode nope"),
        (["contract", "evaluate", "ehr", "ListAccess", "--channel", "nope"], 4, "channel nope"),
        (["contract", "submit", "nope", "ListAccess"], 4, "chaincode nope"),
        (["contract", "submit", "ehr", "RegisterPatient", "--channel", "nope"], 4, "channel nope"),
        (["contract", "submit", "ehr", "RegisterPatient", "--endorser", "NopeMSP"], 4, "NopeMSP"),
        (["contract", "evaluate", "ehr", "ListAccess", "--target", "NopeMSP"], 4, "organisation"),
        (["contract", "submit", "ehr", "RegisterPatient"], 3, "ACCESS_DENIED"),
        (["events", "--channel", "nope", "--from", "0"], 4, "channel nope"),
    ],
)
def test_what_the_network_says_no_to(
    medfab: Command, arguments: Sequence[str], code: int, told: str
) -> None:
    failed = medfab(*arguments, "--identity", "practitioner", code=code)
    assert told in failed.stderr
    assert failed.stdout.count("\n") <= 1  # at most the heading of a table


def test_secrets(medfab: Command, tmp_path: Path) -> None:
    """By environment, by file, by standard input; a wrong one, and an id that is taken."""
    chosen = secrets.token_urlsafe(12)
    by_environment = Command(medfab.directory, extra={"MEDFAB_SECRET": chosen})
    names = [f"user-{secrets.token_hex(4)}" for _ in range(2)]
    by_environment("ca", "register", names[0])
    done = by_environment("ca", "enroll", names[0])
    assert chosen not in done.stdout + done.stderr

    file = tmp_path / "made.secret"
    registered = medfab.json("ca", "register", names[1], "--secret-file", str(file))
    assert registered == {"enrollment_id": names[1], "secret_file": str(file)}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text().strip()) >= 24
    enrolled = subprocess.run(
        [str(MEDFAB), "ca", "enroll", names[1], "--secret-file", "-", "--json"],
        input=file.read_text(), capture_output=True, text=True, timeout=LONGEST,
        env=medfab.environment(), check=True,
    )  # fmt: skip
    assert json.loads(enrolled.stdout) == {
        "enrollment_id": names[1],
        "label": names[1],
        "wallet": str(medfab.directory / "organizations" / "hospital" / "wallet"),
    }
    assert file.read_text().strip() not in enrolled.stdout + enrolled.stderr

    taken = medfab("ca", "enroll", names[1], "--secret-file", str(file), code=6)
    assert "--replace" in taken.stderr
    before = wallet(medfab).get(names[1]).identity
    medfab("ca", "enroll", names[1], "--secret-file", str(file), "--replace")
    assert wallet(medfab).get(names[1]).identity != before

    wrong = Command(medfab.directory, extra={"MEDFAB_SECRET": "wrong-secret"})
    refused = wrong("ca", "enroll", names[1], "--replace", code=3)
    assert "wrong-secret" not in refused.stderr
    other = tmp_path / "other.secret"
    doubled = medfab("ca", "register", names[1], "--secret-file", str(other), code=6)
    assert "choose another id" in doubled.stderr
    assert not other.exists()  # a secret of nobody
    forbidden = medfab(
        *("ca", "register", "x", "--registrar", "practitioner", "--secret-file", str(other)),
        code=3,
    )
    assert "practitioner" not in forbidden.stdout
    assert not other.exists()


def test_a_secret_at_the_prompt_is_not_echoed(medfab: Command, tmp_path: Path) -> None:
    name = f"user-{secrets.token_hex(4)}"
    file = tmp_path / "secret"
    medfab("ca", "register", name, "--secret-file", str(file))
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [str(MEDFAB), "ca", "enroll", name],
        stdin=terminal, stdout=terminal, stderr=terminal,
        env=medfab.environment(), start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    output = os.read(controller, 4096)
    assert f"Secret of {name}".encode() in output
    os.write(controller, file.read_bytes())
    while chunk := read(controller):
        output += chunk
    os.close(controller)
    assert process.wait(LONGEST) == 0, output
    assert file.read_bytes().strip() not in output
    assert name in wallet(medfab).list()


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other side is closed
        return b""


def wallet(medfab: Command) -> FileSystemWallet:
    return FileSystemWallet(medfab.directory / "organizations" / "hospital" / "wallet")


def test_the_wallet(medfab: Command, patient: Patient) -> None:
    rows = medfab.json("wallet", "list")
    assert isinstance(rows, list)
    row = next(row for row in rows if row["label"] == patient.label)
    assert row["attributes"]["medfab.patient"] == patient.pseudonym
    assert row["roles"] == ["client"]
    assert row["expired"] is False
    shown = medfab("wallet", "show", patient.label).stdout
    assert "BEGIN CERTIFICATE" in shown
    assert "PRIVATE" not in shown


def test_status_and_logs(medfab: Command) -> None:
    nodes = medfab.json("network", "status")
    assert isinstance(nodes, list)
    assert {node["health"] for node in nodes} == {"healthy"}
    assert set(nodes[0]) == {
        "node", "kind", "organization", "pid", "port", "health", "ledger_heights",
        "disk_free", "disk_free_bytes", "disk_total_bytes", "disk_is_low",
    }  # fmt: skip
    with_disk = {node["kind"] for node in nodes if node["disk_free_bytes"]}
    assert with_disk == {"ca", "orderer", "peer"}
    table = medfab("network", "status").stdout.splitlines()
    assert len(table) == 1 + len(nodes)

    logs = medfab.json("network", "logs")
    assert isinstance(logs, list)
    assert {log["node"] for log in logs} == {node["node"] for node in nodes}
    assert "peer0.clinic" in medfab("network", "logs").stdout
    tail = medfab.json("network", "logs", "peer0.clinic", "--lines", "3")
    assert isinstance(tail, dict)
    assert len(tail["lines"]) == 3
    unknown = medfab("network", "logs", "nope", code=4)
    assert "peer0.clinic" in unknown.stderr


def test_up_of_a_network_that_is_up(medfab: Command) -> None:
    report = medfab.json("network", "up")
    assert isinstance(report, dict)
    assert report["started"] == []
    assert report["lost"] == []
    assert set(report) == {"directory", "started", "lost", "seconds", "total_seconds"}
    assert medfab("network", "up").stdout == "The network was up already.\n"
