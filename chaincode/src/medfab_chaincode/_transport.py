"""The seam between the shim and whatever carries its bytes."""

from typing import Protocol


class Stream(Protocol):
    """One bidirectional stream to one peer, of serialised `protos.ChaincodeMessage`s.

    The handler calls `receive` from one task and `send` from one other, never twice at a time.
    """

    async def receive(self) -> bytes | None:
        """Return the next message, or None when the peer has ended the stream."""

    async def send(self, message: bytes) -> None:
        """Hand one message over; returns when the transport can take the next one."""


MESSAGE_BYTES = 100 * 1024 * 1024
"""The largest message that a peer sends or takes."""

PAYLOAD_BYTES = MESSAGE_BYTES - 64 * 1024
"""The largest payload of a message: the rest is for ids and an error text.

A larger message would not fail one transaction but end the stream, and with it all of them.
"""
