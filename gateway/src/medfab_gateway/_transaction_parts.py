"""The parts of a transaction of a block: read-only data.

Payloads are public to the channel, but are left out of every `repr`, so that a log line does not
carry them further.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class ChaincodeResponse:
    """What the contract answered when it was endorsed."""

    status: int
    message: str = field(repr=False)
    payload: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChaincodeEvent:
    """The event that the contract emitted; of no effect unless the transaction is valid."""

    name: str
    payload: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Creator:
    """Who made a transaction, as it is written in it: checked only if the transaction is valid."""

    msp_id: str
    certificate: bytes = field(repr=False)
    """PEM, for X.509 identities."""

    @property
    def certificate_id(self) -> str:
        """SHA-256 of the certificate's DER, hex: what Fabric's MSP calls the identity's id."""
        return _certificate_id(self.certificate)


@dataclass(frozen=True, kw_only=True, slots=True)
class Endorser:
    """A peer that endorsed, as it is written in the transaction: checked only if that is valid."""

    msp_id: str
    certificate: bytes = field(repr=False)
    """PEM, for X.509 identities."""

    signature: bytes = field(repr=False)
    """Over the response and the peer's identity."""

    @property
    def certificate_id(self) -> str:
        """SHA-256 of the certificate's DER, hex: what Fabric's MSP calls the identity's id."""
        return _certificate_id(self.certificate)


def _certificate_id(certificate: bytes) -> str:
    """As fabric/msp/identities.go; of bytes that are not PEM, the hash is over them as they are."""
    try:
        der = ssl.PEM_cert_to_DER_cert(certificate.decode("ascii").strip())
    except ValueError:
        der = certificate
    return hashlib.sha256(der).hexdigest()
