"""Whether and when a broken stream is opened again."""

from __future__ import annotations

import grpc
import pytest

from medfab_gateway import ConnectionFailedError, DeliverError, Reconnect, RequestLimitError
from medfab_gateway._events._reconnect import Interruption
from medfab_gateway.errors import GatewayError

AWAY = ConnectionFailedError("nobody there", code=grpc.StatusCode.UNAVAILABLE)
CLOSED = ConnectionFailedError("the gateway is closed", code=grpc.StatusCode.CANCELLED)
BUSY = RequestLimitError("busy", code=grpc.StatusCode.UNKNOWN)
BROKEN = DeliverError("broken", code=grpc.StatusCode.UNAVAILABLE)
BEHIND = DeliverError("no such block", code=grpc.StatusCode.NOT_FOUND)
REFUSED = DeliverError("no", code=grpc.StatusCode.PERMISSION_DENIED)


def fail(
    interruption: Interruption,
    error: GatewayError,
    at: float = 0.0,
    *,
    lived: float = 0.0,
    known: bool = False,
) -> float | None:
    return interruption.failed(error, attempted=at - lived, now=at, position_is_known=known)


def begin(*, peers: int = 1, give_up_after: float | None = None) -> Interruption:
    settings = Reconnect(first_delay=1.0, max_delay=8.0, give_up_after=give_up_after)
    return Interruption(settings, peers=peers)


def test_pauses_grow_to_the_longest_and_begin_anew_after_success() -> None:
    interruption = begin()
    pauses = [fail(interruption, BROKEN) or 0.0 for _ in range(8)]
    for pause, longest in zip(pauses, [1, 2, 4, 8, 8, 8, 8, 8], strict=True):
        assert longest / 2 <= pause <= longest
    interruption.is_over()
    assert 0.5 <= (fail(interruption, BROKEN) or 0.0) <= 1.0


def test_a_silent_stream_that_lived_has_recovered() -> None:
    interruption = begin(give_up_after=20)
    for at in range(0, 1000, 50):
        assert fail(interruption, BROKEN, at, lived=9) is not None


@pytest.mark.parametrize("error", [BROKEN, BUSY])
def test_giving_up(error: GatewayError) -> None:
    interruption = begin(give_up_after=20)
    assert fail(interruption, error, 0.0) is not None
    assert fail(interruption, error, 19.0) is not None
    assert fail(interruption, error, 20.0) is None


def test_connecting_for_long_is_not_living() -> None:
    interruption = begin(give_up_after=20)
    assert fail(interruption, BROKEN) is not None
    assert fail(interruption, AWAY, 15, lived=10) is not None
    assert fail(interruption, AWAY, 30, lived=10) is None


def test_a_peer_never_reached_is_a_wrong_address() -> None:
    assert fail(begin(), AWAY) is None
    several = begin(peers=3)
    assert [fail(several, AWAY) is None for _ in range(3)] == [False, False, True]
    reached = begin()
    reached.is_over()
    assert fail(reached, AWAY) is not None


def test_what_never_passes() -> None:
    reached = begin()
    reached.is_over()
    for error in (REFUSED, CLOSED, BEHIND):
        assert fail(reached, error) is None
    assert fail(reached, BEHIND, known=True) is not None
