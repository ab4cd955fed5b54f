"""A day in the life of an administrator, with `medfab` alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.admin_help import CHAINCODE, Done, document, in_process, larger_topology
from integration.conftest import on_free_ports

pytestmark = pytest.mark.integration


class Day:
    """`medfab` in a folder, as somebody sits there and types."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self,
        command: str,
        *more: str,
        code: int = 0,
        org: str = "hospital",
        identity: str = "admin",
    ) -> Done:
        settings = {
            "MEDFAB_DIR": str(self.folder / ".medfab"),
            "MEDFAB_CHANNEL": "care",
            "MEDFAB_ORG": org,
            "MEDFAB_IDENTITY": identity,
            "PYTHONPATH": str(Path(__file__).parent),  # for the contract's processes
        }
        words = [word.replace("FOLDER", str(self.folder)) for word in (*command.split(), *more)]
        done = in_process(words, settings)
        assert done.code == code, (command, more, done.stdout, done.stderr)
        return done

    def json(self, command: str, *, org: str = "hospital", identity: str = "admin") -> Any:
        done = self(f"{command} --json", org=org, identity=identity)
        return json.loads(done.stdout)

    def write_topology(self, name: str, content: dict[str, Any]) -> None:
        (self.folder / name).write_text(yaml.safe_dump(content))


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    day = Day(tmp_path)
    base_port = on_free_ports(larger_topology()).base_port
    small = document() | {"base_port": base_port, "ordering": {"name": "orderer"}}
    large = document(pharmacy=True) | {"ordering": {"name": "orderer"}}
    day.write_topology("bare.yaml", {**small, "chaincodes": []})
    day.write_topology("small.yaml", small)
    day.write_topology("large.yaml", large)
    try:
        yield day
    finally:
        day("network clean --yes")


@pytest.mark.usefixtures("binaries")
def test_a_day(day: Day) -> None:
    """Enrol, channel, deploy, upgrade, add an organisation, revoke, renew."""
    # Enrol: a consortium without a contract; a colleague gets a certificate.
    day("network up --topology FOLDER/bare.yaml")
    day("ca register auditor --secret-file FOLDER/secret")
    day("ca enroll auditor --secret-file FOLDER/secret")
    labels = {row["label"] for row in day.json("wallet list")}
    assert labels >= {"admin", "auditor", "registrar"}

    # Channel: who is there; an access rule that both have to sign.
    assert [row["channel"] for row in day.json("channel list")] == ["care"]
    update = "FOLDER/update.pb"
    day(f"channel edit acl qscc/GetBlockByHash Admins --out {update}")
    day(f"channel update submit {update}", code=3)
    day(f"channel update sign {update}", org="clinic")
    day(f"channel update submit {update}", org="clinic")

    # Deploy.
    assert day.json("chaincode list") == []
    day("network up --topology FOLDER/small.yaml")
    found = day.json(f"chaincode query {CHAINCODE}", org="clinic")
    assert (found["version"], found["sequence"]) == ("1.0", 1)
    day(f"contract submit {CHAINCODE} MoveAsset bed-1 ward-1", identity="auditor")

    # Upgrade: from now on any one of the two endorses.
    package = day.json("chaincode installed")[0]["package_id"]
    policy = ("--policy", "OR('HospitalMSP.peer', 'ClinicMSP.peer')")
    terms = f"{CHAINCODE} --version 1.1"
    day(f"chaincode approve {terms} --package-id {package}", *policy)
    refused = day(f"chaincode commit {terms}", *policy, code=6)
    assert "no majority" in refused.stderr
    day(f"chaincode approve {terms} --package-id {package}", *policy, org="clinic")
    day(f"chaincode commit {terms}", *policy, org="clinic")
    found = day.json(f"chaincode query {CHAINCODE}")
    assert (found["version"], found["sequence"]) == ("1.1", 2)
    day(
        f"contract submit {CHAINCODE} MoveAsset bed-1 ward-2 --endorser HospitalMSP",
        identity="auditor",
    )

    # Add an organisation.
    day("org add pharmacy2 --topology FOLDER/large.yaml")
    members = {row["msp_id"] for row in day.json("org list", org="pharmacy2")}
    assert members == {"HospitalMSP", "ClinicMSP", "Pharmacy2MSP", "OrdererMSP"}
    read = f"contract evaluate {CHAINCODE} ReadAsset bed-1"
    assert day.json(read, org="pharmacy2")["result"]["ward"] == "ward-2"

    # Revoke: the colleague has left.
    day(read, identity="auditor")
    day("ca revoke auditor --channel care --yes --reason cessationofoperation")
    day(read, identity="auditor", code=3)

    # Renew: the administrator's own certificate, over a new key.
    before = day.json("wallet show admin")["serial_number"]
    day("ca renew admin")
    assert day.json("wallet show admin")["serial_number"] != before
    day("channel info")
    assert all(row["health"] == "healthy" for row in day.json("network status"))
