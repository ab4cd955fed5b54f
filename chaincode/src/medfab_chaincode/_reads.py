"""Reads of single keys: those of one tick travel in one message where the peer can take it."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from fabric_protos.peer import chaincode_shim_pb2

from medfab_chaincode._conversation import Conversation
from medfab_chaincode.errors import PeerError

Answer = asyncio.Future[bytes | None]

UNKNOWN_VALUES = 8
"""Most keys in one message where nobody says how large their values are.

An answer over 100 MiB would end the stream and every transaction on it. Orderers take
transactions of 10 MiB (`AbsoluteMaxBytes`, as Fabric ships it), so no value is larger, and what
succeeds one by one succeeds together.
"""

ANSWER_BYTES = 64 * 1024 * 1024
"""What an answer may have by the contract's own word, which may be a little off."""


class Reader:
    """The reads of one transaction.

    `get_public` coalesces: calls made before the event loop comes round (``asyncio.gather``)
    become one ``GET_STATE_MULTIPLE``. Only public state does so. For private data the messages
    differ in meaning: a value that this peer has lost is an error to ``GET_STATE`` and absent to
    ``GET_STATE_MULTIPLE``, and a contract must get the one that it asked for.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._waiting: list[tuple[str, Answer]] = []

    async def get(self, kind: str, collection: str, key: str) -> bytes | None:
        """Ask for one key in a message of its own: GET_STATE or GET_PRIVATE_DATA_HASH."""
        return await self._conversation.request(kind, _one(collection, key)) or None

    async def get_public(self, key: str) -> bytes | None:
        """Read one public key, together with those asked for in the same tick."""
        if not self._conversation.batching.reads:
            return await self.get("GET_STATE", "", key)
        loop = asyncio.get_running_loop()
        answer: Answer = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._send)
        self._waiting.append((key, answer))
        return await answer

    async def get_many(
        self, collection: str, keys: Sequence[str], value_bytes: int | None
    ) -> list[bytes | None]:
        """Read many keys, in as few messages as the peer and the size of its answers allow."""
        announced = self._conversation.batching.reads
        if not announced:
            return [await self.get("GET_STATE", collection, key) for key in keys]
        size = min(announced, _keys_for(value_bytes))
        values: list[bytes | None] = []
        for start in range(0, len(keys), size):
            some = keys[start : start + size]
            payload = await self._conversation.request(
                "GET_STATE_MULTIPLE", _several(collection, some)
            )
            values += _values(payload, len(some))
        return values

    # -- coalescing --------------------------------------------------------------------------

    def _send(self) -> None:
        # Whoever was cancelled meanwhile asks for nothing any more.
        reads = [read for read in self._waiting if not read[1].done()]
        self._waiting = []
        size = min(self._conversation.batching.reads, UNKNOWN_VALUES)
        for start in range(0, len(reads), size):
            some = reads[start : start + size]
            if len(some) == 1:
                self._send_one(*some[0])
            else:
                answer = self._conversation.request(
                    "GET_STATE_MULTIPLE", _several("", [key for key, _ in some])
                )
                answer.add_done_callback(partial(self._share, some))

    def _send_one(self, key: str, caller: Answer) -> None:
        answer = self._conversation.request("GET_STATE", _one("", key))
        answer.add_done_callback(partial(_pass_on, caller))

    def _share(self, reads: list[tuple[str, Answer]], answer: "asyncio.Future[bytes]") -> None:
        try:
            values = _values(answer.result(), len(reads))
        except PeerError:
            # One key may be to blame: asked one by one, its caller alone gets the error.
            for key, caller in reads:
                if not caller.done():
                    self._send_one(key, caller)
        except Exception as error:
            for _, caller in reads:
                _fail(caller, error)
        else:
            for (_, caller), value in zip(reads, values, strict=True):
                if not caller.done():
                    caller.set_result(value)


def _keys_for(value_bytes: int | None) -> int:
    if value_bytes is None:
        return UNKNOWN_VALUES
    if value_bytes < 1:
        raise ValueError("the size of a value is at least one byte")
    return max(UNKNOWN_VALUES, ANSWER_BYTES // value_bytes)


def _pass_on(caller: Answer, answer: "asyncio.Future[bytes]") -> None:
    error = answer.exception()
    if error is not None:
        _fail(caller, error)
    elif not caller.done():
        caller.set_result(answer.result() or None)


def _fail(caller: Answer, error: BaseException) -> None:
    if not caller.done():
        caller.set_exception(error)
        # Marks it as seen: asyncio would else log the text of a failure that nobody awaited.
        caller.exception()


def _one(collection: str, key: str) -> bytes:
    return _bytes(chaincode_shim_pb2.GetState(key=key, collection=collection))


def _several(collection: str, keys: Sequence[str]) -> bytes:
    return _bytes(chaincode_shim_pb2.GetStateMultiple(keys=keys, collection=collection))


def _bytes(message: Any) -> bytes:
    payload: bytes = message.SerializeToString()
    return payload


def _values(payload: bytes, count: int) -> list[bytes | None]:
    found = chaincode_shim_pb2.GetStateMultipleResult.FromString(payload).values
    if len(found) != count:
        # A peer whose state database failed can answer with success and no values: taken as it
        # is, every key would look absent.
        raise PeerError("GET_STATE_MULTIPLE", f"{len(found)} values came for {count} keys")
    return [value or None for value in found]
