"""What the parts of one gateway share, whichever way it calls: the peers and the identity."""

from __future__ import annotations

from typing import Generic

from medfab_gateway._options import GatewayOptions
from medfab_gateway._peer import ChannelT, Peers
from medfab_gateway.errors import SigningError
from medfab_gateway.identity import Hash, Identity, Signer


class BaseClient(Generic[ChannelT]):
    """The peers and one caller. `AsyncClient` and `Client` add the way to call."""

    def __init__(
        self,
        *,
        peers: Peers[ChannelT],
        identity: Identity,
        signer: Signer | None,
        hash: Hash,
        options: GatewayOptions,
    ) -> None:
        self.peers = peers
        self.identity = identity
        self.options = options
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
