# Made by scripts/make_sync.py from _gateway_async.py: change that, and run it.
"""The connection of one identity to one peer's Gateway service."""

from __future__ import annotations

from types import TracebackType

from medfab_gateway._blocking import Channel, Client, open_channel
from medfab_gateway._network import Network
from medfab_gateway._options import GatewayOptions
from medfab_gateway.endpoint import Endpoint
from medfab_gateway.identity import Hash, Identity, Signer


class Gateway:
    """A door to Fabric's channels, for one identity.

        with Gateway.connect(endpoint, identity, signer) as gateway:
            contract = gateway.network("care").contract("ehr")
            answer = contract.evaluate("ListAccess")

    Made by `connect()`. Any number of threads may share it, its networks and its contracts; a
    proposal, a transaction or a commit is for one thread at a time.
    """

    def __init__(self, client: Client, *, owns_channel: bool) -> None:
        self._client = client
        self._owns_channel = owns_channel

    @classmethod
    def connect(
        cls,
        endpoint: Endpoint | Channel,
        identity: Identity,
        signer: Signer | None = None,
        *,
        hash: Hash | None = None,
        options: GatewayOptions | None = None,
        tls_certificate_hash: bytes | None = None,
    ) -> Gateway:
        """A gateway; the connection is made at the first call.

        endpoint: a peer of the identity's organisation; or a channel made by the caller, which
        closing the gateway leaves open. signer: None: calls raise `SigningError`.
        hash: None: the one that fits the identity's key (SHA-256; none for Ed25519).
        options: None: the defaults of `GatewayOptions`.
        tls_certificate_hash: SHA-256 of the client certificate's DER, for a channel made by the
        caller with one; an `Endpoint` knows it by itself.
        """
        if isinstance(endpoint, Endpoint):
            channel, address = open_channel(endpoint), endpoint.address
            tls_certificate_hash = endpoint.client_certificate_hash
        else:
            channel, address = endpoint, None
        client = Client(
            channel=channel,
            address=address,
            tls_certificate_hash=tls_certificate_hash,
            identity=identity,
            signer=signer,
            hash=hash or identity.default_hash(),
            options=options or GatewayOptions(),
        )
        return cls(client, owns_channel=isinstance(endpoint, Endpoint))

    @property
    def identity(self) -> Identity:
        return self._client.identity

    def network(self, channel_name: str) -> Network:
        """The channel of that name. Whether it exists is seen at the first call."""
        return Network(self._client, channel_name)

    def close(self) -> None:
        """Ends all calls under way and closes the connection, unless the caller made it."""
        if self._owns_channel:
            self._client.channel.close()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
