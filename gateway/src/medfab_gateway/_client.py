"""What the parts of one gateway share, whichever way it calls: the connection and the identity."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from fabric_protos.gateway import gateway_pb2_grpc

from medfab_gateway._options import GatewayOptions
from medfab_gateway.errors import SigningError
from medfab_gateway.identity import Hash, Identity, Signer

ChannelT = TypeVar("ChannelT")


class BaseClient(Generic[ChannelT]):
    """One channel and one caller. `_aio.Client` and `_blocking.Client` add the way to call."""

    def __init__(
        self,
        *,
        channel: ChannelT,
        address: str | None,
        tls_certificate_hash: bytes | None,
        identity: Identity,
        signer: Signer | None,
        hash: Hash,
        options: GatewayOptions,
    ) -> None:
        self.channel = channel
        self.address = address
        self.tls_certificate_hash = tls_certificate_hash
        self.identity = identity
        self.options = options
        self.gateway: Any = gateway_pb2_grpc.GatewayStub(channel)
        self._signer = signer
        self._hash = hash

    @property
    def can_sign(self) -> bool:
        return self._signer is not None

    def digest(self, message: bytes) -> bytes:
        """What a signer is given for `message`."""
        return self._hash.digest(message)

    @property
    def signer(self) -> Signer:
        """Raises `SigningError` where there is none."""
        if self._signer is None:
            raise SigningError(
                "This gateway has no signer, and what it shall send has no signature. Connect "
                "with signer=private_key_signer(key), or sign elsewhere: see gateway.offline."
            )
        return self._signer
