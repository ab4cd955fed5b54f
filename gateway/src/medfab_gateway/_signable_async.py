"""What is sent with a signature: the message, and the part of it that is signed."""

from __future__ import annotations

import builtins
from typing import Any

from medfab_gateway._calls_async import AsyncClient


class AsyncSignable:
    """The common part of proposals, transactions, commits and event requests.

    For signing elsewhere: `bytes` goes to the other side, `digest` to the signer, and the
    signature comes back through `gateway.offline`.
    """

    def __init__(
        self, client: AsyncClient, message: Any, *, signed: Any, content: builtins.bytes
    ) -> None:
        """message: the whole; signed: the part of it that has the field `signature`;
        content: the bytes that the signature is over."""
        self._signing_client = client
        self._message = message
        self._signed = signed
        self._content = content

    async def _sign(self) -> None:
        """A signature that is there already is kept: it may have been made elsewhere."""
        if not self._signed.signature:
            self._signed.signature = await self._signing_client.sign(self._content)

    @property
    def digest(self) -> builtins.bytes:
        """What a signer signs: the hash of the content, or with `Hash.NONE` the content."""
        return self._signing_client.digest(self._content)

    @property
    def bytes(self) -> builtins.bytes:
        """The serialised message, with the signature it has so far."""
        serialized: builtins.bytes = self._message.SerializeToString()
        return serialized
