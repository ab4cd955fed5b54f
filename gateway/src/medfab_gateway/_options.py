"""Settings of a gateway."""

from __future__ import annotations

from dataclasses import dataclass, field

from medfab_gateway._events._reconnect import Reconnect
from medfab_gateway._observation import Observer


@dataclass(frozen=True, kw_only=True)
class GatewayOptions:
    """How long each step may take, where the call itself does not say; how many at a time.

        options = GatewayOptions(endorse_timeout=10, commit_status_timeout=60)
        async with AsyncGateway.connect(profile, identity, signer, options=options) as gateway:
            contract = gateway.network("care").contract("assets")
            answer = await contract.submit("MoveAsset", "asset-1", "ward-3")

    The peers' own limits are 30 s for an endorsement and for handing a transaction to the
    orderers; a commit waits for a block. Raises `ValueError` for a limit below 1.
    """

    evaluate_timeout: float = 30.0
    """Seconds for one evaluation."""

    endorse_timeout: float = 30.0
    """Seconds for collecting the endorsements of a proposal."""

    submit_timeout: float = 30.0
    """Seconds for handing an endorsed transaction to the orderers."""

    commit_status_timeout: float = 120.0
    """Seconds for waiting until a submitted transaction is in a block of the peer."""

    concurrent_calls: int = 250
    """How many evaluations, endorsements and submissions are under way at one peer at a time;
    further ones wait for their turn within their deadline. A peer turns away what exceeds its
    `peer.limits.concurrency.gatewayService`, 500, from all its clients together."""

    concurrent_status_waits: int = 200
    """The same for questions after the outcome of transactions. Each holds one of the peer's 500
    until there is an answer, so they have a limit of their own: however many are waiting, calls
    go on. The default leaves 50 of the 500 for streams of events."""

    reconnect: Reconnect = field(default_factory=Reconnect)
    """How streams of events recover where a connection breaks."""

    observer: Observer | None = None
    """Is told what the gateway does, e.g. `OpenTelemetryObserver`; None: `logging` alone is."""

    def __post_init__(self) -> None:
        if min(self.concurrent_calls, self.concurrent_status_waits) < 1:
            raise ValueError("concurrent_calls and concurrent_status_waits are 1 or more.")
