"""A topology with one node more, or one less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medfab_network._topology_document import (
    FEWEST_FOR_BFT,
    MOST_ORDERERS,
    MOST_PEERS,
    numbers_of,
)
from medfab_network.errors import TopologyError
from medfab_network.topology import BFT, Organization, Topology, parse_topology


def with_orderer(topology: Topology) -> tuple[Topology, str]:
    """One orderer more, by the lowest number that is free; and the name of it."""
    ordering = topology.source["ordering"]
    numbers, added = _one_more(numbers_of(ordering, "orderers"), MOST_ORDERERS, "orderers")
    larger = parse_topology(
        {**topology.source, "ordering": {**ordering, "orderers": _short(numbers)}}
    )
    return larger, f"orderer{added}.{larger.ordering.name}"


def without_orderer(topology: Topology, name: str) -> Topology:
    """The consortium without that orderer; `TopologyError` where it is the last."""
    ordering = topology.source["ordering"]
    names = [node.name for node in topology.ordering.orderers]
    if name not in names:
        raise TopologyError(f"there is no orderer {name!r}; there are {', '.join(names)}")
    if len(names) == 1:
        raise TopologyError(f"{name} is the only orderer: without it no channel goes on")
    if topology.consensus == BFT and len(names) == FEWEST_FOR_BFT:
        raise TopologyError(
            f"{name}: {FEWEST_FOR_BFT} orderers are the fewest that can lose one with BFT; add one "
            "first (`medfab orderer add`)"
        )
    kept = [
        number
        for number, each in zip(numbers_of(ordering, "orderers"), names, strict=True)
        if each != name
    ]
    return parse_topology({**topology.source, "ordering": {**ordering, "orderers": _short(kept)}})


def with_peer(topology: Topology, organization: Organization) -> tuple[Topology, str]:
    """One peer more in an organisation, by the lowest number that is free; and its name."""

    def larger(document: Mapping[str, Any]) -> Mapping[str, Any]:
        if document["name"] != organization.name:
            return document
        return {**document, "peers": _short(numbers)}

    documents = topology.source["organizations"]
    [own] = [each for each in documents if each["name"] == organization.name]
    numbers, added = _one_more(numbers_of(own, "peers"), MOST_PEERS, "peers")
    changed = {**topology.source, "organizations": [larger(each) for each in documents]}
    return parse_topology(changed), f"peer{added}.{organization.name}"


def _one_more(numbers: tuple[int, ...], most: int, what: str) -> tuple[list[int], int]:
    free = [number for number in range(most) if number not in numbers]
    if not free:
        raise TopologyError(f"there are {most} {what} already, and no ports are left for more")
    return sorted([*numbers, free[0]]), free[0]


def _short(numbers: list[int]) -> int | list[int]:
    """As people write it: a number, where none is left out."""
    return len(numbers) if numbers == list(range(len(numbers))) else numbers
