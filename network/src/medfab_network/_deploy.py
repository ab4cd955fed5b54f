"""Deploying chaincode: package, install, approve for each organisation, commit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any

from medfab_gateway.admin import (
    AsyncLifecycle,
    ChaincodeDefinition,
    collection_config_package,
    endorsement_policy,
    package_ccaas,
    package_id,
)
from medfab_gateway.errors import CommitError, EndorseError
from medfab_network._files import write_atomically
from medfab_network._layout import Layout
from medfab_network.topology import Chaincode, Node, Topology

_ATTEMPTS = 5


def package(chaincode: Chaincode) -> bytes:
    """The package: a label and nothing else, so its id is the same for every organisation.

    Address and keys come from each organisation's own connection file, by the external builder.
    """
    return package_ccaas(chaincode.label)


def chaincode_package_id(chaincode: Chaincode) -> str:
    return package_id(package(chaincode))


def write_connection(node: Node, chaincode: Chaincode, layout: Layout) -> None:
    """What the organisation's peers need to dial its chaincode process, with mutual TLS."""
    tls = layout.tls(node.organization, node.name)
    document = {
        "address": node.address,
        "dial_timeout": "10s",
        "tls_required": True,
        "client_auth_required": True,
        "client_key": (tls / "key.pem").read_text(),
        "client_cert": (tls / "cert.pem").read_text(),
        "root_cert": (tls / "ca.pem").read_text(),
    }
    path = layout.connections(node.organization) / f"{chaincode.label}.json"
    write_atomically(path, json.dumps(document), 0o600)


def definition(chaincode: Chaincode, topology: Topology, sequence: int) -> ChaincodeDefinition:
    """What the organisations agree on; see `docs/design/network.md` for the custodians."""
    return ChaincodeDefinition(
        name=chaincode.name,
        version=chaincode.version,
        sequence=sequence,
        endorsement_policy=endorsement_policy(policy(chaincode, topology)),
        collections=collection_config_package(collections(chaincode, topology)),
    )


def policy(chaincode: Chaincode, topology: Topology) -> str:
    """The chaincode's endorsement policy: its custodians', its witnesses' or the channel's."""
    if chaincode.witnesses:
        others = [
            member.name
            for member in topology.members(chaincode.channel)
            if member.name not in chaincode.witnesses
        ]
        one_of_each = (
            f"OR({_principals(names, 'peer', topology)})" for names in (chaincode.witnesses, others)
        )
        return f"AND({', '.join(one_of_each)})"
    if chaincode.custodians:
        return majority_of_custodians(chaincode, topology)
    return "/Channel/Application/Endorsement"


def majority_of_custodians(chaincode: Chaincode, topology: Topology) -> str:
    """A signature policy."""
    peers = _principals(chaincode.custodians, "peer", topology)
    return f"OutOf({len(chaincode.custodians) // 2 + 1}, {peers})"


def _principals(organizations: Iterable[str], role: str, topology: Topology) -> str:
    return ", ".join(f"'{topology.organization(name).msp_id}.{role}'" for name in organizations)


def collections(chaincode: Chaincode, topology: Topology) -> list[dict[str, Any]]:
    """Fabric's collection configuration of the chaincode's shared collections."""
    custodians = chaincode.custodians
    shared = [
        _collection(name, custodians, majority_of_custodians(chaincode, topology), topology)
        for name in chaincode.collections
    ]
    pairwise = [
        _collection(
            f"{prefix}-{'-'.join(sorted(topology.organization(name).msp_id for name in pair))}",
            pair,
            f"AND({_principals(pair, 'peer', topology)})",
            topology,
        )
        for prefix, members in chaincode.pairwise.items()
        for pair in combinations(members, 2)
    ]
    return shared + pairwise


def _collection(
    name: str, members: Sequence[str], endorsement: str, topology: Topology
) -> dict[str, Any]:
    others = len(members) - 1
    copies = [topology.organization(member).private_data_copies for member in members]
    return {
        "name": name,
        "policy": f"OR({_principals(members, 'member', topology)})",
        # An endorser answers only when one more member holds the data, or more peers of whichever
        # members where one of them asks for that many.
        "requiredPeerCount": max(min(1, others), *copies),
        "maxPeerCount": others + sum(copies),
        "blockToLive": 0,
        "memberOnlyRead": True,
        "memberOnlyWrite": True,
        "endorsementPolicy": {"signaturePolicy": endorsement},
    }


async def approve_and_commit(
    chaincode: Chaincode,
    topology: Topology,
    lifecycles: Mapping[str, AsyncLifecycle],
    *,
    anew: bool = False,
) -> bool:
    """Approve for every member of the channel and commit; False when it was committed already.

    anew: also then, as the next sequence.

    `lifecycles` has one for each member, by organisation name, each with that organisation's
    administrator.
    """
    first = next(iter(lifecycles.values()))
    committed = await first.committed(chaincode.name)
    sequence = 1 if committed is None else committed.sequence
    wanted = definition(chaincode, topology, sequence)
    if wanted == committed and not anew:
        return False
    if committed is not None:
        wanted = definition(chaincode, topology, sequence + 1)
    identifier = chaincode_package_id(chaincode)
    msp_ids = {name: topology.organization(name).msp_id for name in lifecycles}
    await asyncio.gather(
        *(
            _repeated(partial(lifecycle.approve, wanted, identifier, msp_id=msp_ids[name]))
            for name, lifecycle in lifecycles.items()
        )
    )
    everyone = list(msp_ids.values())
    await _repeated(partial(first.commit, wanted, endorsing_organizations=everyone))
    return True


async def _repeated(call: Callable[[], Awaitable[bool]]) -> None:
    """Call again when the transaction of an earlier `up`, cut off, was still on its way.

    Both calls of the lifecycle look first whether there is anything left to do.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            await call()
        except (CommitError, EndorseError):
            await asyncio.sleep(0.1)
        else:
            return
    await call()
