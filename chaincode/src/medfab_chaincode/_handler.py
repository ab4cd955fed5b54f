"""One stream to one peer: handshake, and every message to the transaction it belongs to."""

import asyncio
import logging
import time
from typing import Any

from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2, proposal_response_pb2

from medfab_chaincode._conversation import Batching, Conversation
from medfab_chaincode._execution import Executor, Outcome
from medfab_chaincode._log import describe_failure
from medfab_chaincode._transport import Stream
from medfab_chaincode.errors import StreamLostError

ChaincodeMessage = chaincode_shim_pb2.ChaincodeMessage

_log = logging.getLogger("medfab_chaincode.stream")
_transaction_log = logging.getLogger("medfab_chaincode.transaction")

_UNWIND_SECONDS = 1.0
"""How long contracts may clean up after their stream is lost, before they are cancelled."""


class StreamHandler:
    """Serves one stream until the peer ends it or `drain` is called.

    All state is the stream's own: several peers, organisations and channels are served by as
    many handlers in one process. One task reads, one task writes, and each transaction has its
    own; they share nothing but the queue of outgoing messages.
    """

    def __init__(self, stream: Stream, *, chaincode_id: str, executor: Executor) -> None:
        self._stream = stream
        self._chaincode_id = chaincode_id
        self._executor = executor
        self._batching = Batching()
        self._conversations: dict[tuple[str, str], Conversation] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._outbox: asyncio.Queue[bytes | None] = asyncio.Queue()  # None: nothing follows
        self._draining = False

    async def run(self) -> None:
        """Register with the peer and serve it. Returns when the stream is over, either way."""
        chaincode_id = chaincode_pb2.ChaincodeID(name=self._chaincode_id)
        self._send(ChaincodeMessage(type="REGISTER", payload=chaincode_id.SerializeToString()))
        reader = asyncio.create_task(self._read())
        writer = asyncio.create_task(self._write())
        try:
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._abandon()
            reader.cancel()
            writer.cancel()
            for result in await asyncio.gather(reader, writer, return_exceptions=True):
                if isinstance(result, Exception):
                    _log.warning("the stream broke", extra={"error": describe_failure(result)})

    async def drain(self, seconds: float) -> None:
        """Take no more transactions, let the running ones finish, then end the stream."""
        self._draining = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        self._outbox.put_nowait(None)

    # -- the two ends of the stream ----------------------------------------------------------

    async def _read(self) -> None:
        while (message := await self._stream.receive()) is not None:
            self._handle(message)

    async def _write(self) -> None:
        while (message := await self._outbox.get()) is not None:
            await self._stream.send(message)

    def _send(self, message: Any) -> None:
        self._outbox.put_nowait(message.SerializeToString())

    async def _abandon(self) -> None:
        for conversation in self._conversations.values():
            conversation.fail(StreamLostError("the stream to the peer ended"))
        if self._tasks:
            _, stuck = await asyncio.wait(self._tasks, timeout=_UNWIND_SECONDS)
            for task in stuck:
                task.cancel()

    # -- incoming messages -------------------------------------------------------------------

    def _handle(self, raw: bytes) -> None:
        message = ChaincodeMessage.FromString(raw)
        kind = message.type
        if kind in (ChaincodeMessage.RESPONSE, ChaincodeMessage.ERROR):
            conversation = self._conversations.get((message.channel_id, message.txid))
            is_error = kind == ChaincodeMessage.ERROR
            if conversation is None or not conversation.deliver(
                is_error=is_error, payload=message.payload
            ):
                _log.info("ignored an answer that nobody awaits")
        elif kind in (ChaincodeMessage.TRANSACTION, ChaincodeMessage.INIT):
            self._start(message)
        elif kind == ChaincodeMessage.KEEPALIVE:
            self._outbox.put_nowait(raw)
        elif kind == ChaincodeMessage.READY:
            self._batching = Batching.from_ready(message.payload)
            _log.info("ready for the peer's transactions")
        elif kind != ChaincodeMessage.REGISTERED:
            _log.warning("ignored a message of unknown type", extra={"type": kind})

    def _start(self, message: Any) -> None:
        key = (message.channel_id, message.txid)
        if self._draining:
            self._refuse(message, "the chaincode is shutting down; try again")
        elif key in self._conversations:
            self._refuse(message, "a transaction of this id is running already; try again later")
        else:
            conversation = Conversation(
                channel_id=message.channel_id,
                transaction_id=message.txid,
                batching=self._batching,
                send=self._outbox.put_nowait,
            )
            self._conversations[key] = conversation
            task = asyncio.create_task(self._transact(message, conversation))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _refuse(self, message: Any, reason: str) -> None:
        _log.warning("refused a transaction: %s", reason, extra={"transaction_id": message.txid})
        self._send(
            ChaincodeMessage(
                type="ERROR",
                payload=reason.encode(),
                txid=message.txid,
                channel_id=message.channel_id,
            )
        )

    # -- one transaction ---------------------------------------------------------------------

    async def _transact(self, message: Any, conversation: Conversation) -> None:
        started = time.perf_counter()
        try:
            outcome = await self._executor.execute(
                conversation,
                payload=message.payload,
                proposal=message.proposal,
            )
            await conversation.close()
        finally:
            del self._conversations[message.channel_id, message.txid]
        self._send(_completed(conversation, outcome))
        _transaction_log.info(
            "transaction",
            extra={
                "transaction_id": conversation.transaction_id,
                "function": outcome.function,
                "status": outcome.status,
                "milliseconds": round((time.perf_counter() - started) * 1000, 3),
                "messages": conversation.messages + 2,  # TRANSACTION and COMPLETED
            },
        )


def _completed(conversation: Conversation, outcome: Outcome) -> Any:
    response = proposal_response_pb2.Response(
        status=outcome.status, message=outcome.message, payload=outcome.payload
    )
    return ChaincodeMessage(
        type="COMPLETED",
        payload=response.SerializeToString(),
        txid=conversation.transaction_id,
        channel_id=conversation.channel_id,
        chaincode_event=outcome.event,
    )
