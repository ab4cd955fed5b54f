"""The peer of one organisation: it runs proposals and answers with what they would do."""

from dataclasses import dataclass, field
from typing import Any

from fabric_protos.peer import (
    chaincode_pb2,
    chaincode_shim_pb2,
    proposal_pb2,
    proposal_response_pb2,
)

from medfab_chaincode.testing._channel import Channel
from medfab_chaincode.testing._proposals import Proposal
from medfab_chaincode.testing._read_write_set import ReadWriteSet
from medfab_chaincode.testing._refusal import RefusalError
from medfab_chaincode.testing._requests import Call, Requests
from medfab_chaincode.testing._simulation import Simulation
from medfab_chaincode.testing._stream import run_transaction

ChaincodeMessage = chaincode_shim_pb2.ChaincodeMessage


@dataclass(frozen=True, kw_only=True)
class Endorsement:
    """A peer's answer to a proposal."""

    msp_id: str
    status: int
    message: str = field(repr=False)
    result: bytes = field(repr=False)
    event: Any = field(repr=False)
    """A `protos.ChaincodeEvent`; None if there is none."""
    sets: ReadWriteSet = field(repr=False)
    private_reads: frozenset[tuple[str, str]]
    """(chaincode, collection) of the private values that were read."""
    response_payload: bytes = field(repr=False)
    """The serialised `ProposalResponsePayload`: what has to be equal among the endorsers."""


class Endorser:
    """Runs one proposal at the peer of one organisation."""

    def __init__(self, channel: Channel, msp_id: str, proposal: Proposal) -> None:
        self._channel = channel
        self._msp_id = msp_id
        self._proposal = proposal
        self._running: set[tuple[str, str]] = set()
        """(channel, chaincode) of the calls under way: none can be called by itself."""

    async def process(self) -> Endorsement:
        """Run the proposal. Raises `RefusalError` where the peer itself fails it."""
        proposal, channel = self._proposal, self._channel
        simulation = self._simulation(channel)
        chaincode_input = chaincode_pb2.ChaincodeInput(args=proposal.args)
        simulation.read_sequence(proposal.chaincode)
        ending = await self._execute(channel, simulation, proposal.chaincode, chaincode_input)
        if ending.type != ChaincodeMessage.COMPLETED:
            raise RefusalError(
                f"error in simulation: failed to execute transaction {proposal.transaction_id}:"
                f" transaction returned with failure: {ending.payload.decode()}"
            )
        response = proposal_response_pb2.Response.FromString(ending.payload)
        event = self._event(ending)
        sets = simulation.finish()
        return Endorsement(
            msp_id=self._msp_id,
            status=response.status,
            message=response.message,
            result=response.payload,
            event=event,
            sets=sets,
            private_reads=frozenset(simulation.private_reads),
            response_payload=self._response_payload(response, sets, event),
        )

    # -- inside ------------------------------------------------------------------------------

    def _simulation(self, channel: Channel) -> Simulation:
        return Simulation(
            channel.world, channel.chaincodes, self._msp_id, self._proposal.transaction_id
        )

    async def _execute(
        self, channel: Channel, simulation: Simulation, name: str, chaincode_input: Any
    ) -> Any:
        transaction_id = self._proposal.transaction_id
        running = (channel.id, name)
        if running in self._running:
            raise RefusalError(f"error sending: txid: {transaction_id}({channel.id}) exists")
        call = Call(
            channel_id=channel.id,
            transaction_id=transaction_id,
            chaincode=channel.chaincodes[name],
            creator_msp_id=self._proposal.creator_msp_id,
            simulation=simulation,
            call_chaincode=lambda spec: self._call(channel, simulation, spec),
        )
        message = ChaincodeMessage(
            type="TRANSACTION",
            payload=chaincode_input.SerializeToString(),
            txid=transaction_id,
            channel_id=channel.id,
            proposal=proposal_pb2.SignedProposal(
                proposal_bytes=self._proposal.proposal_bytes, signature=self._proposal.signature
            ),
        )
        self._running.add(running)
        try:
            return await run_transaction(
                channel.executor(self._msp_id, name), message, Requests(call)
            )
        finally:
            self._running.discard(running)

    async def _call(self, channel: Channel, simulation: Simulation, spec: Any) -> bytes:
        name, _, channel_id = spec.chaincode_id.name.partition("/")
        if channel_id and channel_id != channel.id:
            # On another channel with a simulation of its own, which is then dropped.
            channel = self._other(channel_id)
            simulation = self._simulation(channel)
        if name not in channel.chaincodes:
            raise RefusalError(
                f"execute failed: invalid invocation: [channel {channel.id}] failed to get"
                f" chaincode container info for {name}: chaincode {name} not found"
            )
        simulation.read_sequence(name)
        try:
            ending = await self._execute(channel, simulation, name, spec.input)
        except RefusalError as error:
            raise RefusalError(f"execute failed: {error}") from None
        serialized: bytes = ending.SerializeToString()
        return serialized

    def _other(self, channel_id: str) -> Channel:
        other = self._channel.others.get(channel_id)
        if other is None or self._msp_id not in other.organizations:
            raise RefusalError(f"Failed to get policy manager for channel [{channel_id}]")
        if self._proposal.creator_msp_id not in other.organizations:
            raise RefusalError(
                "Failed evaluating policy on signed data during check policy on channel"
                f" [{channel_id}] with policy [/Channel/Application/Writers]: [implicit policy"
                " evaluation failed - 0 sub-policies were satisfied, but this policy requires 1"
                " of the 'Writers' sub-policies to be satisfied]"
            )
        return other

    def _event(self, ending: Any) -> Any:
        if not ending.HasField("chaincode_event"):
            return None
        event = ending.chaincode_event
        event.chaincode_id = self._proposal.chaincode
        event.tx_id = self._proposal.transaction_id
        return event

    def _response_payload(self, response: Any, sets: ReadWriteSet, event: Any) -> bytes:
        chaincode = self._channel.chaincodes[self._proposal.chaincode]
        action = proposal_pb2.ChaincodeAction(
            results=sets.to_bytes(),
            events=b"" if event is None else event.SerializeToString(),
            response=response,
            chaincode_id=chaincode_pb2.ChaincodeID(name=chaincode.name, version=chaincode.version),
        )
        payload = proposal_response_pb2.ProposalResponsePayload(
            proposal_hash=self._proposal.hash, extension=action.SerializeToString()
        )
        serialized: bytes = payload.SerializeToString()
        return serialized
