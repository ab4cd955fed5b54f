"""Settings of a gateway."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class GatewayOptions:
    """How long each step may take, in seconds, where the call itself does not say.

    The peers' own limits are 30 s for an endorsement and for handing a transaction to the
    orderers; a commit waits for a block.
    """

    evaluate_timeout: float = 30.0
    """For one evaluation."""

    endorse_timeout: float = 30.0
    """For collecting the endorsements of a proposal."""

    submit_timeout: float = 30.0
    """For handing an endorsed transaction to the orderers."""

    commit_status_timeout: float = 120.0
    """For waiting until a submitted transaction is in a block of the peer."""
