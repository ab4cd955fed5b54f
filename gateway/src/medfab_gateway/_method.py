"""The methods of a peer that are called, and how each may be called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from medfab_gateway._peer import Peer
from medfab_gateway.errors import (
    CommitStatusError,
    DeliverError,
    EndorseError,
    EvaluateError,
    GatewayError,
    SubmitError,
)


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method with one answer."""

    of: Callable[[Peer[Any]], Any]
    """The method, at a peer."""

    error_type: type[GatewayError]
    """What a failure is raised as, where no more special type fits."""

    repeatable: bool
    """True: calling it twice does no harm, so another peer may be asked where one does not
    answer. False: only where the first peer certainly was not reached."""


EVALUATE = Method(of=lambda peer: peer.gateway.Evaluate, error_type=EvaluateError, repeatable=True)
ENDORSE = Method(of=lambda peer: peer.gateway.Endorse, error_type=EndorseError, repeatable=True)
SUBMIT = Method(of=lambda peer: peer.gateway.Submit, error_type=SubmitError, repeatable=False)
COMMIT_STATUS = Method(
    of=lambda peer: peer.gateway.CommitStatus, error_type=CommitStatusError, repeatable=True
)
READ_BLOCK = Method(
    of=lambda peer: peer.endorser.ProcessProposal, error_type=DeliverError, repeatable=True
)
