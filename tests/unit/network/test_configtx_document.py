"""What `configtx.yaml` says; that Fabric reads it so is an integration test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from medfab_network._configtx import configtx
from medfab_network._layout import Layout
from medfab_network.topology import Topology, parse_topology

LAYOUT = Layout(Path("/net"))


@pytest.fixture
def topology() -> Topology:
    return parse_topology(
        {
            "ordering": {"orderers": 3},
            "base_port": 20000,
            "organizations": [
                {"name": "hospital", "msp_id": "HospitalMSP", "peers": 2},
                {"name": "clinic", "msp_id": "ClinicMSP"},
                {"name": "bank", "msp_id": "BankMSP"},
            ],
            "channels": [
                {"name": "care", "organizations": ["hospital", "clinic"]},
                {"name": "pay", "organizations": ["bank", "clinic"]},
            ],
        }
    )


@pytest.fixture
def profiles(topology: Topology) -> dict[str, Any]:
    profiles: dict[str, Any] = configtx(topology, LAYOUT)["Profiles"]
    return profiles


def test_a_profile_for_each_channel_with_its_members(profiles: dict[str, Any]) -> None:
    members = {
        name: [o["ID"] for o in profile["Application"]["Organizations"]]
        for name, profile in profiles.items()
    }
    assert members == {"care": ["HospitalMSP", "ClinicMSP"], "pay": ["BankMSP", "ClinicMSP"]}


def test_capabilities(profiles: dict[str, Any]) -> None:
    for profile in profiles.values():
        assert profile["Capabilities"] == {"V3_0": True}
        assert profile["Orderer"]["Capabilities"] == {"V2_0": True}
        assert profile["Application"]["Capabilities"] == {"V2_5": True}
        assert "Addresses" not in profile["Orderer"]  # forbidden under V3_0


def test_every_orderer_is_a_consenter(profiles: dict[str, Any]) -> None:
    orderer = profiles["care"]["Orderer"]
    consenters = orderer["EtcdRaft"]["Consenters"]
    assert [c["Port"] for c in consenters] == [20002, 20006, 20010]
    certificates = [c["ServerTLSCert"] for c in consenters]
    assert certificates == [
        f"/net/organizations/orderer/nodes/orderer{i}.orderer/tls/cert.pem" for i in range(3)
    ]
    assert certificates == [c["ClientTLSCert"] for c in consenters]
    (ordering,) = orderer["Organizations"]
    assert ordering["OrdererEndpoints"] == [f"127.0.0.1:{c['Port']}" for c in consenters]


def test_the_first_peer_of_each_member_is_its_anchor(profiles: dict[str, Any]) -> None:
    anchors = [o["AnchorPeers"] for o in profiles["care"]["Application"]["Organizations"]]
    assert anchors == [
        [{"Host": "127.0.0.1", "Port": 20042}],
        [{"Host": "127.0.0.1", "Port": 20082}],
    ]


def test_policies(profiles: dict[str, Any]) -> None:
    care = profiles["care"]
    application = care["Application"]["Policies"]
    assert application["LifecycleEndorsement"]["Rule"] == "MAJORITY Endorsement"
    assert application["Endorsement"]["Rule"] == "MAJORITY Endorsement"
    assert care["Orderer"]["Policies"]["BlockValidation"]["Rule"] == "ANY Writers"
    for policies in (application, care["Orderer"]["Policies"], care["Policies"]):
        assert policies["Admins"] == {"Type": "ImplicitMeta", "Rule": "MAJORITY Admins"}
    hospital = care["Application"]["Organizations"][0]["Policies"]
    assert {name: policy["Rule"] for name, policy in hospital.items()} == {
        "Readers": "OR('HospitalMSP.admin', 'HospitalMSP.peer', 'HospitalMSP.client')",
        "Writers": "OR('HospitalMSP.admin', 'HospitalMSP.client')",
        "Admins": "OR('HospitalMSP.admin')",
        "Endorsement": "OR('HospitalMSP.peer')",
    }
    (ordering,) = care["Orderer"]["Organizations"]
    assert "Endorsement" not in ordering["Policies"]
    assert "'OrdererMSP.orderer'" in ordering["Policies"]["Writers"]["Rule"]


def test_only_public_msp_folders_are_read(profiles: dict[str, Any]) -> None:
    for organization in profiles["care"]["Application"]["Organizations"]:
        name = organization["ID"].removesuffix("MSP").lower()
        assert organization["MSPDir"] == f"/net/organizations/{name}/msp"
