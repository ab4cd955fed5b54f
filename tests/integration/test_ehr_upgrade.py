"""A running network upgrades from the first slice's contract: its records stay readable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import on_free_ports
from integration.network_help import CHAINCODE, CHANNEL, consortium
from medfab_gateway import AsyncContract
from medfab_gateway._retry_options import RetryOptions
from medfab_network import Network, Topology, User, parse_topology
from unit.chaincode.ehr_ledger import HOSPITAL, PATIENT, ask

pytestmark = pytest.mark.integration

FIRST = Path(__file__).parents[1] / "unit/chaincode/ehr_first_slice.json"
FAR = 4_000_000_000_000
ASKER = User(
    name="asker",
    attributes={"medfab.role": "practitioner", "medfab.practitioner": "dr-cole"},
)
OWNER = User(name="owner", attributes={"medfab.role": "patient", "medfab.patient": PATIENT})
RETRY = RetryOptions(different_answers=True, chaincode_codes=frozenset({"NOT_PERMITTED"}))


def with_contract(topology: Topology, contract: str, version: str) -> Topology:
    (chaincode,) = topology.source["chaincodes"]
    changed = {**chaincode, "contract": contract, "version": version}
    return parse_topology({**topology.source, "chaincodes": [changed]})


def in_force(values: dict[str, str]) -> dict[str, str]:
    """The same terms, with an end that is still to come."""
    found: dict[str, Any] = {key: json.loads(value) for key, value in values.items()}
    for value in found.values():
        if value.get("not_after"):
            value["not_after"] = FAR
    return {key: json.dumps(value) for key, value in found.items()}


async def test_what_the_first_slice_kept_is_read_after_the_upgrade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # of the contract of before
    topology = on_free_ports(consortium())
    before = with_contract(topology, "first_slice_contract:FirstSlice", "0.1")
    first = json.loads(FIRST.read_text())
    network = Network(tmp_path / "net", before)
    try:
        await network.up()
        await network.enrol_user("clinic", ASKER)
        await network.enrol_user("hospital", OWNER)
        async with network.gateway("hospital") as gateway:
            contract = gateway.network(CHANNEL).contract(CHAINCODE)
            await put(contract, "", first["state"])
            await put(contract, "consents", in_force(first["private"]["consents"]))
            own = f"_implicit_org_{HOSPITAL}"
            await put(contract, own, first["private"][own], endorsers=[HOSPITAL])

        after = with_contract(topology, "medfab_chaincode.ehr:EhrContract", "1.0")
        network = Network(network.directory, after)
        await network.up()
        async with network.gateway("clinic", ASKER.name) as gateway:
            asker = gateway.network(CHANNEL).contract(CHAINCODE)
            transient = {"request": json.dumps(ask()).encode()}
            answer = json.loads(
                await asker.submit("RequestAccess", PATIENT, transient=transient, retry=RETRY)
            )
            assert answer["decision"] == "permit"
            args = (PATIENT, answer["request_id"], HOSPITAL)
            released = json.loads(
                await asker.evaluate(
                    "ReadRecords", *args, target_organizations=[HOSPITAL], retry=RETRY
                )
            )
        assert sorted(each["resource"] for each in released["records"]) == [
            '{"id":"lab"}', '{"id":"report"}',
        ]  # fmt: skip
        async with network.gateway("hospital", OWNER.name) as gateway:
            owner = gateway.network(CHANNEL).contract(CHAINCODE)
            assert len(json.loads(await owner.evaluate("ListConsents"))) == 3
            assert len(json.loads(await owner.evaluate("ListAccess"))) == 3
            await owner.submit("RevokeConsent", first["consent"], retry=RETRY)
    finally:
        await network.clean()


async def put(
    contract: AsyncContract,
    collection: str,
    values: dict[str, str],
    *,
    endorsers: list[str] | None = None,
) -> None:
    transient = {"values": json.dumps(values).encode()}
    await contract.submit(
        "Put", collection, transient=transient, endorsing_organizations=endorsers, retry=RETRY
    )
