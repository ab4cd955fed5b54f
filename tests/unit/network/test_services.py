"""Containers of a topology, and the compose file that is written of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from medfab_network._container_setup import compose_text
from medfab_network._containers import connect, project_name
from medfab_network._services import services
from medfab_network.errors import EngineError, TopologyError
from medfab_network.topology import Topology, default_in_containers, load_topology, parse_topology

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def topology() -> Topology:
    return default_in_containers()


def test_the_compose_file_of_the_repository_is_that_of_the_default_consortium(
    topology: Topology,
) -> None:
    assert (REPOSITORY / "docker-compose.yaml").read_text() == compose_text(topology), (
        "docker-compose.yaml is behind the default topology: run `make compose`"
    )


def test_one_service_for_each_node_and_a_volume_for_each_ledger(topology: Topology) -> None:
    document = yaml.safe_load(compose_text(topology))
    nodes = [name for name, each in document["services"].items() if "profiles" not in each]
    assert nodes == [node.name for node in topology.nodes()]
    ledgers = {n.name for n in topology.nodes() if n.kind in ("peer", "orderer")}
    others = {"prometheus", "grafana", "postgres"}
    assert set(document["volumes"]) == {f"{name}.data" for name in ledgers | others}
    assert set(document) == {"services", "volumes"}  # Compose 1.29 knows no `name`


def test_ports_are_published_on_the_loopback_interface_alone(topology: Topology) -> None:
    document = yaml.safe_load(compose_text(topology))
    for node in topology.nodes():
        published = document["services"][node.name]["ports"]
        assert published == [f"127.0.0.1:{port}:{port}" for port in node.ports]


def test_no_container_can_write_where_it_need_not(topology: Topology) -> None:
    for service in services(topology):
        writable = [bind.target for bind in service.binds if not bind.read_only]
        assert writable == (
            ["/etc/hyperledger/fabric-ca-server"] if service.node.kind == "ca" else []
        )
    for name, service in yaml.safe_load(compose_text(topology))["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"]
        assert service["user"] == "${MEDFAB_USER:-10001:10001}"


def test_the_three_orderers_are_those_of_the_topology(topology: Topology) -> None:
    assert [node.name for node in topology.ordering.orderers] == [
        f"orderer{i}.orderer" for i in range(3)
    ]
    assert topology.source["organizations"] == load_topology(None).source["organizations"]


def test_nodes_have_the_names_of_their_containers_for_each_other(topology: Topology) -> None:
    peer = topology.organization("clinic").peers[0]
    assert peer.address == f"peer0.clinic:{peer.port}"
    assert peer.published == f"127.0.0.1:{peer.port}"
    native = load_topology(None).organization("clinic").peers[0]
    assert native.address == native.published


def test_containers_is_true_or_false() -> None:
    source = {**load_topology(None).source, "containers": "yes"}
    with pytest.raises(TopologyError, match="containers: true or false"):
        parse_topology(source)


def test_two_directories_have_two_projects(topology: Topology, tmp_path: Path) -> None:
    assert project_name(topology, tmp_path / "a") != project_name(topology, tmp_path / "b")


def test_without_an_engine_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(EngineError, match="no Docker engine answers at unix:///nonexistent") as e:
        connect()
    assert e.value.exit_code == 5


def test_profiles_add_what_watches_and_what_consumes(topology: Topology) -> None:
    services = yaml.safe_load(compose_text(topology))["services"]
    assert {name: each["profiles"] for name, each in services.items() if "profiles" in each} == {
        "prometheus": ["observability"],
        "grafana": ["observability"],
        "postgres": ["consumer"],
        "consumer": ["consumer"],
    }
    for name in ("prometheus", "grafana", "postgres", "consumer"):
        (port,) = services[name]["ports"]
        assert port.startswith("127.0.0.1:${MEDFAB_")
        assert services[name]["image"].startswith(f"${{MEDFAB_{name.upper()}_IMAGE:-")


def test_who_watches_gets_no_identities_and_the_consumer_one(topology: Topology) -> None:
    """TLS keys of peers and orderers, whose metrics ask for them; no MSP folder and no wallet."""
    services = yaml.safe_load(compose_text(topology))["services"]
    watched = [v for v in services["prometheus"]["volumes"] if "/organizations/" in v]
    assert watched
    assert all(re.search(r"/tls:/etc/medfab/tls/[a-z0-9.]+:ro$", each) for each in watched)
    for name in ("grafana", "postgres", "consumer"):
        assert not [v for v in services[name]["volumes"] if "/organizations/" in v]
