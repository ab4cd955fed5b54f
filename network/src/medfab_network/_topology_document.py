"""The parts of a topology document: checked, and given their names and ports."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from medfab_network import _checks as check
from medfab_network._topology_model import (
    BFT,
    PORTS_PER_ORGANIZATION,
    RAFT,
    Chaincode,
    Channel,
    Node,
    Organization,
    User,
)
from medfab_network.errors import TopologyError

FEWEST_FOR_BFT = 4  # three more than lie
MOST_ORDERERS, MOST_PEERS = 9, 7
SERVE_CONTRACT = "medfab-chaincode"
"""The program that serves contracts in Python, from the environment that runs the network."""
_FIRST_NODE_PORT = 2  # 0 and 1 are the CA and its operations endpoint
_PORTS_PER_NODE = 4
_FIRST_CHAINCODE_PORT = 30
NAME = re.compile(r"^[a-z][a-z0-9]{0,30}$")
_CHANNEL = re.compile(r"^[a-z][a-z0-9.-]{0,248}$")
_MSP_ID = re.compile(r"^[A-Za-z][A-Za-z0-9]{0,62}$")
_CHAINCODE = re.compile(r"^[a-z][a-z0-9_-]{0,62}$")
_VERSION = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,62}$")  # part of the package's label
_COLLECTION = re.compile(r"^[A-Za-z0-9-][A-Za-z0-9_-]{0,62}$")


def ordering(document: Mapping[str, Any], first_port: int) -> tuple[Organization, str]:
    """The ordering organisation, and how its orderers agree."""
    check.known_keys(document, "ordering", ["name", "msp_id", "orderers", "consensus"])
    consensus = check.one_of(document.get("consensus", RAFT), "ordering.consensus", RAFT, BFT)
    name = check.text(document.get("name", "orderer"), "ordering.name", NAME)
    numbers = _numbers(document, "orderers", "ordering", MOST_ORDERERS)
    if consensus == BFT and len(numbers) < FEWEST_FOR_BFT:
        raise TopologyError(f"ordering.orderers: BFT needs at least {FEWEST_FOR_BFT}")
    return (
        Organization(
            name=name,
            msp_id=check.text(document.get("msp_id", "OrdererMSP"), "ordering.msp_id", _MSP_ID),
            ca=_ca(name, first_port),
            orderers=tuple(
                Node(
                    name=f"orderer{i}.{name}",
                    kind="orderer",
                    organization=name,
                    port=(port := first_port + _FIRST_NODE_PORT + i * _PORTS_PER_NODE),
                    operations_port=port + 1,
                    admin_port=port + 2,
                )
                for i in numbers
            ),
        ),
        consensus,
    )


def organization(document: Mapping[str, Any], where: str, first_port: int) -> Organization:
    """A member, its nodes on the ports from `first_port` on."""
    check.known_keys(document, where, ["name", "msp_id", "peers", "private_data_copies", "users"])
    name = check.text(document.get("name"), f"{where}.name", NAME)
    numbers = _numbers(document, "peers", where, MOST_PEERS)
    copies = check.integer(
        document.get("private_data_copies", 0), f"{where}.private_data_copies", 0, MOST_PEERS - 1
    )
    if copies >= len(numbers):
        raise TopologyError(
            f"{where}.private_data_copies: {copies} more peers are to hold what one endorses, so "
            f"{copies + 1} are needed; {name} has {len(numbers)}"
        )
    return Organization(
        name=name,
        msp_id=check.text(document.get("msp_id"), f"{where}.msp_id", _MSP_ID),
        ca=_ca(name, first_port),
        peers=tuple(
            Node(
                name=f"peer{i}.{name}",
                kind="peer",
                organization=name,
                port=(port := first_port + _FIRST_NODE_PORT + i * _PORTS_PER_NODE),
                operations_port=port + 1,
                chaincode_port=port + 2,
            )
            for i in numbers
        ),
        users=_users(document, where),
        private_data_copies=copies,
    )


def numbers_of(document: Mapping[str, Any], key: str) -> tuple[int, ...]:
    """Of the nodes of a kind: so many from 0 on, or a list where some have gone or come."""
    found = document.get(key, 1)
    return tuple(found if isinstance(found, list) else range(found))


def _numbers(document: Mapping[str, Any], key: str, where: str, most: int) -> tuple[int, ...]:
    """The same, checked first."""
    found = document.get(key, 1)
    if not isinstance(found, list):
        check.integer(found, f"{where}.{key}", 1, most)
        return numbers_of(document, key)
    numbers = [check.integer(each, f"{where}.{key}", 0, most - 1) for each in found]
    if not numbers:
        raise TopologyError(f"{where}.{key}: at least one is needed")
    check.unique([str(each) for each in numbers], f"{where}.{key}")
    return numbers_of(document, key)


def _users(document: Mapping[str, Any], where: str) -> tuple[User, ...]:
    users = []
    for index, raw in enumerate(check.sequence(document.get("users", []), f"{where}.users")):
        place = f"{where}.users[{index}]"
        user = check.mapping(raw, place)
        check.known_keys(user, place, ["name", "attributes"])
        attributes = check.mapping(user.get("attributes", {}), f"{place}.attributes")
        users.append(
            User(
                name=check.text(user.get("name"), f"{place}.name", NAME),
                attributes={
                    check.text(k, f"{place}.attributes"): check.text(v, f"{place}.attributes.{k}")
                    for k, v in attributes.items()
                },
            )
        )
    check.unique([u.name for u in users] + ["admin", "registrar"], f"{where}.users: name")
    return tuple(users)


def _ca(organization: str, first_port: int) -> Node:
    return Node(
        name=f"ca.{organization}",
        kind="ca",
        organization=organization,
        port=first_port,
        operations_port=first_port + 1,
    )


def channels(root: Mapping[str, Any], organizations: set[str]) -> tuple[Channel, ...]:
    """The channels, of organisations that are there."""
    found = []
    for index, raw in enumerate(check.sequence(root.get("channels"), "channels")):
        where = f"channels[{index}]"
        document = check.mapping(raw, where)
        check.known_keys(document, where, ["name", "organizations"])
        found.append(
            Channel(
                name=check.text(document.get("name"), f"{where}.name", _CHANNEL),
                organizations=check.names(document, "organizations", where, organizations),
            )
        )
    if not found:
        raise TopologyError("channels: at least one is needed")
    check.unique([c.name for c in found], "channels: name")
    return tuple(found)


def chaincode(
    document: Mapping[str, Any],
    index: int,
    *,
    channels: Sequence[Channel],
    organizations: Sequence[Organization],
) -> Chaincode:
    """The chaincode at that place of the document, with one process for each member."""
    where = f"chaincodes[{index}]"
    check.known_keys(
        document,
        where,
        [
            "name",
            "channel",
            "version",
            "contract",
            "command",
            "custodians",
            "collections",
            "witnesses",
            "pairwise",
        ],
    )
    name = check.text(document.get("name"), f"{where}.name", _CHAINCODE)
    channel = check.text(document.get("channel"), f"{where}.channel")
    members_of = {each.name: each.organizations for each in channels}
    if channel not in members_of:
        raise TopologyError(f"{where}.channel: there is no channel {channel!r}")
    members = members_of[channel]
    first_ports = {each.name: each.ca.port for each in organizations}
    custodians: tuple[str, ...] = ()
    if "custodians" in document:
        custodians = check.names(document, "custodians", where, set(members))
    collections = tuple(
        check.text(c, f"{where}.collections", _COLLECTION)
        for c in check.sequence(document.get("collections", []), f"{where}.collections")
    )
    check.unique(collections, f"{where}.collections")
    if collections and not custodians:
        raise TopologyError(f"{where}.collections: name the custodians that hold them")
    witnesses: tuple[str, ...] = ()
    if "witnesses" in document:
        if custodians:
            raise TopologyError(f"{where}: either custodians or witnesses, not both")
        witnesses = check.names(document, "witnesses", where, set(members))
        if len(witnesses) == len(members):
            raise TopologyError(f"{where}.witnesses: at least one member must be none")
    if index >= PORTS_PER_ORGANIZATION - _FIRST_CHAINCODE_PORT:
        raise TopologyError("chaincodes: no ports are left for so many")
    return Chaincode(
        name=name,
        channel=channel,
        # Text alone: YAML reads an unquoted 1.10 as the number 1.1.
        version=check.text(document.get("version", "1.0"), f"{where}.version", _VERSION),
        command=_command(document, where),
        custodians=custodians,
        collections=collections,
        witnesses=witnesses,
        pairwise=_pairwise(document, where, set(members)),
        nodes=tuple(
            Node(
                name=f"{name}.{member}",
                kind="chaincode",
                organization=member,
                port=first_ports[member] + _FIRST_CHAINCODE_PORT + index,
                chaincode=name,
            )
            for member in members
        ),
    )


def _pairwise(
    document: Mapping[str, Any], where: str, members: set[str]
) -> dict[str, tuple[str, ...]]:
    where = f"{where}.pairwise"
    pairwise = {}
    for prefix in (raw := check.mapping(document.get("pairwise", {}), where)):
        check.text(prefix, where, _COLLECTION)
        pairwise[prefix] = check.names(raw, prefix, where, members)
        if len(pairwise[prefix]) < 2:
            raise TopologyError(f"{where}.{prefix}: two organisations at least")
    return pairwise


def _command(document: Mapping[str, Any], where: str) -> tuple[str, ...]:
    if "command" not in document:
        contract = check.text(document.get("contract"), f"{where}.contract")
        if not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", contract):
            raise TopologyError(f"{where}.contract: 'module:Class' is expected, not {contract!r}")
        return (SERVE_CONTRACT, "serve", contract)
    if "contract" in document:
        raise TopologyError(f"{where}: either a contract or a command, not both")
    command = tuple(
        check.text(part, f"{where}.command")
        for part in check.sequence(document["command"], f"{where}.command")
    )
    if not command:
        raise TopologyError(f"{where}.command: a program is expected")
    return command
