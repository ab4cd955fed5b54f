"""One organisation more: what may differ between a running consortium and the topology for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medfab_network.errors import TopologyError
from medfab_network.topology import Topology, parse_topology


def enlarged(running: Topology, wanted: Topology, name: str) -> Topology:
    """The running consortium with the organisation `name` as `wanted` has it, on its own ports.

    Raises `TopologyError` where anything else differs, for that would not come true.
    """
    before, after = running.source, wanted.source
    if name in {each.name for each in running.organizations}:
        _same(running, {**after, **_place(before)}, name)  # added before
        return running
    added = [each for each in _list(after, "organizations") if each.get("name") == name]
    if not added:
        known = ", ".join(each.name for each in wanted.organizations)
        raise TopologyError(f"the topology has no organisation {name!r}; it has {known}")
    document = {
        **after,
        **_place(before),
        "organizations": [*_list(before, "organizations"), *added],
    }
    if _list(after, "organizations") != document["organizations"]:
        raise TopologyError(
            f"organizations: those of the running network in their order, then {name}, are "
            "expected: ports are given by the order"
        )
    reduced = {**document, "organizations": _list(before, "organizations")}
    reduced["channels"] = [_without(channel, name) for channel in _list(after, "channels")]
    _same(running, reduced, name)
    if _list(after, "channels") == _list(before, "channels"):
        raise TopologyError(f"channels: {name} is in none of them; add it to one")
    return parse_topology(document)


def _place(document: Mapping[str, Any]) -> dict[str, Any]:
    """What says where the nodes are: the running network's, whatever the file has."""
    return {key: document[key] for key in ("base_port", "containers") if key in document}


def _same(running: Topology, document: Mapping[str, Any], name: str) -> None:
    """Whether a document is that of the running network, but for its place."""
    there = {key: value for key, value in running.source.items() if key not in _PLACE}
    asked = {key: value for key, value in document.items() if key not in _PLACE}
    for key in sorted({*there, *asked}):
        if there.get(key) != asked.get(key):
            raise TopologyError(
                f"{key}: differs from the running network in more than {name}; adding an "
                "organisation changes nothing else"
            )


_PLACE = ("base_port", "containers")


def _without(channel: Mapping[str, Any], name: str) -> dict[str, Any]:
    members = [each for each in channel.get("organizations", ()) if each != name]
    return {**channel, "organizations": members}


def _list(document: Mapping[str, Any], key: str) -> list[Any]:
    found: list[Any] = document.get(key) or []
    return found
