"""The gateway's part: which peers are asked, and how their answers become one."""

from collections.abc import Sequence
from functools import partial

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
from medfab_chaincode.testing._planning import (
    choose_endorsers,
    writes_an_emptied_policy,
    written_collections,
)
from medfab_chaincode.testing._proposals import Proposal
from medfab_chaincode.testing._refusal import RefusalError
from medfab_chaincode.testing._transaction import Event, Transaction

_FIRST_FAILED = "failed to endorse transaction, see attached details for more info"
_SOME_FAILED = (
    "failed to collect enough transaction endorsements, see attached details for more info"
)

_NOBODY = (
    "no combination of peers can be derived which satisfy the endorsement policy: no peer"
    " combination can satisfy the endorsement policy"
)
_EMPTIED = (
    "no combination of peers can be derived which satisfy the endorsement policy: state based"
    " endorsement policy cannot be satisfied"
)
_FOR_MEMBERS = (
    "requires endorsement from organisation(s) that are not in the distribution policy of the"
    " private data collection(s): [{}]; retry specifying trusted endorsing organizations to"
    " protect transient data"
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
    if organizations:
        endorsements = await _ask(channel, proposal, organizations, _SOME_FAILED)
    else:
        endorsements = await _ask(channel, proposal, [gateway], _FIRST_FAILED)
        organizations = _choose(channel, proposal, endorsements[0])
        others = [msp_id for msp_id in organizations if msp_id != gateway]
        endorsements += await _ask(channel, proposal, others, _SOME_FAILED)
    first, *others_answers = endorsements
    for other in others_answers:
        if other.response_payload != first.response_payload:
            msp_ids = (first.msp_id, other.msp_id)
            what = differences(first, other)
            raise NondeterminismError(proposal.transaction_id, msp_ids, what)
    return _transaction(proposal, first, tuple(organizations))


def _choose(channel: Channel, proposal: Proposal, first: Endorsement) -> tuple[str, ...]:
    if writes_an_emptied_policy(channel, first):
        raise EndorseError(
            _EMPTIED, code="FAILED_PRECONDITION", transaction_id=proposal.transaction_id
        )
    choose = partial(choose_endorsers, channel, proposal.chaincode, first)
    chosen = choose(protect_transient=proposal.has_transient_data)
    if chosen is not None:
        return chosen
    reason = _NOBODY
    if choose(protect_transient=False) is not None:
        protected = written_collections(first) - first.private_reads
        reason = _FOR_MEMBERS.format(" ".join(sorted(name for _, name in protected)))
    raise EndorseError(reason, code="FAILED_PRECONDITION", transaction_id=proposal.transaction_id)


async def _ask(
    channel: Channel, proposal: Proposal, organizations: Sequence[str], failure: str
) -> list[Endorsement]:
    endorsements: list[Endorsement] = []
    refusals: list[_RefusedError] = []
    for msp_id in organizations:
        try:
            endorsements.append(await _process(channel, proposal, msp_id))
        except _RefusedError as error:
            refusals.append(error)
    if refusals:
        raise EndorseError(
            failure,
            code="ABORTED",
            transaction_id=proposal.transaction_id,
            details=[refusal.detail for refusal in refusals],
            chaincode=refusals[0].chaincode,
        ) from refusals[0]
    return endorsements


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
