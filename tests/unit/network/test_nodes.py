"""Configuration and start of each kind of node."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from medfab_network._authority import ca_start
from medfab_network._binaries import Binaries
from medfab_network._layout import Layout
from medfab_network._nodes import (
    Start,
    _merge,
    chaincode_start,
    orderer_start,
    peer_start,
)
from medfab_network.topology import Node, Topology, load_topology, parse_topology


@pytest.fixture
def topology() -> Topology:
    return load_topology(None)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "net")


@pytest.fixture
def binaries(tmp_path: Path) -> Binaries:
    """Programs that are never run, and samples with one setting of Fabric's each."""
    config = tmp_path / "config"
    config.mkdir()
    (config / "core.yaml").write_text("peer: {discovery: {enabled: true}, address: 0.0.0.0:7051}\n")
    (config / "orderer.yaml").write_text("General: {Keepalive: {ServerTimeout: 20s}}\n")
    programs = {name: tmp_path / name for name in ("peer", "orderer", "fabric-ca-server")}
    return Binaries(programs=programs, config=config, built=False)


def node(topology: Topology, name: str) -> Node:
    return next(node for node in topology.nodes() if node.name == name)


def test_merge_goes_below_mappings_and_replaces_the_rest() -> None:
    base: dict[str, Any] = {"a": {"b": 1, "c": [1, 2]}, "d": {"e": 1}, "f": 1}
    over: dict[str, Any] = {"a": {"c": [3]}, "d": None, "f": {"g": 1}, "h": 2}
    assert _merge(base, over) == {
        "a": {"b": 1, "c": [3]},
        "d": None,
        "f": {"g": 1},
        "h": 2,
    }
    assert base == {"a": {"b": 1, "c": [1, 2]}, "d": {"e": 1}, "f": 1}


def test_merge_shares_nothing_with_its_base() -> None:
    base: dict[str, Any] = {"a": {"b": [1]}}
    _merge(base, {})["a"]["b"].append(2)
    assert base == {"a": {"b": [1]}}


def read(start: Start, name: str) -> Any:
    path = start.folder / name
    assert path.stat().st_mode & 0o777 == 0o600
    return yaml.safe_load(path.read_text())


def test_the_secret_of_the_authority_is_in_its_file_alone(
    topology: Topology, layout: Layout, binaries: Binaries
) -> None:
    start = ca_start(node(topology, "ca.clinic"), binaries, layout, "the-secret")
    config = read(start, "fabric-ca-server-config.yaml")
    assert config["registry"]["identities"][0]["pass"] == "the-secret"
    assert "the-secret" not in repr(start)
    assert layout.ca("clinic").stat().st_mode & 0o777 == 0o700
    (tls_authority,) = config["cafiles"]
    assert Path(tls_authority).stat().st_mode & 0o777 == 0o600
    operations = config["operations"]["tls"]
    assert config["tls"]["enabled"]
    assert operations["enabled"]
    assert Path(operations["key"]["file"]).stat().st_mode & 0o777 == 0o600
    certificate = Path(operations["cert"]["file"]).read_bytes()
    ca_start(node(topology, "ca.clinic"), binaries, layout, "the-secret")
    assert Path(operations["cert"]["file"]).read_bytes() == certificate


def test_only_the_tls_authority_issues_tls_certificates(
    topology: Topology, layout: Layout, binaries: Binaries
) -> None:
    config = read(
        ca_start(node(topology, "ca.clinic"), binaries, layout, "s"), "fabric-ca-server-config.yaml"
    )
    tls_authority = yaml.safe_load(Path(config["cafiles"][0]).read_text())
    assert config["ca"]["name"] == "ca.clinic"
    assert config["signing"]["profiles"] == {}
    assert tls_authority["ca"]["name"] == "tlsca.clinic"
    assert list(tls_authority["signing"]["profiles"]) == ["tls"]


def test_a_peer_has_fabrics_sample_with_our_settings(
    topology: Topology, layout: Layout, binaries: Binaries
) -> None:
    peer = node(topology, "peer0.clinic")
    start = peer_start(peer, topology, binaries, layout)
    config = read(start, "core.yaml")
    assert config["peer"]["discovery"] == {"enabled": True}
    assert config["peer"]["address"] == peer.address
    assert config["peer"]["localMspId"] == "ClinicMSP"
    assert config["peer"]["tls"]["enabled"]
    assert config["operations"]["tls"]["enabled"]
    assert config["vm"]["endpoint"] == ""
    assert config["ledger"]["pvtdataStore"]["purgeInterval"] == 1
    assert start.environment["MEDFAB_CONNECTIONS"] == str(layout.connections("clinic"))
    assert copies_of(config) == {"requiredPeerCount": 0, "maxPeerCount": 1}


def copies_of(config: dict[str, Any]) -> Any:
    return config["peer"]["gossip"]["pvtData"]["implicitCollectionDisseminationPolicy"]


def test_a_peer_gives_its_organisations_private_data_to_as_many_as_it_must(
    topology: Topology, layout: Layout, binaries: Binaries
) -> None:
    hospital = {"name": "hospital", "msp_id": "HospitalMSP", "peers": 3, "private_data_copies": 2}
    others = [o for o in topology.source["organizations"] if o["name"] != "hospital"]
    safer = parse_topology({**topology.source, "organizations": [hospital, *others]})
    start = peer_start(node(safer, "peer0.hospital"), safer, binaries, layout)
    wanted = {"requiredPeerCount": 2, "maxPeerCount": 2}
    assert copies_of(read(start, "core.yaml")) == wanted


def test_an_orderer_asks_for_client_certificates_at_its_admin_endpoint(
    topology: Topology, layout: Layout, binaries: Binaries
) -> None:
    orderer = node(topology, "orderer0.orderer")
    config = read(orderer_start(orderer, topology, binaries, layout), "orderer.yaml")
    assert config["General"]["Keepalive"] == {"ServerTimeout": "20s", "ServerMinInterval": "10s"}
    assert config["General"]["BootstrapMethod"] == "none"
    assert config["General"]["TLS"]["Enabled"]
    assert config["Admin"]["TLS"]["Enabled"]
    assert config["Admin"]["TLS"]["ClientAuthRequired"]
    assert config["Operations"]["TLS"]["Enabled"]


def test_a_chaincode_process_has_paths_and_no_keys_in_its_environment(
    topology: Topology, layout: Layout
) -> None:
    (chaincode,) = topology.chaincodes[:1]
    start = chaincode_start(chaincode.nodes[0], chaincode, "label:id", topology, layout)
    assert Path(start.command[0]).is_file()
    assert start.command[1:] == ["serve", "medfab_chaincode.ehr:EhrContract"]
    assert start.environment["CHAINCODE_ID"] == "label:id"
    msp_id = topology.organization(chaincode.nodes[0].organization).msp_id
    assert start.environment["CORE_PEER_LOCALMSPID"] == msp_id
    assert start.environment["CHAINCODE_SERVER_ADDRESS"] == chaincode.nodes[0].address
    for name in ("CHAINCODE_TLS_CERT_FILE", "CHAINCODE_TLS_KEY_FILE"):
        assert start.environment[name].startswith(str(start.folder))
    assert start.environment["CHAINCODE_CLIENT_CA_CERT_FILE"].startswith(str(start.folder))


def test_a_chaincode_of_another_language_gets_the_same_environment(
    topology: Topology, layout: Layout
) -> None:
    (ours,) = topology.chaincodes[:1]
    other = replace(ours, command=("/opt/claims", "--fast"))
    start = chaincode_start(ours.nodes[0], other, "label:id", topology, layout)
    assert start.command == ["/opt/claims", "--fast"]
    assert start == replace(
        chaincode_start(ours.nodes[0], ours, "label:id", topology, layout), command=start.command
    )
