"""What a client signed: creator, timestamp and transient data, decoded when first asked for."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2

from medfab_chaincode.errors import ChaincodeError


class Transient(Mapping[str, bytes]):
    """The transient map of a proposal: read like a dict, printed as a count alone."""

    def __init__(self, entries: Mapping[str, bytes]) -> None:
        self._entries = entries

    def __getitem__(self, name: str) -> bytes:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<transient: {len(self)} entries>"


@dataclass(frozen=True, slots=True)
class SignedProposal:
    """What a client signed; `repr` shows none of it, because transient data is part of it."""

    proposal_bytes: bytes = field(repr=False)
    """A serialised `protos.Proposal`."""

    signature: bytes = field(repr=False)
    """The creator's signature over `proposal_bytes`; the peer has checked it."""


class ProposalView:
    """The parts of a `SignedProposal` that a contract may see.

    `proposal_bytes` is empty where the peer sent none; every part then raises `ChaincodeError`,
    except that the transient map is empty.
    """

    def __init__(self, proposal_bytes: bytes, signature: bytes = b"") -> None:
        self._proposal_bytes = proposal_bytes
        self._signature = signature

    @property
    def signed(self) -> SignedProposal:
        """The proposal as the client signed it."""
        self._require()
        return SignedProposal(self._proposal_bytes, self._signature)

    @cached_property
    def creator(self) -> bytes:
        """The serialised identity that signed the proposal (`msp.SerializedIdentity`)."""
        return bytes(self._signature_header.creator)

    @cached_property
    def binding(self) -> bytes:
        """SHA-256 over nonce, creator and epoch (8 bytes, the lowest first), as in every shim."""
        header = self._signature_header
        epoch: int = self._channel_header.epoch
        return hashlib.sha256(header.nonce + header.creator + epoch.to_bytes(8, "little")).digest()

    @cached_property
    def timestamp(self) -> datetime:
        """When the client says it made the proposal: the same on every peer, in UTC."""
        moment: datetime = self._channel_header.timestamp.ToDatetime(tzinfo=UTC)
        return moment

    @cached_property
    def transient(self) -> Transient:
        """The client's transient map: reaches the endorsers, never a block."""
        payload = proposal_pb2.ChaincodeProposalPayload.FromString(self._proposal.payload)
        return Transient(dict(payload.TransientMap))

    @cached_property
    def _proposal(self) -> Any:
        return proposal_pb2.Proposal.FromString(self._proposal_bytes)

    @cached_property
    def _header(self) -> Any:
        self._require()
        return common_pb2.Header.FromString(self._proposal.header)

    @cached_property
    def _signature_header(self) -> Any:
        return common_pb2.SignatureHeader.FromString(self._header.signature_header)

    @cached_property
    def _channel_header(self) -> Any:
        return common_pb2.ChannelHeader.FromString(self._header.channel_header)

    def _require(self) -> None:
        if not self._proposal_bytes:
            raise ChaincodeError("the peer sent this transaction without its proposal")
