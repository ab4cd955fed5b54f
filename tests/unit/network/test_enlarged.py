"""Which topologies take a running network to one more organisation, and which do not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from medfab_network import TopologyError, parse_topology
from medfab_network._enlarged import enlarged

RUNNING: dict[str, Any] = {
    "base_port": 21000,
    "ordering": {"name": "orderer"},
    "organizations": [
        {"name": "hospital", "msp_id": "HospitalMSP"},
        {"name": "clinic", "msp_id": "ClinicMSP"},
    ],
    "channels": [
        {"name": "care", "organizations": ["hospital", "clinic"]},
        {"name": "other", "organizations": ["clinic"]},
    ],
    "chaincodes": [{"name": "ehr", "channel": "care", "contract": "a:B"}],
}


def with_pharmacy(change: Callable[[dict[str, Any]], object] = lambda document: None) -> Any:
    document = copy.deepcopy(RUNNING)
    document["organizations"].append({"name": "pharmacy2", "msp_id": "Pharmacy2MSP"})
    document["channels"][0]["organizations"].append("pharmacy2")
    document["base_port"] = 17000  # of no account: the network runs where it runs
    change(document)
    return parse_topology(document)


def test_one_organisation_more() -> None:
    running = parse_topology(RUNNING)
    larger = enlarged(running, with_pharmacy(), "pharmacy2")
    assert [o.name for o in larger.organizations] == ["hospital", "clinic", "pharmacy2"]
    assert larger.base_port == 21000
    before = {node.name: node for node in running.nodes()}
    after = {node.name: node for node in larger.nodes()}
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"ca.pharmacy2", "peer0.pharmacy2", "ehr.pharmacy2"}


def test_again_it_is_the_same() -> None:
    larger = enlarged(parse_topology(RUNNING), with_pharmacy(), "pharmacy2")
    assert enlarged(larger, with_pharmacy(), "pharmacy2") == larger


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["organizations"].pop(), "no organisation 'pharmacy2'; it has"),
        (lambda d: d["organizations"].insert(0, d["organizations"].pop()), "in their order"),
        (lambda d: d["organizations"].append({"name": "more", "msp_id": "M"}), "in their order"),
        (lambda d: d["organizations"][0].update(peers=2), "in their order"),
        (lambda d: d["channels"][0]["organizations"].pop(), "is in none of them"),
        (lambda d: d["channels"][0]["organizations"].remove("clinic"), "channels: differs"),
        (lambda d: d["ordering"].update(orderers=3), "ordering: differs"),
        (lambda d: d["chaincodes"][0].update(version="2.0"), "chaincodes: differs"),
    ],
)
def test_what_would_not_come_true(change: Callable[[dict[str, Any]], object], words: str) -> None:
    def tried(document: dict[str, Any]) -> None:
        change(document)
        names = {each["name"] for each in document["organizations"]}
        for channel in document["channels"]:  # what is left is a topology nevertheless
            channel["organizations"] = [n for n in channel["organizations"] if n in names]

    with pytest.raises(TopologyError, match=words):
        enlarged(parse_topology(RUNNING), with_pharmacy(tried), "pharmacy2")
