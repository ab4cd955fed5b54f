"""A real channel and a ledger in memory that get the very same proposals, block for block.

Both run `differential_contract.Everything`. Every answer is compared where it is given; the
signed bytes of an endorsement hold the result, the event and the whole read-write set.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import proposal_pb2, proposal_response_pb2, transaction_pb2

from integration.conftest import on_free_ports
from integration.differential_contract import Everything, Operation, encode
from medfab_chaincode.testing import (
    Collection,
    EndorseError,
    EvaluateError,
    Ledger,
    NondeterminismError,
    Transaction,
    all_of,
    any_of,
)
from medfab_chaincode.testing._channel import Channel
from medfab_chaincode.testing._gateway import endorse_proposal, evaluate_proposal
from medfab_chaincode.testing._lifecycle import LIFECYCLE
from medfab_chaincode.testing._proposals import Proposal
from medfab_chaincode.testing._world import Space, Version, Versioned
from medfab_gateway import (
    AsyncContract,
    AsyncNetwork,
    AsyncProposal,
    AsyncTransaction,
    Block,
    decode_block,
    errors,
)
from medfab_gateway.admin import (
    AsyncLifecycle,
    ChaincodeDefinition,
    collection_config_package,
    endorsement_policy,
)
from medfab_network import Network, parse_topology

HOSPITAL, CLINIC, REGULATOR = "HospitalMSP", "ClinicMSP", "RegulatorMSP"
ORGANIZATIONS = {"hospital": HOSPITAL, "clinic": CLINIC, "regulator": REGULATOR}
IMPLICIT = f"_implicit_org_{HOSPITAL}"
SECRETS, BRIEF, OWN = "secrets", "brief", "own"

_COLLECTIONS = [
    {
        "name": SECRETS,
        "policy": f"OR('{HOSPITAL}.member', '{CLINIC}.member')",
        "requiredPeerCount": 1,
        "maxPeerCount": 1,
        "memberOnlyRead": True,
        "memberOnlyWrite": True,
        "endorsementPolicy": {"signaturePolicy": f"OR('{HOSPITAL}.peer', '{CLINIC}.peer')"},
    },
    {
        "name": BRIEF,
        "policy": f"OR('{HOSPITAL}.member', '{CLINIC}.member')",
        "requiredPeerCount": 1,
        "maxPeerCount": 1,
        "blockToLive": 2,
    },
    # Without a policy of its own: the clinic, no member, has to sign as well.
    {"name": OWN, "policy": f"OR('{HOSPITAL}.member')", "requiredPeerCount": 0, "maxPeerCount": 1},
]


def ledger_in_memory() -> Ledger:
    """The same definitions once more."""
    remote = Ledger(Everything, organizations=[HOSPITAL], name="remote", channel="alone")
    ledger = Ledger(
        Everything,
        name="everything",
        channel="shared",
        organizations=list(ORGANIZATIONS.values()),
        policy=all_of(HOSPITAL, CLINIC),
        collections=[
            Collection(
                name=SECRETS,
                members=[HOSPITAL, CLINIC],
                endorsement_policy=any_of(HOSPITAL, CLINIC),
            ),
            Collection(
                name=BRIEF,
                members=[HOSPITAL, CLINIC],
                member_only_read=False,
                member_only_write=False,
                block_to_live=2,
            ),
            Collection(
                name=OWN, members=[HOSPITAL], member_only_read=False, member_only_write=False
            ),
        ],
        other_ledgers=[remote],
    )
    ledger.deploy("other", Everything)
    return ledger


@dataclass(frozen=True)
class Endorsed:
    """One transaction on both sides, before it is in a block."""

    real: AsyncTransaction
    simulated: Transaction


class Twins:
    """Gives both sides the same work and fails the test where they differ."""

    def __init__(self, networks: dict[str, AsyncNetwork], ledger: Ledger) -> None:
        self._networks = networks
        """The channel as each organisation's administrator sees it, through its own peer."""
        self._ledger = ledger

    async def evaluate(
        self, operations: list[Operation], *, caller: str = HOSPITAL, peer: str = HOSPITAL
    ) -> Any:
        """Ask one peer; returns the answers, or None where both refused."""
        proposal = self._propose(operations, caller, [peer])
        try:
            simulated = (await evaluate_proposal(self._channel, _twin(proposal), peer)).result
        except EvaluateError as error:
            with pytest.raises(errors.EvaluateError) as caught:
                await proposal.evaluate()
            _assert_same_refusal(caught.value, error)
            return None
        real = await proposal.evaluate()
        assert json.loads(real) == json.loads(simulated)
        assert real == simulated
        return json.loads(real)

    async def endorse(
        self,
        operations: list[Operation],
        *,
        caller: str = HOSPITAL,
        endorsers: Sequence[str] | None = None,
        transient: Mapping[str, bytes] | None = None,
    ) -> Endorsed | None:
        """Let peers sign; None where both refused. endorsers: None: Fabric chooses."""
        proposal = self._propose(operations, caller, endorsers, transient)
        twin = _twin(proposal)
        try:
            real = await proposal.endorse()
        except errors.EndorseError as error:
            with pytest.raises(EndorseError) as caught:
                await endorse_proposal(self._channel, twin, caller, endorsers or ())
            _assert_same_refusal(error, caught.value)
            return None
        payload, signers = _signed(real)
        if endorsers is None:
            # Discovery may choose among several sets that are enough: ours must be as small.
            chosen = await endorse_proposal(self._channel, twin, caller, ())
            assert len(chosen.endorsers) == len(signers)
        simulated = await endorse_proposal(self._channel, twin, caller, signers)
        _assert_same_payload(payload, simulated.response_payload)
        return Endorsed(real, simulated)

    async def commit(self, *endorsed: Endorsed) -> list[str]:
        """Submit in this order, as fast as the orderer takes them; returns the codes."""
        commits = [await each.real.submit() for each in endorsed]
        statuses = [await commit.status() for commit in commits]
        await self._everywhere(statuses[-1].transaction_id)
        by_id = {each.simulated.transaction_id: each.simulated for each in endorsed}
        for number in sorted({status.block_number for status in statuses}):
            block = await self._block(number)
            self._move_to(number)
            transactions = [by_id[each.transaction_id] for each in block.transactions]
            codes = self._ledger.commit(*transactions)
            assert list(codes) == [each.validation_code for each in block.transactions]
        return [status.code for status in statuses]

    async def submit(
        self,
        operations: list[Operation],
        *,
        caller: str = HOSPITAL,
        endorsers: Sequence[str] | None = None,
        transient: Mapping[str, bytes] | None = None,
    ) -> str | None:
        """Endorse and commit alone; returns the validation code, None where it was refused."""
        endorsed = await self.endorse(
            operations, caller=caller, endorsers=endorsers, transient=transient
        )
        return None if endorsed is None else (await self.commit(endorsed))[0]

    async def begin(self, height: int) -> None:
        """Bring the ledger in memory to the height, and its definitions to their versions."""
        self._move_to(height)
        operations = [
            ["get", SECRETS, "x"],
            ["call", "other", "", encode([["get", IMPLICIT, "x"]])],
        ]
        proposal = self._propose(operations, HOSPITAL, [HOSPITAL])
        payload, _ = _signed(await proposal.endorse())
        definitions = {
            (Space(LIFECYCLE), read.key): Versioned(
                b"defined", Version(read.version.block_num, read.version.tx_num)
            )
            for read in _sets(payload)[LIFECYCLE][""].reads
        }
        self._channel.world = self._channel.world.updated(definitions)

    # -- inside ------------------------------------------------------------------------------

    @property
    def _channel(self) -> Channel:
        return self._ledger._channel

    def _contract(self, caller: str) -> AsyncContract:
        return self._networks[caller].contract("everything")

    def _move_to(self, height: int) -> None:
        self._channel.world = replace(self._channel.world, height=height)

    def _propose(
        self,
        operations: list[Operation],
        caller: str,
        organizations: Sequence[str] | None,
        transient: Mapping[str, bytes] | None = None,
    ) -> AsyncProposal:
        return self._contract(caller).proposal(
            "Run",
            encode(operations),
            endorsing_organizations=organizations,
            transient=transient,
        )

    async def _block(self, number: int) -> Block:
        arguments = ("GetBlockByNumber", "shared", str(number))
        system = self._networks[HOSPITAL].contract("qscc")
        return decode_block(await system.evaluate(*arguments, target_organizations=[HOSPITAL]))

    async def _everywhere(self, transaction_id: str) -> None:
        """Wait until the peer of every organisation has the transaction in a block."""
        await asyncio.gather(
            *(network.commit(transaction_id).status() for network in self._networks.values())
        )


def _twin(proposal: AsyncProposal) -> Proposal:
    proposed = gateway_pb2.ProposedTransaction.FromString(proposal.bytes)
    return Proposal.from_bytes(proposed.proposal.proposal_bytes, proposed.proposal.signature)


def _signed(transaction: AsyncTransaction) -> tuple[bytes, list[str]]:
    """The bytes that the endorsers signed, and who they are."""
    prepared = gateway_pb2.PreparedTransaction.FromString(transaction.bytes)
    payload = common_pb2.Payload.FromString(prepared.envelope.payload)
    (action,) = transaction_pb2.Transaction.FromString(payload.data).actions
    endorsed = transaction_pb2.ChaincodeActionPayload.FromString(action.payload).action
    signers = [
        identities_pb2.SerializedIdentity.FromString(endorsement.endorser).mspid
        for endorsement in endorsed.endorsements
    ]
    return endorsed.proposal_response_payload, signers


def _sets(payload: bytes) -> dict[str, dict[str, Any]]:
    """By chaincode and collection (empty: the public part), with the hash of each private part."""
    sets = rwset_pb2.TxReadWriteSet.FromString(_action(payload).results)
    return {
        each.namespace: {
            "": kv_rwset_pb2.KVRWSet.FromString(each.rwset),
            **{
                private.collection_name: (
                    kv_rwset_pb2.HashedRWSet.FromString(private.hashed_rwset),
                    private.pvt_rwset_hash,
                )
                for private in each.collection_hashed_rwset
            },
        }
        for each in sets.ns_rwset
    }


def _action(payload: bytes) -> Any:
    response = proposal_response_pb2.ProposalResponsePayload.FromString(payload)
    return proposal_pb2.ChaincodeAction.FromString(response.extension)


def _assert_same_payload(real: bytes, simulated: bytes) -> None:
    """The bytes are equal; what they hold is compared first, for a readable difference."""
    theirs, ours = _action(real), _action(simulated)
    assert _sets(real) == _sets(simulated)
    assert theirs.response == ours.response
    assert theirs.events == ours.events
    assert real == simulated


def _assert_same_refusal(real: Any, simulated: EndorseError | EvaluateError) -> None:
    assert real.code.name == simulated.code
    if not simulated.details:
        assert str(simulated) in str(real)
    if isinstance(simulated, NondeterminismError):
        # Whose answer is the odd one out depends on which peer answers first.
        assert {each.message for each in real.details} == {simulated.details[0].message}
        return
    assert {(each.msp_id, each.message) for each in real.details} == {
        (each.msp_id, each.message) for each in simulated.details
    }


@asynccontextmanager
async def running_twins(directory: Path) -> AsyncIterator[Twins]:
    """A real network of three organisations, and its twin."""
    everyone = list(ORGANIZATIONS)
    chaincodes = [("everything", "shared"), ("other", "shared"), ("remote", "alone")]
    topology = on_free_ports(
        parse_topology(
            {
                "ordering": {"orderers": 1},
                "organizations": [
                    {"name": name, "msp_id": msp_id} for name, msp_id in ORGANIZATIONS.items()
                ],
                "channels": [
                    {"name": "shared", "organizations": everyone},
                    {"name": "alone", "organizations": ["hospital"]},
                ],
                "chaincodes": [
                    {
                        "name": name,
                        "channel": channel,
                        "version": "1.0",
                        "contract": "integration.differential_contract:Everything",
                    }
                    for name, channel in chaincodes
                ],
            }
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
        async with Network(directory, topology).running() as network, _twins(network) as twins:
            yield twins


@asynccontextmanager
async def _twins(network: Network) -> AsyncIterator[Twins]:
    async with AsyncExitStack() as stack:
        gateways = {
            msp_id: await stack.enter_async_context(network.gateway(name))
            for name, msp_id in ORGANIZATIONS.items()
        }
        networks = {msp_id: gateway.network("shared") for msp_id, gateway in gateways.items()}
        await _define_collections({msp: AsyncLifecycle(each) for msp, each in networks.items()})
        twins = Twins(networks, ledger_in_memory())
        await twins.begin(await network.ledger_height("hospital", "shared"))
        yield twins


async def _define_collections(lifecycles: dict[str, AsyncLifecycle]) -> None:
    """Define the chaincode once more, with collections that a topology cannot describe."""
    first = lifecycles[HOSPITAL]
    approved = await first.approved("everything", 1, msp_id=HOSPITAL)
    assert approved is not None
    definition = ChaincodeDefinition(
        name="everything",
        version="1.0",
        sequence=2,
        endorsement_policy=endorsement_policy(f"AND('{HOSPITAL}.peer', '{CLINIC}.peer')"),
        collections=collection_config_package(_COLLECTIONS),
    )
    for msp_id, lifecycle in lifecycles.items():
        await lifecycle.approve(definition, approved.package_id, msp_id=msp_id)
    await first.commit(definition, endorsing_organizations=list(lifecycles))
