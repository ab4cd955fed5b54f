# Made by scripts/make_sync.py from _gateway_async.py: change that, and run it.
"""The connection of one identity to the Gateway service of its organisation's peers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from medfab_gateway import _blocking
from medfab_gateway._calls import Client
from medfab_gateway._events._shared_streams import SharedStreams
from medfab_gateway._network import Network
from medfab_gateway._offline import Offline
from medfab_gateway._options import GatewayOptions
from medfab_gateway._peer import Peer, Peers
from medfab_gateway.endpoint import Endpoint
from medfab_gateway.errors import EndpointError
from medfab_gateway.identity import Hash, Identity, Signer
from medfab_gateway.profile import ConnectionProfile
from medfab_gateway.wallet import FileSystemWallet


class Gateway:
    """A door to Fabric's channels, for one identity.

        with Gateway.connect(profile, identity, signer) as gateway:
            contract = gateway.network("care").contract("assets")
            answer = contract.evaluate("ReadAsset", "asset-1")

    Made by `connect()`. Any number of threads may share it, its networks and its contracts; a
    proposal, a transaction or a commit is for one thread at a time.
    """

    def __init__(self, client: Client, *, owns_channels: bool) -> None:
        self._client = client
        self._owns_channels = owns_channels
        self._streams = SharedStreams()

    @classmethod
    def connect(
        cls,
        endpoint: Endpoint | Sequence[Endpoint] | ConnectionProfile | _blocking.Channel,
        identity: Identity,
        signer: Signer | None = None,
        *,
        hash: Hash | None = None,
        options: GatewayOptions | None = None,
        tls_certificate_hash: bytes | None = None,
    ) -> Gateway:
        """A gateway; the connection is made at the first call.

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
            peers = [Peer.open(one, options) for one in endpoint]
        else:
            peers = [Peer(endpoint, options, tls_certificate_hash=tls_certificate_hash)]
        if not peers:
            raise EndpointError("A gateway needs an endpoint; the list is empty.")
        client = Client(
            peers=Peers(peers),
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
    ) -> Gateway:
        """A gateway to a network that `medfab network` has made.

            Gateway.connect_user(".medfab", "hospital", "practitioner")

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

    def network(self, channel_name: str) -> Network:
        """The channel of that name. Whether it exists is seen at the first call."""
        return Network(self._client, self._streams, channel_name)

    @property
    def offline(self) -> Offline:
        """Proposals and so on from their bytes, for signing where the key is."""
        return Offline(self._client)

    def close(self) -> None:
        """Ends all calls under way and closes the connections, unless the caller made it."""
        self._streams.close()
        if self._owns_channels:
            for peer in self._client.peers.all:
                peer.channel.close()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
