"""The gateway's part: which peers are asked, and how their answers become one."""

from collections.abc import Sequence

from medfab_chaincode.testing._channel import Channel
from medfab_chaincode.testing._differences import differences
from medfab_chaincode.testing._endorser import Endorsement, Endorser
from medfab_chaincode.testing._errors import (
    ChaincodeFailure,
    EndorseError,
    ErrorDetail,
    EvaluateError,
    NondeterminismError,
)
from medfab_chaincode.testing._planning import choose_endorsers
from medfab_chaincode.testing._proposals import Proposal
from medfab_chaincode.testing._simulation import RefusalError
from medfab_chaincode.testing._transaction import Event, Transaction

_FIRST_FAILED = "failed to endorse transaction, see attached details for more info"
_SOME_FAILED = (
    "failed to collect enough transaction endorsements, see attached details for more info"
)


class _RefusedError(Exception):
    """A peer did not endorse."""

    def __init__(self, msp_id: str, message: str, chaincode: ChaincodeFailure | None) -> None:
        super().__init__(message)
        self.detail = ErrorDetail(msp_id=msp_id, message=message)
        self.chaincode = chaincode


async def evaluate_proposal(channel: Channel, proposal: Proposal, msp_id: str) -> Endorsement:
    """Ask one peer. Raises `EvaluateError`."""
    try:
        return await _process(channel, proposal, msp_id)
    except _RefusedError as error:
        by_contract = error.chaincode is not None
        raise EvaluateError(
            "evaluate call to endorser returned error"
            if by_contract
            else "failed to evaluate transaction, see attached details for more info",
            code="UNKNOWN" if by_contract else "ABORTED",
            transaction_id=proposal.transaction_id,
            details=[error.detail],
            chaincode=error.chaincode,
        ) from error


async def endorse_proposal(
    channel: Channel, proposal: Proposal, gateway: str, organizations: Sequence[str]
) -> Transaction:
    """Collect endorsements from these organisations, or if none are named, from enough.

    gateway: the organisation whose peer is asked first in the second case.
    Raises `EndorseError`.
    """
    endorsements: list[Endorsement] = []
    if not organizations:
        first = await _endorse(channel, proposal, gateway, _FIRST_FAILED)
        organizations = _choose(channel, proposal, first)
        endorsements.append(first)
    for msp_id in organizations:
        if not endorsements or msp_id != endorsements[0].msp_id:
            endorsement = await _endorse(channel, proposal, msp_id, _SOME_FAILED)
            endorsements.append(endorsement)
    first, *others = endorsements
    for other in others:
        if other.response_payload != first.response_payload:
            msp_ids = (first.msp_id, other.msp_id)
            what = differences(first, other)
            raise NondeterminismError(proposal.transaction_id, msp_ids, what)
    return _transaction(proposal, first, tuple(organizations))


def _choose(channel: Channel, proposal: Proposal, first: Endorsement) -> tuple[str, ...]:
    chosen = choose_endorsers(channel, first, protect_transient=proposal.has_transient_data)
    if chosen is None:
        raise EndorseError(
            "no combination of peers can be derived which satisfy the endorsement policy; name "
            "the endorsing organizations",
            code="FAILED_PRECONDITION",
            transaction_id=proposal.transaction_id,
        )
    return chosen


async def _endorse(channel: Channel, proposal: Proposal, msp_id: str, failure: str) -> Endorsement:
    try:
        return await _process(channel, proposal, msp_id)
    except _RefusedError as error:
        raise EndorseError(
            failure,
            code="ABORTED",
            transaction_id=proposal.transaction_id,
            details=[error.detail],
            chaincode=error.chaincode,
        ) from error


async def _process(channel: Channel, proposal: Proposal, msp_id: str) -> Endorsement:
    try:
        if proposal.creator_msp_id not in channel.organizations:
            raise RefusalError(
                f"error validating proposal: access denied: channel [{channel.id}] creator org"
                f" [{proposal.creator_msp_id}]"
            )
        endorsement = await Endorser(channel, msp_id, proposal).process()
    except RefusalError as error:
        raise _RefusedError(msp_id, str(error), None) from error
    if endorsement.status >= 400:
        raise _RefusedError(
            msp_id,
            f"chaincode response {endorsement.status}, {endorsement.message}",
            ChaincodeFailure.parse(endorsement.status, endorsement.message),
        )
    return endorsement


def _transaction(
    proposal: Proposal, endorsement: Endorsement, endorsers: tuple[str, ...]
) -> Transaction:
    event = endorsement.event
    return Transaction(
        transaction_id=proposal.transaction_id,
        chaincode=proposal.chaincode,
        timestamp=proposal.timestamp,
        result=endorsement.result,
        event=None
        if event is None
        else Event(
            name=event.event_name,
            payload=event.payload,
            transaction_id=event.tx_id,
            chaincode=event.chaincode_id,
        ),
        endorsers=endorsers,
        response_payload=endorsement.response_payload,
        sets=endorsement.sets,
    )
