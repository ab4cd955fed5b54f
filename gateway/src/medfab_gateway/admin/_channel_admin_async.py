"""Administration of channels by their members: read the configuration, change it together."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping

from medfab_gateway import _aio
from medfab_gateway._closing_async import AsyncClosing
from medfab_gateway._messages.proposal import NONCE_BYTES
from medfab_gateway.admin._channel_config import ChannelConfig
from medfab_gateway.admin._config_changes import UpdateState
from medfab_gateway.admin._config_update_request import ConfigUpdateRequest
from medfab_gateway.admin._orderer_async import AsyncOrderer
from medfab_gateway.admin._orderer_endpoints import orderer_endpoints, reached_at
from medfab_gateway.admin._peer_admin_async import AsyncPeerAdmin
from medfab_gateway.admin._update_refusals import (
    no_orderer_error,
    not_in_force_error,
    overtaken_error,
    refusal,
)
from medfab_gateway.admin.errors import OrdererError
from medfab_gateway.endpoint import Endpoint
from medfab_gateway.errors import ConnectionFailedError, GatewayError
from medfab_gateway.identity import Hash, Identity, Signer

_POLL_SECONDS = 0.1


class AsyncChannelAdmin(AsyncClosing):
    """The configuration of channels, through one peer and the orderers that it names.

        async with AsyncChannelAdmin(endpoint, identity, signer) as channels:
            config = await channels.config("care")
            editor = ConfigEditor(config).set_anchor_peers("HospitalMSP", [("localhost", 7051)])
            await channels.submit(await channels.sign(editor.update()))

    Where more than one organisation has to agree, `update.to_bytes()` travels as a file, and each
    signs with an object of its own.

    Methods raise `PeerAdminError`, `ConfigUpdateError`, and `GatewayError` where a node does not
    answer within `timeout` seconds.
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
        orderers: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare; arguments are those of `AsyncPeerAdmin`.

        orderers: where orderers are reached from here, by their address in the configuration, both
            `host:port`: for nodes in containers, or behind a translation of addresses. None, or an
            address that is not among them: as the configuration says.
        """
        self._orderers = orderers or {}
        self._peer = AsyncPeerAdmin(
            endpoint, identity, signer, hash=hash, channel=channel, timeout=timeout
        )
        self._address = endpoint.address
        self._identity = identity
        self._signer = signer
        self._hash = hash
        self._timeout = timeout

    async def close(self) -> None:
        """Close the connection, unless it was supplied."""
        await self._peer.close()

    async def config(self, channel_name: str) -> ChannelConfig:
        """The configuration in force, as the peer has it."""
        return await self._peer.channel_config(channel_name)

    async def sign(self, request: ConfigUpdateRequest) -> ConfigUpdateRequest:
        """The update with the identity's signature added: its organisation agrees to it.

        As `ConfigUpdateRequest.sign`, but a signer that waits holds up nobody else.
        """
        header = request.signature_header(self._identity, secrets.token_bytes(NONCE_BYTES))
        digest = (self._hash or self._identity.default_hash()).digest(
            header + request.config_update
        )
        return request.signed(header, await _aio.sign(self._signer, digest))

    async def submit(self, request: ConfigUpdateRequest) -> bool:
        """Put an update into force; waits until the peer has it.

        The orderers count the signatures that are on the update, and nobody else's.

        Returns:
            False where it is in force already, and nothing was submitted.

        Raises:
            UpdateConflictError: The configuration has changed since the update was made.
            UpdateNotSignedError: Signatures are missing, or one is not valid.
            ConfigUpdateError: The orderers refuse it for another reason. Nothing has changed, in
                none of these cases.
            GatewayError: No orderer was reached, or the peer did not get the block in time.
        """
        config = await self.config(request.channel_name)
        match request.state(config):
            case UpdateState.IN_FORCE:
                return False
            case UpdateState.OVERTAKEN:
                raise overtaken_error(request, self._address)
        await self._broadcast(request, config)
        deadline = time.monotonic() + self._timeout
        while True:
            state = request.state(await self.config(request.channel_name))
            if state is UpdateState.IN_FORCE:
                return True
            if state is UpdateState.OVERTAKEN or time.monotonic() > deadline:
                # Another update was ordered before it, or the peer is behind.
                raise not_in_force_error(request, self._address, state)
            await _aio.sleep(_POLL_SECONDS)

    async def _broadcast(self, request: ConfigUpdateRequest, config: ChannelConfig) -> None:
        """To the first orderer that takes it."""
        failure: Exception | None = None
        for endpoint in orderer_endpoints(config):
            orderer = AsyncOrderer(
                reached_at(endpoint, self._orderers),
                self._identity,
                self._signer,
                hash=self._hash,
                timeout=self._timeout,
            )
            try:
                await orderer.broadcast_update(request.channel_name, request.envelope)
                return
            except OrdererError as error:
                decisive = refusal(request, error)
                if decisive is not None:
                    raise decisive from error
                failure = error  # this one has no leader, or has not joined
            except ConnectionFailedError as error:
                failure = error
            finally:
                await orderer.close()
        if isinstance(failure, GatewayError | OrdererError):
            raise failure
        raise no_orderer_error(request, self._address)
