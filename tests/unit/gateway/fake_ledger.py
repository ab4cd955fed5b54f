"""A peer on loopback with a ledger that grows: its streams go on, wait, and break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
from fabric_protos.common import common_pb2, ledger_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    events_pb2,
    proposal_response_pb2,
)

from unit.gateway.fake_gateway import FakeGateway, Proposal, read_seek, verify


@dataclass(frozen=True)
class Transaction:
    id: str
    event: str | None = None
    chaincode: str = "ehr"
    payload: bytes = b""
    valid: bool = True


@dataclass
class FakeLedger(FakeGateway):
    """Answers about `blocks`, from the position asked for; `commit` adds one."""

    blocks: list[list[Transaction]] = field(default_factory=list)
    closed_to_deliver: bool = False
    """As `event/Block` of medfab's channels."""
    unfilterable: set[int] = field(default_factory=set)
    """Numbers of blocks in which there is what a peer cannot take apart."""
    opened: list[tuple[str, int]] = field(default_factory=list)
    """The method and the first block of each stream."""
    open_now: int = 0
    lag: int = 0
    """How many of the newest blocks this peer has not got yet."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _breaks: int = 0
    _break_with: tuple[grpc.StatusCode, str] = (grpc.StatusCode.UNAVAILABLE, "going down")

    @property
    def height(self) -> int:
        return len(self.blocks) - self.lag

    def commit(self, *transactions: Transaction) -> None:
        self.blocks.append(list(transactions))
        self._tell()

    def catch_up(self) -> None:
        self.lag = 0
        self._tell()

    def break_streams(
        self, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE, text: str = "going down"
    ) -> None:
        self._breaks += 1
        self._break_with = code, text
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _numbers(
        self, method: str, start: int, stop: int, context: Any
    ) -> AsyncIterator[int]:
        self.opened.append((method, start))
        breaks = self._breaks
        self.open_now += 1
        try:
            for number in range(start, stop + 1):
                while True:
                    changed = self._changed
                    if self._breaks != breaks:
                        await context.abort(*self._break_with)
                    if number < self.height:
                        break
                    await changed.wait()
                yield number
        finally:
            self.open_now -= 1

    async def ChaincodeEvents(self, request: Any, context: Any) -> AsyncIterator[Any]:
        asked = gateway_pb2.ChaincodeEventsRequest.FromString(request.request)
        verify(asked.identity, request.request, request.signature)
        await self._begin("ChaincodeEvents", asked, context)
        position = asked.start_position
        start = (
            position.specified.number if position.WhichOneof("Type") == "specified" else self.height
        )
        async for number in self._numbers("ChaincodeEvents", start, 2**64 - 2, context):
            events = [
                chaincode_event_pb2.ChaincodeEvent(
                    chaincode_id=transaction.chaincode,
                    tx_id=transaction.id,
                    event_name=transaction.event,
                    payload=transaction.payload,
                )
                for transaction in self.blocks[number]
                if transaction.valid
                and transaction.event
                and transaction.chaincode == asked.chaincode_id
            ]
            if events:
                yield gateway_pb2.ChaincodeEventsResponse(block_number=number, events=events)

    async def _serve_blocks(
        self, method: str, requests: Any, context: Any, answer: Callable[[int], Any]
    ) -> AsyncIterator[Any]:
        envelope = await anext(aiter(requests))
        payload = common_pb2.Payload.FromString(envelope.payload)
        header = common_pb2.SignatureHeader.FromString(payload.header.signature_header)
        verify(header.creator, envelope.payload, envelope.signature)
        await self._begin(method, payload, context)
        _, seek = read_seek(payload)
        start = seek.start.specified.number
        if self.closed_to_deliver and method != "DeliverFiltered":
            yield events_pb2.DeliverResponse(status=common_pb2.FORBIDDEN)
            return
        if start > self.height:
            yield events_pb2.DeliverResponse(status=common_pb2.NOT_FOUND)
            return
        stop = min(seek.stop.specified.number, 2**64 - 2)
        async for number in self._numbers(method, start, stop, context):
            yield answer(number)
        yield events_pb2.DeliverResponse(status=common_pb2.SUCCESS)

    async def Deliver(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        async for answer in self._serve_blocks("Deliver", requests, context, self._whole):
            yield answer

    async def DeliverFiltered(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        stream = self._serve_blocks("DeliverFiltered", requests, context, self._filtered)
        async for answer in stream:
            yield answer

    async def DeliverWithPrivateData(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        stream = self._serve_blocks("DeliverWithPrivateData", requests, context, self._private)
        async for answer in stream:
            yield answer

    def _whole(self, number: int) -> Any:
        return events_pb2.DeliverResponse(block=self._block(number))

    def _filtered(self, number: int) -> Any:
        if number in self.unfilterable:
            return events_pb2.DeliverResponse(status=common_pb2.BAD_REQUEST)
        block = events_pb2.FilteredBlock(number=number, channel_id="care")
        for transaction in self.blocks[number]:
            filtered = block.filtered_transactions.add(
                txid=transaction.id,
                type=common_pb2.ENDORSER_TRANSACTION,
                tx_validation_code=0 if transaction.valid else 11,
            )
            if transaction.event:
                filtered.transaction_actions.chaincode_actions.add().chaincode_event.CopyFrom(
                    chaincode_event_pb2.ChaincodeEvent(
                        chaincode_id=transaction.chaincode, event_name=transaction.event
                    )
                )
        return events_pb2.DeliverResponse(filtered_block=block)

    def _private(self, number: int) -> Any:
        """Each transaction has written `key` in the collection `consents`."""
        writes = kv_rwset_pb2.KVRWSet(writes=[kv_rwset_pb2.KVWrite(key="key", value=b"value")])
        answer = events_pb2.BlockAndPrivateData(block=self._block(number))
        for index, transaction in enumerate(self.blocks[number]):
            private = answer.private_data_map[index]
            namespace = private.ns_pvt_rwset.add(namespace=transaction.chaincode)
            namespace.collection_pvt_rwset.append(
                rwset_pb2.CollectionPvtReadWriteSet(
                    collection_name="consents", rwset=writes.SerializeToString()
                )
            )
        return events_pb2.DeliverResponse(block_and_private_data=answer)

    def _block(self, number: int) -> Any:
        block = common_pb2.Block(header=common_pb2.BlockHeader(number=number))
        for transaction in self.blocks[number]:
            payload = common_pb2.Payload(
                header=common_pb2.Header(
                    channel_header=common_pb2.ChannelHeader(
                        type=common_pb2.ENDORSER_TRANSACTION,
                        channel_id="care",
                        tx_id=transaction.id,
                    ).SerializeToString()
                )
            )
            envelope = common_pb2.Envelope(payload=payload.SerializeToString())
            block.data.data.append(envelope.SerializeToString())
        return block

    async def ProcessProposal(self, request: Any, context: Any) -> Any:
        """`qscc` alone."""
        await self._begin("ProcessProposal", request, context)
        proposal = Proposal.read(request)
        function, channel, *args = proposal.args
        assert (proposal.chaincode, channel) == ("qscc", b"care")
        if function == b"GetChainInfo":
            payload = ledger_pb2.BlockchainInfo(height=self.height).SerializeToString()
        elif int(args[0]) >= self.height:
            return _qscc(500, message=f"no such block number [{int(args[0])}] in index")
        else:
            payload = self._block(int(args[0])).SerializeToString()
        return _qscc(200, payload=payload)


def _qscc(status: int, **answer: Any) -> Any:
    response = proposal_response_pb2.Response(status=status, **answer)
    return proposal_response_pb2.ProposalResponse(response=response)
