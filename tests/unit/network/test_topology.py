"""The topology: what follows from it, and what is refused, with the place in the file."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from medfab_network import TopologyError, load_topology, parse_topology
from medfab_network.topology import READY_MADE, Topology, ready_made


def document() -> dict[str, Any]:
    return {
        "name": "small",
        "base_port": 20000,
        "ordering": {"name": "orderer", "msp_id": "OrdererMSP", "orderers": 3},
        "organizations": [
            {
                "name": "hospital",
                "msp_id": "HospitalMSP",
                "peers": 2,
                "users": [{"name": "doctor", "attributes": {"medfab.role": "practitioner"}}],
            },
            {"name": "clinic", "msp_id": "ClinicMSP"},
        ],
        "channels": [
            {"name": "care", "organizations": ["hospital", "clinic"]},
            {"name": "own", "organizations": ["clinic"]},
        ],
        "chaincodes": [
            {
                "name": "ehr",
                "channel": "care",
                "version": "1.0",
                "contract": "package.module:Contract",
                "custodians": ["hospital"],
                "collections": ["consents"],
            },
        ],
    }


def test_the_default_consortium() -> None:
    topology = load_topology(None)
    assert [o.name for o in topology.organizations] == [
        "hospital",
        "clinic",
        "insurer",
        "manufacturer",
        "distributor",
        "pharmacy",
        "regulator",
    ]
    assert {c.name: c.organizations for c in topology.channels} == {
        "care": ("hospital", "clinic", "insurer", "regulator"),
        "supply": ("manufacturer", "distributor", "pharmacy", "hospital", "regulator"),
    }
    assert len(topology.ordering.orderers) == 1
    (ehr,) = [c for c in topology.chaincodes if c.name == "ehr"]
    assert len(ehr.custodians) == 3
    (pharma,) = [c for c in topology.chaincodes if c.name == "pharma"]
    assert pharma.witnesses == ("regulator",)
    assert len(pharma.pairwise["trade"]) == 4
    assert [node.name for node in ehr.nodes] == [
        "ehr.hospital",
        "ehr.clinic",
        "ehr.insurer",
        "ehr.regulator",
    ]


def test_nodes_in_the_order_of_their_start() -> None:
    topology = parse_topology(document())
    assert [(node.name, node.kind) for node in topology.nodes()] == [
        ("ca.orderer", "ca"),
        ("ca.hospital", "ca"),
        ("ca.clinic", "ca"),
        ("orderer0.orderer", "orderer"),
        ("orderer1.orderer", "orderer"),
        ("orderer2.orderer", "orderer"),
        ("peer0.hospital", "peer"),
        ("peer1.hospital", "peer"),
        ("peer0.clinic", "peer"),
        ("ehr.hospital", "chaincode"),
        ("ehr.clinic", "chaincode"),
    ]
    assert topology.organization("hospital").users[0].attributes == {"medfab.role": "practitioner"}
    assert [c.name for c in topology.channels_of("clinic")] == ["care", "own"]
    assert [c.name for c in topology.channels_of("hospital")] == ["care"]


def full_house() -> dict[str, Any]:
    """As many nodes as the format permits to an organisation."""
    full = document()
    full["ordering"]["orderers"] = 9
    for organization in full["organizations"]:
        organization["peers"] = 7
    (chaincode,) = full["chaincodes"]
    full["chaincodes"] = [{**chaincode, "name": f"contract{i}"} for i in range(10)]
    return full


@pytest.mark.parametrize("source", [document, full_house])
def test_no_two_nodes_share_a_port(source: Callable[[], dict[str, Any]]) -> None:
    topology = parse_topology(source())
    ports = [port for node in topology.nodes() for port in node.ports]
    assert len(ports) == len(set(ports))
    assert min(ports) == topology.base_port
    assert max(ports) < topology.base_port + 40 * 3


def test_no_two_nodes_of_the_default_share_a_port() -> None:
    ports = [port for node in load_topology(None).nodes() for port in node.ports]
    assert len(ports) == len(set(ports))


def test_with_base_port_moves_everything_by_the_same() -> None:
    topology = parse_topology(document())
    moved = topology.with_base_port(30000)
    assert [[p - 10000 for p in node.ports] for node in moved.nodes()] == [
        list(node.ports) for node in topology.nodes()
    ]
    assert moved.source["base_port"] == 30000
    assert topology.source["base_port"] == 20000
    with pytest.raises(TopologyError, match="base_port"):
        topology.with_base_port(80)


def test_what_may_be_left_out() -> None:
    least = parse_topology(
        {
            "ordering": {},
            "organizations": [{"name": "clinic", "msp_id": "ClinicMSP"}],
            "channels": [{"name": "care", "organizations": ["clinic"]}],
        }
    )
    assert (least.name, least.base_port, least.chaincodes) == ("medfab", 17000, ())
    assert [len(least.ordering.orderers), len(least.organizations[0].peers)] == [1, 1]


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    topology = parse_topology(document())
    with pytest.raises(TopologyError, match=r"'bank'.*orderer, hospital, clinic"):
        topology.organization("bank")
    with pytest.raises(TopologyError, match=r"'bank'.*care, own"):
        topology.channel("bank")


Path_ = tuple[str | int, ...]
GONE = object()

REFUSED: list[tuple[Path_, Any, str]] = [
    ((), ["a list"], r"^the topology: a mapping"),
    (("colour",), "red", r"^the topology: unknown key 'colour'; known are base_port"),
    ((7,), "red", r"^the topology: unknown key 7"),
    (("name",), "Two words", r"^name: 'Two words'"),
    (("name",), 7, r"^name: text"),
    (("base_port",), 1000, r"^base_port: a whole number from 1024 to 60000"),
    (("base_port",), "17000", r"^base_port: "),
    (("base_port",), True, r"^base_port: "),
    (("ordering",), GONE, r"^ordering: a mapping"),
    (("ordering", "name"), "../x", r"^ordering\.name: "),
    (("ordering", "msp_id"), "a b", r"^ordering\.msp_id: "),
    (("ordering", "orderers"), 0, r"^ordering\.orderers: a whole number from 1 to 9"),
    (("ordering", "peers"), 1, r"^ordering: unknown key 'peers'"),
    (("organizations",), GONE, r"^organizations: a list"),
    (("organizations",), [], r"^organizations: at least one"),
    (("organizations", 1), "clinic", r"^organizations\[1\]: a mapping"),
    (("organizations", 1, "name"), GONE, r"^organizations\[1\]\.name: text"),
    (("organizations", 1, "name"), "hospital", r"^organizations: name: 'hospital' occurs twice"),
    (("organizations", 1, "name"), "orderer", r"^organizations: name: 'orderer' occurs twice"),
    (("organizations", 1, "msp_id"), "HospitalMSP", r"^organizations: msp_id: .* twice"),
    (("organizations", 1, "msp_id"), "Clinic'MSP", r"^organizations\[1\]\.msp_id: "),
    (("organizations", 0, "peers"), 8, r"^organizations\[0\]\.peers: "),
    (("organizations", 0, "peer"), 1, r"^organizations\[0\]: unknown key 'peer'"),
    (("organizations", 0, "users"), {}, r"^organizations\[0\]\.users: a list"),
    (("organizations", 0, "users", 0), "doctor", r"^organizations\[0\]\.users\[0\]: a mapping"),
    (("organizations", 0, "users", 0, "name"), "admin", r"\.users: name: 'admin' occurs twice"),
    (("organizations", 0, "users", 0, "name"), "registrar", r"'registrar' occurs twice"),
    (("organizations", 0, "users", 0, "key"), "x", r"\.users\[0\]: unknown key 'key'"),
    (("organizations", 0, "users", 0, "attributes"), [], r"\.users\[0\]\.attributes: a mapping"),
    (
        ("organizations", 0, "users", 0, "attributes", "medfab.role"),
        7,
        r"\.users\[0\]\.attributes\.medfab\.role: text",
    ),
    (("channels",), GONE, r"^channels: a list"),
    (("channels",), [], r"^channels: at least one"),
    (("channels", 0, "name"), "Care", r"^channels\[0\]\.name: "),
    (("channels", 1, "name"), "care", r"^channels: name: 'care' occurs twice"),
    (("channels", 0, "organizations"), [], r"^channels\[0\]\.organizations: at least one"),
    (("channels", 0, "organizations"), ["bank"], r"'bank' is not one of clinic, hospital"),
    (("channels", 0, "organizations"), ["clinic", "clinic"], r"'clinic' occurs twice"),
    (("channels", 0, "organizations"), ["orderer"], r"'orderer' is not one of"),
    (("channels", 0, "orderers"), 1, r"^channels\[0\]: unknown key"),
    (("chaincodes",), {}, r"^chaincodes: a list"),
    (("chaincodes", 0), "ehr", r"^chaincodes\[0\]: a mapping"),
    (("chaincodes", 0, "name"), "e h r", r"^chaincodes\[0\]\.name: "),
    (("chaincodes", 0, "name"), "peer0", r"^names of nodes: 'peer0\.hospital' occurs twice"),
    (("chaincodes", 0, "name"), "ca", r"^names of nodes: 'ca\.hospital' occurs twice"),
    (("chaincodes", 0, "channel"), "bank", r"^chaincodes\[0\]\.channel: .* 'bank'"),
    (("chaincodes", 0, "contract"), "no class", r"^chaincodes\[0\]\.contract: 'module:Class'"),
    (("chaincodes", 0, "contract"), GONE, r"^chaincodes\[0\]\.contract: text"),
    (("chaincodes", 0, "command"), ["serve"], r"^chaincodes\[0\]: either a contract or a command"),
    (("chaincodes", 0, "version"), 1.1, r"^chaincodes\[0\]\.version: text"),
    (("chaincodes", 0, "version"), "../1", r"^chaincodes\[0\]\.version: "),
    (("chaincodes", 0, "custodians"), ["orderer"], r"^chaincodes\[0\]\.custodians: 'orderer'"),
    (("chaincodes", 0, "custodians"), [], r"^chaincodes\[0\]\.custodians: at least one"),
    (("chaincodes", 0, "custodians"), GONE, r"^chaincodes\[0\]\.collections: name the custodians"),
    (("chaincodes", 0, "collections"), ["a b"], r"^chaincodes\[0\]\.collections: 'a b'"),
    (("chaincodes", 0, "collections"), ["a", "a"], r"^chaincodes\[0\]\.collections: 'a' .* twice"),
    (("chaincodes", 0, "collection"), "x", r"^chaincodes\[0\]: unknown key"),
    (("chaincodes", 0, "witnesses"), ["hospital"], r"^chaincodes\[0\]: either custodians or wit"),
    (("chaincodes", 0, "pairwise"), ["a"], r"^chaincodes\[0\]\.pairwise: a mapping"),
    (("chaincodes", 0, "pairwise"), {"a b": ["hospital"]}, r"^chaincodes\[0\]\.pairwise: 'a b'"),
    (
        ("chaincodes", 0, "pairwise"),
        {"a": ["orderer"]},
        r"^chaincodes\[0\]\.pairwise\.a: 'orderer'",
    ),
    (("chaincodes", 0, "pairwise"), {"a": ["hospital"]}, r"^chaincodes\[0\]\.pairwise\.a: two"),
]


def changed(path: Path_, value: Any) -> Any:
    whole = copy.deepcopy(document())
    if not path:
        return value
    place: Any = whole
    for step in path[:-1]:
        place = place[step]
    if value is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return whole


@pytest.mark.parametrize(("path", "value", "text"), REFUSED, ids=str)
def test_refusals_name_the_place(path: Path_, value: Any, text: str) -> None:
    with pytest.raises(TopologyError, match=text):
        parse_topology(changed(path, value))


def with_command(command: Any) -> Any:
    whole = changed(("chaincodes", 0, "contract"), GONE)
    whole["chaincodes"][0]["command"] = command
    return whole


def test_a_chaincode_of_another_language_has_a_command() -> None:
    (chaincode,) = parse_topology(with_command(["/opt/claims", "--fast"])).chaincodes
    assert chaincode.command == ("/opt/claims", "--fast")


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("/opt/claims --fast", r"^chaincodes\[0\]\.command: a list"),
        ([], r"^chaincodes\[0\]\.command: a program"),
        (["/opt/claims", 7], r"^chaincodes\[0\]\.command: text"),
    ],
)
def test_a_command_is_a_list_of_text(command: Any, text: str) -> None:
    with pytest.raises(TopologyError, match=text):
        parse_topology(with_command(command))


def test_too_many_chaincodes_for_the_ports() -> None:
    full = full_house()
    full["chaincodes"].append({**full["chaincodes"][0], "name": "last"})
    with pytest.raises(TopologyError, match=r"^chaincodes: no ports"):
        parse_topology(full)


def test_a_chaincode_name_belongs_to_one_channel() -> None:
    twice = document()
    twice["chaincodes"].append({"name": "ehr", "channel": "own", "contract": "module:Contract"})
    with pytest.raises(TopologyError, match=r"^chaincodes: name: 'ehr' occurs twice"):
        parse_topology(twice)


def test_no_room_below_the_last_port() -> None:
    many = document()
    many["base_port"] = 60000
    many["organizations"] = [{"name": f"o{i}", "msp_id": f"O{i}"} for i in range(140)]
    with pytest.raises(TopologyError, match=r"^base_port: 60000 leaves no room"):
        parse_topology(many)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"
    with pytest.raises(TopologyError, match=r"missing\.yaml: No such file"):
        load_topology(missing)
    for content, text in [
        (b"{", "is not YAML"),
        (b"\xff\xfe\x00", "is not text"),
        (b"", "the topology: a mapping"),
        (b"ordering: {orderers: 99}\norganizations: []\n", r"bad\.yaml: "),
    ]:
        bad = tmp_path / "bad.yaml"
        bad.write_bytes(content)
        with pytest.raises(TopologyError, match=text):
            load_topology(bad)


def test_bft_needs_four_orderers() -> None:
    source = load_topology(None).source
    ordering = {**source["ordering"], "consensus": "BFT"}
    with pytest.raises(TopologyError, match="BFT needs at least 4"):
        parse_topology({**source, "ordering": {**ordering, "orderers": 3}})
    assert parse_topology({**source, "ordering": {**ordering, "orderers": 4}}).consensus == "BFT"


def test_consensus_is_one_of_two() -> None:
    source = load_topology(None).source
    ordering = {**source["ordering"], "consensus": "solo"}
    with pytest.raises(TopologyError, match="one of etcdraft, BFT is expected"):
        parse_topology({**source, "ordering": ordering})


def test_nodes_by_number_keep_their_names_and_ports() -> None:
    all_three = parse_topology(document())
    without_one = document()
    without_one["ordering"]["orderers"] = [0, 2]
    without_one["organizations"][0]["peers"] = [1]
    fewer = parse_topology(without_one)
    assert fewer.ordering.orderers == (
        all_three.ordering.orderers[0],
        all_three.ordering.orderers[2],
    )
    assert fewer.organizations[0].peers == all_three.organizations[0].peers[1:]


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], "at least one is needed"),
        ([0, 0], "'0' occurs twice"),
        ([9], "from 0 to 8 is expected"),
        (["a"], "from 0 to 8 is expected"),
        ([True], "from 0 to 8 is expected"),
        ("3", "from 1 to 9 is expected"),
    ],
)
def test_numbers_of_orderers_that_make_no_sense(numbers: Any, text: str) -> None:
    wrong = document()
    wrong["ordering"]["orderers"] = numbers
    with pytest.raises(TopologyError, match=f"ordering.orderers.*{text}"):
        parse_topology(wrong)


def test_copies_of_private_data_need_peers_to_hold_them() -> None:
    right = document()
    right["organizations"][0]["private_data_copies"] = 1
    assert parse_topology(right).organizations[0].private_data_copies == 1
    right["organizations"][0]["private_data_copies"] = 2
    with pytest.raises(TopologyError, match=r"3 are needed; hospital has 2"):
        parse_topology(right)


def made(name: str) -> Topology:
    return parse_topology(yaml.safe_load(ready_made(name)))


@pytest.mark.parametrize("name", READY_MADE)
def test_topologies_that_come_with_the_package(name: str) -> None:
    topology = made(name)
    for chaincode in topology.chaincodes:
        assert chaincode.command[1] == "serve"
        assert len(chaincode.nodes) == len(topology.members(chaincode.channel))
    assert len({port for node in topology.nodes() for port in node.ports}) == sum(
        len(node.ports) for node in topology.nodes()
    )


def test_what_each_of_them_is() -> None:
    assert made("consortium") == load_topology(None)
    laptop, production = made("laptop"), made("production")
    assert len(laptop.ordering.orderers) == 1
    assert [len(o.peers) for o in laptop.organizations] == [1, 1]
    default = load_topology(None)
    assert [o.name for o in production.organizations] == [o.name for o in default.organizations]
    assert production.channels == default.channels
    assert len(production.ordering.orderers) == 5
    assert {(len(o.peers), o.private_data_copies) for o in production.organizations} == {(2, 1)}
