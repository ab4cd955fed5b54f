"""The methods of a peer that are called, and how each may be called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from medfab_gateway.errors import (
    CommitStatusError,
    DeliverError,
    EndorseError,
    EvaluateError,
    GatewayError,
    SubmitError,
)


class Called(Protocol):
    """A node, as errors name it."""

    @property
    def address(self) -> str | None: ...

    @property
    def msp_id(self) -> str | None: ...


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method with one answer."""

    name: str
    """What observers know it by."""

    of: Callable[[Any], Any]
    """The method, of an `AsyncPeer` or `Peer`."""

    error_type: type[GatewayError]
    """What a failure is raised as, where no more special type fits."""

    is_usable: Callable[[Any], bool]
    """Whether an answer has what it is about. In protobuf, bytes that are something else, or
    nothing, can be read as a message in which everything is missing: of a commit status, VALID."""

    repeatable: bool = True
    """True: calling it twice does no harm, so another peer may be asked where one does not
    answer. False: only where the first peer certainly was not reached."""

    waits: bool = False
    """True: it answers when a block comes. It has permits of its own, gives them back from time
    to time, and asks again until the deadline, whatever becomes of the peers meanwhile."""


EVALUATE = Method(
    name="query",
    of=lambda peer: peer.gateway.Evaluate,
    error_type=EvaluateError,
    is_usable=lambda answer: 200 <= answer.result.status < 400,
)
ENDORSE = Method(
    name="endorse",
    of=lambda peer: peer.gateway.Endorse,
    error_type=EndorseError,
    is_usable=lambda answer: answer.HasField("prepared_transaction"),
)
SUBMIT = Method(
    name="order",
    of=lambda peer: peer.gateway.Submit,
    error_type=SubmitError,
    is_usable=lambda answer: True,  # nothing is in it
    repeatable=False,
)
COMMIT_STATUS = Method(
    name="commit",
    of=lambda peer: peer.gateway.CommitStatus,
    error_type=CommitStatusError,
    is_usable=lambda answer: answer.block_number > 0,  # block 0 holds no transaction of anybody
    waits=True,
)
READ_BLOCK = Method(
    name="read block",
    of=lambda peer: peer.endorser.ProcessProposal,
    error_type=DeliverError,
    is_usable=lambda answer: answer.HasField("response"),
)
PROPOSE = Method(
    name="propose",
    of=lambda node: node.endorser.ProcessProposal,
    error_type=GatewayError,
    is_usable=lambda answer: answer.HasField("response"),
)
DISCOVER = Method(
    name="discover",
    of=lambda node: node.discovery.Discover,
    error_type=GatewayError,
    is_usable=lambda answer: len(answer.results) > 0,
)
REQUEST_SNAPSHOT = Method(
    name="request snapshot",
    of=lambda node: node.snapshots.Generate,
    error_type=GatewayError,
    is_usable=lambda answer: True,  # nothing is in it
    repeatable=False,
)
CANCEL_SNAPSHOT = Method(
    name="cancel snapshot",
    of=lambda node: node.snapshots.Cancel,
    error_type=GatewayError,
    is_usable=lambda answer: True,  # nothing is in it
    repeatable=False,
)
PENDING_SNAPSHOTS = Method(
    name="pending snapshots",
    of=lambda node: node.snapshots.QueryPendings,
    error_type=GatewayError,
    is_usable=lambda answer: True,  # there may be none
)
