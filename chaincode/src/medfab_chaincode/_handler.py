"""One stream to one peer: handshake, and every message to the transaction it belongs to."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2, proposal_response_pb2

from medfab_chaincode._conversation import Batching, Conversation
from medfab_chaincode._execution import Executor, Outcome
from medfab_chaincode._log import describe_failure
from medfab_chaincode._observation import Observer, TransactionReport
from medfab_chaincode._transport import Stream
from medfab_chaincode.errors import StreamLostError

ChaincodeMessage = chaincode_shim_pb2.ChaincodeMessage

_log = logging.getLogger("medfab_chaincode.stream")

_UNWIND_SECONDS = 1.0
"""How long a contract may clean up after peer or stream are lost to it, before it is cancelled."""


@dataclass(frozen=True, slots=True)
class _Running:
    conversation: Conversation
    task: asyncio.Task[None]


class StreamHandler:
    """Serves one stream until the peer ends it or `drain` is called.

    All state is the stream's own: several peers, organisations and channels are served by as
    many handlers in one process. One task reads, one task writes, and each transaction has its
    own; they share nothing but the queue of outgoing messages.
    """

    def __init__(
        self, stream: Stream, *, chaincode_id: str, executor: Executor, observer: Observer
    ) -> None:
        self._stream = stream
        self._chaincode_id = chaincode_id
        self._executor = executor
        self._observer = observer
        self._batching = Batching()
        self._running: dict[tuple[str, str], _Running] = {}
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
            # Before all else: who reads on would begin transactions that nobody ends.
            reader.cancel()
            writer.cancel()
            await self._abandon()
            for result in await asyncio.gather(reader, writer, return_exceptions=True):
                if isinstance(result, Exception):
                    _log.warning("the stream broke", extra={"error": describe_failure(result)})

    async def drain(self, seconds: float) -> None:
        """Take no more transactions, let the running ones finish, then end the stream."""
        self._draining = True
        if tasks := self._tasks():
            await asyncio.wait(tasks, timeout=seconds)
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

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [running.task for running in self._running.values()]

    async def _abandon(self) -> None:
        for running in self._running.values():
            running.conversation.abandon(StreamLostError("the stream to the peer ended"))
        if tasks := self._tasks():
            _, stuck = await asyncio.wait(tasks, timeout=_UNWIND_SECONDS)
            for task in stuck:
                task.cancel()

    # -- incoming messages -------------------------------------------------------------------

    def _handle(self, raw: bytes) -> None:
        message = ChaincodeMessage.FromString(raw)
        kind = message.type
        if kind in (ChaincodeMessage.RESPONSE, ChaincodeMessage.ERROR):
            self._deliver(message)
        elif kind in (ChaincodeMessage.TRANSACTION, ChaincodeMessage.INIT):
            self._start(message)
        elif kind == ChaincodeMessage.KEEPALIVE:
            self._outbox.put_nowait(raw)
        elif kind == ChaincodeMessage.READY:
            self._batching = Batching.from_ready(message.payload)
            _log.info("ready for the peer's transactions")
        elif kind != ChaincodeMessage.REGISTERED:
            _log.warning("ignored a message of unknown type", extra={"type": kind})

    def _deliver(self, message: Any) -> None:
        running = self._running.get((message.channel_id, message.txid))
        if running is None or not running.conversation.deliver(
            is_error=message.type == ChaincodeMessage.ERROR, payload=message.payload
        ):
            _log.info("ignored an answer that nobody awaits")
        elif running.conversation.abandoned:
            asyncio.get_running_loop().call_later(_UNWIND_SECONDS, running.task.cancel)

    def _start(self, message: Any) -> None:
        key = (message.channel_id, message.txid)
        if self._draining:
            self._refuse(message, "the chaincode is shutting down; try again")
        elif key in self._running:
            self._refuse(message, "a transaction of this id is running already; try again later")
        else:
            conversation = Conversation(
                channel_id=message.channel_id,
                transaction_id=message.txid,
                batching=self._batching,
                send=self._outbox.put_nowait,
            )
            task = asyncio.create_task(self._transact(message, conversation))
            self._running[key] = _Running(conversation, task)

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
        began_ns, began = time.time_ns(), time.perf_counter()
        try:
            outcome = await self._executor.execute(
                conversation,
                payload=message.payload,
                proposal=message.proposal,
            )
            await conversation.close()
        finally:
            del self._running[message.channel_id, message.txid]
        # Who has given the transaction up wants no answer: it could meet the client's next try.
        if not conversation.abandoned:
            self._send(_completed(conversation, outcome))
        self._observer.transaction_ended(
            TransactionReport(
                transaction_id=conversation.transaction_id,
                channel_id=conversation.channel_id,
                function=outcome.function,
                status=None if conversation.abandoned else outcome.status,
                began_ns=began_ns,
                seconds=time.perf_counter() - began,
                messages=conversation.messages + 2,  # TRANSACTION and COMPLETED
            )
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
