"""Definitions, collections and packages of the chaincodes of a topology."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from medfab_gateway.errors import CommitError
from medfab_network._deploy import (
    _repeated,
    chaincode_package_id,
    collections,
    definition,
    majority_of_custodians,
    package,
    policy,
    write_connection,
)
from medfab_network._layout import Layout
from medfab_network.topology import Topology, parse_topology

MEMBERS = ["hospital", "clinic", "regulator", "insurer", "lab"]


def topology(custodians: list[str], *names: str, **more: Any) -> Topology:
    chaincode: dict[str, Any] = {
        "name": "ehr",
        "channel": "care",
        "version": "1.0",
        "contract": "module:Contract",
    }
    if custodians:
        chaincode |= {"custodians": custodians, "collections": list(names)}
    chaincode |= more
    return parse_topology(
        {
            "ordering": {},
            "organizations": [{"name": n, "msp_id": f"{n.title()}MSP"} for n in MEMBERS],
            "channels": [{"name": "care", "organizations": MEMBERS}],
            "chaincodes": [chaincode],
        }
    )


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "OutOf(1, 'HospitalMSP.peer')"),
        (2, "OutOf(2, 'HospitalMSP.peer', 'ClinicMSP.peer')"),
        (3, "OutOf(2, 'HospitalMSP.peer', 'ClinicMSP.peer', 'RegulatorMSP.peer')"),
        (
            4,
            "OutOf(3, 'HospitalMSP.peer', 'ClinicMSP.peer', 'RegulatorMSP.peer', "
            "'InsurerMSP.peer')",
        ),
    ],
)
def test_a_majority_of_the_custodians_endorses(count: int, text: str) -> None:
    consortium = topology(MEMBERS[:count], "consents")
    (chaincode,) = consortium.chaincodes
    assert policy(chaincode, consortium) == text


def test_without_custodians_the_channel_decides() -> None:
    consortium = topology([])
    (chaincode,) = consortium.chaincodes
    assert policy(chaincode, consortium) == "/Channel/Application/Endorsement"
    assert collections(chaincode, consortium) == []
    assert definition(chaincode, consortium, 1).sequence == 1


def test_a_witness_endorses_beside_another_member() -> None:
    consortium = topology([], witnesses=["regulator"])
    (chaincode,) = consortium.chaincodes
    assert policy(chaincode, consortium) == (
        "AND(OR('RegulatorMSP.peer'), "
        "OR('HospitalMSP.peer', 'ClinicMSP.peer', 'InsurerMSP.peer', 'LabMSP.peer'))"
    )


def test_every_two_partners_share_a_collection_that_both_endorse() -> None:
    consortium = topology([], pairwise={"trade": ["lab", "clinic", "hospital"]})
    (chaincode,) = consortium.chaincodes
    first, second, third = collections(chaincode, consortium)
    assert [first["name"], second["name"], third["name"]] == [
        "trade-ClinicMSP-LabMSP",
        "trade-HospitalMSP-LabMSP",
        "trade-ClinicMSP-HospitalMSP",
    ]
    assert first["policy"] == "OR('LabMSP.member', 'ClinicMSP.member')"
    assert first["endorsementPolicy"] == {"signaturePolicy": "AND('LabMSP.peer', 'ClinicMSP.peer')"}
    assert first["memberOnlyRead"]
    assert first["memberOnlyWrite"]
    assert (first["requiredPeerCount"], first["maxPeerCount"]) == (1, 1)


def test_collections_belong_to_the_custodians_alone() -> None:
    consortium = topology(MEMBERS[:3], "consents", "notes")
    (chaincode,) = consortium.chaincodes
    first, second = collections(chaincode, consortium)
    assert (first["name"], second["name"]) == ("consents", "notes")
    assert first["policy"] == "OR('HospitalMSP.member', 'ClinicMSP.member', 'RegulatorMSP.member')"
    assert (first["requiredPeerCount"], first["maxPeerCount"]) == (1, 2)
    assert first["memberOnlyRead"]
    assert first["memberOnlyWrite"]
    assert first["blockToLive"] == 0
    assert first["endorsementPolicy"] == {
        "signaturePolicy": majority_of_custodians(chaincode, consortium)
    }


def test_copies_of_private_data_are_asked_of_whichever_members() -> None:
    def of(custodians: list[str], copies: dict[str, int]) -> tuple[int, int]:
        source = topology(custodians, "consents").source
        organizations = [
            {**each, "peers": 3, "private_data_copies": copies.get(each["name"], 0)}
            for each in source["organizations"]
        ]
        consortium = parse_topology({**source, "organizations": organizations})
        (collection,) = collections(consortium.chaincodes[0], consortium)
        return collection["requiredPeerCount"], collection["maxPeerCount"]

    assert of(["hospital"], {"hospital": 1}) == (1, 1)
    assert of(["hospital"], {"hospital": 2}) == (2, 2)
    assert of(["hospital", "clinic"], {"hospital": 1, "clinic": 1}) == (1, 3)
    assert of(["hospital", "clinic"], {"hospital": 2}) == (2, 3)
    assert of(["hospital", "clinic"], {"lab": 2}) == (1, 1)


def test_a_single_custodian_has_nobody_to_give_the_data_to() -> None:
    consortium = topology(MEMBERS[:1], "consents")
    (collection,) = collections(consortium.chaincodes[0], consortium)
    assert (collection["requiredPeerCount"], collection["maxPeerCount"]) == (0, 0)


def test_definitions_differ_by_what_the_organisations_agree_on() -> None:
    consortium = topology(MEMBERS[:3], "consents")
    (chaincode,) = consortium.chaincodes
    same = definition(chaincode, consortium, 1)
    assert same == definition(chaincode, consortium, 1)
    assert same != definition(chaincode, consortium, 2)
    other = topology(MEMBERS[:3], "consents", "notes")
    assert same != definition(other.chaincodes[0], other, 1)
    less = topology(MEMBERS[:2], "consents")
    assert same != definition(less.chaincodes[0], less, 1)


def test_the_package_holds_no_address_and_no_key() -> None:
    consortium = topology(MEMBERS[:3], "consents")
    (chaincode,) = consortium.chaincodes
    moved = consortium.with_base_port(40000).chaincodes[0]
    assert package(chaincode) == package(moved)
    assert chaincode_package_id(chaincode).startswith("ehr_1.0:")
    with tarfile.open(fileobj=io.BytesIO(package(chaincode))) as archive:
        names = archive.getnames()
        metadata = archive.extractfile("metadata.json")
        assert metadata is not None
        assert json.loads(metadata.read()) == {"type": "ccaas", "label": "ehr_1.0"}
        code = archive.extractfile("code.tar.gz")
        assert code is not None
        with tarfile.open(fileobj=io.BytesIO(code.read())) as inner:
            assert inner.getnames() == []
    assert sorted(names) == ["code.tar.gz", "metadata.json"]


def test_the_connection_is_for_the_organisations_own_peer(tmp_path: Path) -> None:
    consortium = topology(MEMBERS[:3], "consents")
    (chaincode,) = consortium.chaincodes
    layout = Layout(tmp_path)
    node = chaincode.nodes[1]
    tls = layout.tls("clinic", node.name)
    tls.mkdir(parents=True)
    for name in ("key", "cert", "ca"):
        (tls / f"{name}.pem").write_text(name)
    write_connection(node, chaincode, layout)
    path = layout.connections("clinic") / "ehr_1.0.json"
    assert path.stat().st_mode & 0o777 == 0o600
    connection = json.loads(path.read_text())
    assert connection["address"] == node.address
    assert connection["tls_required"] is True
    assert connection["client_auth_required"] is True
    assert (connection["client_key"], connection["client_cert"]) == ("key", "cert")
    assert connection["root_cert"] == "ca"


def conflict(code: str = "MVCC_READ_CONFLICT") -> CommitError:
    return CommitError(code=code, transaction_id="1", block_number=2)


async def test_a_transaction_of_an_earlier_run_may_get_in_the_way() -> None:
    outcomes = [conflict(), conflict()]

    async def call() -> bool:
        if outcomes:
            raise outcomes.pop()
        return False

    await _repeated(call)
    assert outcomes == []


async def test_a_lasting_refusal_is_raised_as_it_is() -> None:
    calls = []

    async def call() -> bool:
        calls.append(1)
        raise conflict("ENDORSEMENT_POLICY_FAILURE")

    with pytest.raises(CommitError, match="ENDORSEMENT_POLICY_FAILURE"):
        await _repeated(call)
    assert len(calls) == 5
