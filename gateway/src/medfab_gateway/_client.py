"""Who calls, and how that caller signs: what does not depend on the way of calling."""

from __future__ import annotations

from medfab_gateway.errors import SigningError
from medfab_gateway.identity import Hash, Identity, Signer


class BaseClient:
    """The caller. `AsyncClient` and `Client` add the peers and the calls."""

    def __init__(self, *, identity: Identity, signer: Signer | None, hash: Hash) -> None:
        self.identity = identity
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
