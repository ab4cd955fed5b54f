"""A channel as an orderer has it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ChannelParticipation:
    """A channel at an orderer."""

    name: str
    """Name of the channel."""
    status: str
    """`active`, `onboarding` (catching up), `inactive` or `failed`."""
    consensus_relation: str
    """`consenter`, `follower`, `config-tracker` or `other`."""
    height: int
    """Number of blocks."""
