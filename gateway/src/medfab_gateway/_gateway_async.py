"""The connection of one identity to the Gateway service of its organisation's peers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from medfab_gateway import _aio
from medfab_gateway._calls_async import AsyncClient
from medfab_gateway._events._shared_streams_async import AsyncSharedStreams
from medfab_gateway._network_async import AsyncNetwork
from medfab_gateway._offline_async import AsyncOffline
from medfab_gateway._options import GatewayOptions
from medfab_gateway._peer_async import AsyncPeer, AsyncPeers
from medfab_gateway.endpoint import Endpoint
from medfab_gateway.errors import EndpointError
from medfab_gateway.identity import Hash, Identity, Signer
from medfab_gateway.profile import ConnectionProfile
from medfab_gateway.wallet import FileSystemWallet


class AsyncGateway:
    """A door to Fabric's channels, for one identity.

        async with AsyncGateway.connect(profile, identity, signer) as gateway:
            contract = gateway.network("care").contract("assets")
            answer = await contract.evaluate("ReadAsset", "asset-1")

    Made by `connect()`. Use it within one event loop; it may serve any number of tasks at a time.
    """

    def __init__(self, client: AsyncClient, *, owns_channels: bool) -> None:
        self._client = client
        self._owns_channels = owns_channels
        self._streams = AsyncSharedStreams()

    @classmethod
    def connect(
        cls,
        endpoint: Endpoint | Sequence[Endpoint] | ConnectionProfile | _aio.Channel,
        identity: Identity,
        signer: Signer | None = None,
        *,
        hash: Hash | None = None,
        options: GatewayOptions | None = None,
        tls_certificate_hash: bytes | None = None,
    ) -> AsyncGateway:
        """A gateway; the connection is made at the first call. Call it in a running event loop.

        endpoint: a peer of the identity's organisation; or several, the preferred one first, of
        which the others step in while it cannot be reached; or a connection profile, for all
        peers of that organisation in it; or a channel made by the caller, which closing the
        gateway leaves open. signer: None: calls raise `SigningError`.
        hash: None: the one that fits the identity's key (SHA-256; none for Ed25519).
        options: None: the defaults of `GatewayOptions`.
        tls_certificate_hash: SHA-256 of the client certificate's DER, for a channel made by the
        caller with one; an `Endpoint` knows it by itself.
        """
        options = options or GatewayOptions()
        if isinstance(endpoint, ConnectionProfile):
            endpoint = endpoint.endpoints_for(endpoint.organization_of(identity.msp_id))
        elif isinstance(endpoint, Endpoint):
            endpoint = [endpoint]
        owns_channels = isinstance(endpoint, Sequence)
        if isinstance(endpoint, Sequence):
            peers = [AsyncPeer.open(one, options) for one in endpoint]
        else:
            peers = [AsyncPeer(endpoint, options, tls_certificate_hash=tls_certificate_hash)]
        if not peers:
            raise EndpointError("A gateway needs an endpoint; the list is empty.")
        client = AsyncClient(
            peers=AsyncPeers(peers),
            identity=identity,
            signer=signer,
            hash=hash or identity.default_hash(),
            options=options,
        )
        return cls(client, owns_channels=owns_channels)

    @classmethod
    def connect_user(
        cls,
        directory: str | Path,
        organization: str,
        user: str,
        *,
        options: GatewayOptions | None = None,
    ) -> AsyncGateway:
        """A gateway to a network that `medfab network` has made.

            AsyncGateway.connect_user(".medfab", "hospital", "practitioner")

        directory: the network's. user: a label of the organisation's wallet. Raises
        `ProfileError`, `WalletError`.
        """
        folder = Path(directory) / "organizations" / organization
        profile = ConnectionProfile.load(folder / "connection.json")
        entry = FileSystemWallet(folder / "wallet").get(user)
        return cls.connect(profile, entry.identity, entry.signer(), options=options)

    @property
    def identity(self) -> Identity:
        return self._client.identity

    def network(self, channel_name: str) -> AsyncNetwork:
        """The channel of that name. Whether it exists is seen at the first call."""
        return AsyncNetwork(self._client, self._streams, channel_name)

    @property
    def offline(self) -> AsyncOffline:
        """Proposals and so on from their bytes, for signing where the key is."""
        return AsyncOffline(self._client)

    async def close(self) -> None:
        """Ends all calls under way and closes the connections, unless the caller made it."""
        self._streams.close()
        if self._owns_channels:
            for peer in self._client.peers.all:
                await peer.channel.close()

    async def __aenter__(self) -> AsyncGateway:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
