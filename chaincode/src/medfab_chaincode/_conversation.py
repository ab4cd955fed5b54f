"""One transaction's requests to the peer: one at a time, in order, each answered once."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2

from medfab_chaincode._transport import PAYLOAD_BYTES
from medfab_chaincode.errors import ChaincodeError, PeerError

ChaincodeMessage = chaincode_shim_pb2.ChaincodeMessage


_GIVEN_UP = (b"no ledger context", b"could not get valid transaction")
"""How the peer's ERROR ends when it knows the transaction no more: it has timed out there."""


@dataclass(frozen=True, kw_only=True)
class Batching:
    """What the peer announced in READY; a size of 0 means: send one by one."""

    writes: int = 0
    """Most records in one `WRITE_BATCH_STATE`."""

    reads: int = 0
    """Most keys in one `GET_STATE_MULTIPLE`."""

    @classmethod
    def from_ready(cls, payload: bytes) -> "Batching":
        """Read `ChaincodeAdditionalParams`; peers before 3.0 send nothing: no batching."""
        announced = chaincode_pb2.ChaincodeAdditionalParams.FromString(payload)
        return cls(
            writes=announced.max_size_write_batch if announced.use_write_batch else 0,
            reads=announced.max_size_get_multiple_keys if announced.use_get_multiple_keys else 0,
        )


class Conversation:
    """The requests of one transaction, keyed by (channel, transaction id) at the peer.

    The peer silently drops a second request while one is outstanding, so the others wait here.
    The outstanding request belongs to the conversation, not to the task that awaits it: when
    that task is cancelled the answer still comes, and must not be taken for the next one's.
    """

    def __init__(
        self,
        *,
        channel_id: str,
        transaction_id: str,
        batching: Batching,
        send: Callable[[bytes], None],
    ) -> None:
        self.channel_id = channel_id
        self.transaction_id = transaction_id
        self.batching = batching
        self.messages = 0
        """Messages sent and received so far, the terminal one not included."""
        self.abandoned = False
        """Nobody awaits the transaction's answer: the peer gave it up, or the stream is lost."""
        self._send = send
        self._outstanding: tuple[str, asyncio.Future[bytes]] | None = None
        self._queue: deque[tuple[str, bytes, asyncio.Future[bytes]]] = deque()
        self._closed: ChaincodeError | None = None
        self._idle: asyncio.Future[None] | None = None

    def request(self, kind: str, payload: bytes) -> "asyncio.Future[bytes]":
        """Ask the peer; the future holds the payload of its RESPONSE.

        It fails with `PeerError` when the peer answers ERROR, with `StreamLostError` when the
        stream ends first, and with `ChaincodeError` when the transaction is already over or the
        payload does not fit into a message.
        """
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        if self._closed is not None:
            # Not at once: who tries again and again would never let the event loop go on.
            asyncio.get_running_loop().call_soon(_fail, future, self._closed)
        elif len(payload) > PAYLOAD_BYTES:
            _fail(future, ChaincodeError(f"a request is at most {PAYLOAD_BYTES} bytes"))
        elif self._outstanding is None:
            self._dispatch(kind, payload, future)
        else:
            self._queue.append((kind, payload, future))
        return future

    def deliver(self, *, is_error: bool, payload: bytes) -> bool:
        """Take the peer's answer to the outstanding request; False if there is none."""
        if self._outstanding is None:
            return False
        self.messages += 1
        kind, future = self._outstanding
        self._outstanding = None
        if is_error:
            error = PeerError(kind, payload.decode("utf-8", "replace"))
            _fail(future, error)
            if payload.endswith(_GIVEN_UP):
                self.abandon(error)
        elif not future.done():
            future.set_result(payload)
        while self._queue and self._outstanding is None:
            next_kind, next_payload, next_future = self._queue.popleft()
            if not next_future.done():
                self._dispatch(next_kind, next_payload, next_future)
        if self._idle is not None and self._outstanding is None and not self._idle.done():
            self._idle.set_result(None)
        return True

    async def close(self) -> None:
        """Refuse further requests, drop the queued ones and wait for the outstanding one.

        Without the wait a late answer could meet a later transaction of the same id.
        """
        over = ChaincodeError("the transaction is over: its function has already returned")
        self._refuse(over)
        if self._outstanding is not None:
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle

    def abandon(self, error: ChaincodeError) -> None:
        """Fail everything outstanding, queued and still to come: no answer will come any more."""
        self.abandoned = True
        self._refuse(error)
        if self._outstanding is not None:
            _fail(self._outstanding[1], error)
            self._outstanding = None
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _refuse(self, error: ChaincodeError) -> None:
        self._closed = error
        while self._queue:
            _fail(self._queue.popleft()[2], error)

    def _dispatch(self, kind: str, payload: bytes, future: "asyncio.Future[bytes]") -> None:
        self._outstanding = (kind, future)
        self.messages += 1
        self._send(
            ChaincodeMessage(
                type=kind,
                payload=payload,
                txid=self.transaction_id,
                channel_id=self.channel_id,
            ).SerializeToString()
        )


def _fail(future: "asyncio.Future[bytes]", error: ChaincodeError) -> None:
    if not future.done():
        future.set_exception(error)
        # Marks it as seen: asyncio would else log the text of a failure that nobody awaited.
        future.exception()
