"""An orderer as the members of a channel see it: it takes envelopes, and has the blocks."""

from __future__ import annotations

import secrets
import time

from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2

from medfab_gateway import _aio
from medfab_gateway._closing_async import AsyncClosing
from medfab_gateway._messages.headers import build_header
from medfab_gateway._messages.proposal import NONCE_BYTES
from medfab_gateway.admin._node_async import AsyncNode
from medfab_gateway.admin.errors import OrdererError
from medfab_gateway.endpoint import Endpoint
from medfab_gateway.identity import Hash, Identity, Signer


class AsyncOrderer(AsyncClosing):
    """An orderer, for members of its channels.

        async with AsyncOrderer(endpoint, identity, signer) as orderer:
            genesis_block = await orderer.block("care", 0)

    This is how an organisation that has just been taken in gets its first block. Methods raise
    `OrdererError` where the orderer answers no, and `GatewayError` where it does not answer.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        identity: Identity,
        signer: Signer,
        *,
        hash: Hash | None = None,
        channel: _aio.Channel | None = None,
        timeout: float = 30.0,
    ) -> None:
        """Prepare; arguments are those of `AsyncPeerAdmin`."""
        self._node = AsyncNode(
            endpoint, identity, signer, hash=hash, channel=channel, timeout=timeout
        )

    async def close(self) -> None:
        """Close the connection, unless it was supplied."""
        await self._node.close()

    async def block(self, channel_name: str, number: int | None = None) -> bytes:
        """A serialised block; number None: the newest."""
        which = "the newest block" if number is None else f"block {number}"
        position = (
            ab_pb2.SeekPosition(newest=ab_pb2.SeekNewest())
            if number is None
            else ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=number))
        )
        seek = ab_pb2.SeekInfo(
            start=position, stop=position, behavior=ab_pb2.SeekInfo.FAIL_IF_NOT_READY
        )
        envelope = await self._signed(
            common_pb2.DELIVER_SEEK_INFO, channel_name, seek.SerializeToString()
        )
        action = f"Reading {which} of {channel_name}"
        answer = await self._node.first_answer(self._node.ordering.Deliver, envelope, action=action)
        if answer is None or answer.WhichOneof("Type") != "block":
            status = 0 if answer is None else answer.status
            raise self._no(action, status, "")
        block: bytes = answer.block.SerializeToString()
        return block

    async def config_block(self, channel_name: str) -> bytes:
        """The newest configuration block of a channel, serialised."""
        newest = common_pb2.Block.FromString(await self.block(channel_name))
        metadata = common_pb2.Metadata.FromString(newest.metadata.metadata[common_pb2.SIGNATURES])
        ordering = common_pb2.OrdererBlockMetadata.FromString(metadata.value)
        return await self.block(channel_name, ordering.last_config.index)

    async def broadcast_update(self, channel_name: str, update_envelope: bytes) -> None:
        """Hand in a `common.ConfigUpdateEnvelope`; returns when it is taken, not yet in a block."""
        envelope = await self._signed(common_pb2.CONFIG_UPDATE, channel_name, update_envelope)
        action = f"Submitting the configuration update of {channel_name}"
        answer = await self._node.first_answer(
            self._node.ordering.Broadcast, envelope, action=action
        )
        status, info = (0, "") if answer is None else (answer.status, answer.info)
        if status != common_pb2.SUCCESS:
            raise self._no(action, status, info)

    async def _signed(self, header_type: int, channel_name: str, data: bytes) -> object:
        header = build_header(
            header_type=header_type,
            channel_id=channel_name,
            creator=self._node.identity.serialized,
            timestamp_ns=time.time_ns(),
            nonce=secrets.token_bytes(NONCE_BYTES),
            tls_certificate_hash=self._node.endpoint.client_certificate_hash,
        )
        payload: bytes = common_pb2.Payload(header=header, data=data).SerializeToString()
        return common_pb2.Envelope(payload=payload, signature=await self._node.sign(payload))

    def _no(self, action: str, status: int, info: str) -> OrdererError:
        name = common_pb2.Status.Name(status) if status else "no answer"
        return OrdererError(
            f"{action} failed",
            address=self._node.address,
            message=info or name,
            status=status or None,
            advice=_ADVICE.get(status, "") if not info else "",
        )


_ADVICE = {
    common_pb2.FORBIDDEN: "Does the identity's organisation belong to the channel, and is the "
    "certificate valid?",
    common_pb2.NOT_FOUND: "The orderer has no such channel, or no such block",
    common_pb2.SERVICE_UNAVAILABLE: "The orderers have no leader at the moment: try again",
}
