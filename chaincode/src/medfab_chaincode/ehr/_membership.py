"""Functions about membership: an exchange is founded, joined and left by vote (R4)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from medfab_chaincode import Context, Contract, canonical_json, evaluate, submit

from ._caller import ADMINISTRATORS, ANYBODY, Caller, caller_of
from ._checks import check_digest, check_list, check_msp_id, refuse, require
from ._codes import Code
from ._keys import ObjectType
from ._log import now_of
from ._standing import ExchangeEntry, MemberEntry
from ._store import Store

_MOST_FOUNDERS = 64


class Action(StrEnum):
    """What a proposal is about."""

    FOUND = "found"
    JOIN = "join"
    LEAVE = "leave"


class ProposalStatus(StrEnum):
    """Decided as soon as the votes are."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, kw_only=True)
class ProposalEntry:
    """Public: who is to join or leave, and how the organisations voted."""

    action: Action
    msp_ids: tuple[str, ...]
    """Of a founding: all founders; else one."""
    status: ProposalStatus
    proposed_at: int
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProposalMade:
    """Answer of ``ProposeMembership``."""

    proposal_id: str
    status: ProposalStatus


@dataclass(frozen=True, kw_only=True)
class VoteCounted:
    """Answer of ``VoteMembership``."""

    status: ProposalStatus


@dataclass(frozen=True, kw_only=True)
class MemberView:
    """A member."""

    msp_id: str
    since: int


@dataclass(frozen=True, kw_only=True)
class ProposalView:
    """A proposal."""

    proposal_id: str
    action: Action
    msp_ids: tuple[str, ...]
    status: ProposalStatus
    yes: tuple[str, ...]
    no: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """Answer of ``ListMembers``."""

    founded: bool
    members: tuple[MemberView, ...]
    proposals: tuple[ProposalView, ...]


class Membership(Contract):
    """Which organisations take part."""

    @submit("ProposeMembership", access=ADMINISTRATORS)
    async def propose_membership(self, context: Context, action: str, msp_ids: str) -> ProposalMade:
        """Propose to found the exchange, or that an organisation joins or leaves.

        The proposer's organisation has voted yes with it, where it has a vote. ``msp_ids``: one,
        or for ``found`` all founders with commas between them, at least two.
        """
        caller, store = caller_of(context), Store(context.stub)
        require(action in [*Action], "action", "found, join or leave")
        named = tuple(check_msp_id(each, "msp_ids") for each in msp_ids.split(","))
        check_list(named, "msp_ids", most=_MOST_FOUNDERS)
        members = await _members(store)
        _check_proposal(Action(action), named, members)
        proposal = ProposalEntry(
            action=Action(action),
            msp_ids=named,
            status=ProposalStatus.OPEN,
            proposed_at=now_of(context),
        )
        voters = _voters(proposal, members)
        if action != Action.JOIN and caller.msp_id not in voters.union(named):
            raise _no_vote()
        if caller.msp_id in voters:
            proposal = replace(proposal, yes=(caller.msp_id,))
        proposal = _settle(context, store, proposal, voters)
        id_ = context.transaction_id
        store.put(ObjectType.PROPOSAL, id_, entry=proposal)
        _tell(context, id_, proposal)
        return ProposalMade(proposal_id=id_, status=proposal.status)

    @submit("VoteMembership", access=ADMINISTRATORS)
    async def vote_membership(self, context: Context, proposal_id: str, vote: str) -> VoteCounted:
        """Cast the organisation's one vote, ``yes`` or ``no``."""
        caller, store = caller_of(context), Store(context.stub)
        require(vote in ("yes", "no"), "vote", "yes or no")
        id_ = check_digest(proposal_id, "proposal_id")
        proposal = await store.get(ProposalEntry, ObjectType.PROPOSAL, id_)
        if proposal is None:
            raise refuse(Code.NOT_FOUND, "there is no proposal with this id", 404)
        voters = _voters(proposal, await _members(store))
        _check_vote(proposal, voters, caller)
        if vote == "yes":
            proposal = replace(proposal, yes=(*proposal.yes, caller.msp_id))
        else:
            proposal = replace(proposal, no=(*proposal.no, caller.msp_id))
        proposal = _settle(context, store, proposal, voters)
        store.put(ObjectType.PROPOSAL, id_, entry=proposal)
        _tell(context, id_, proposal)
        return VoteCounted(status=proposal.status)

    @evaluate("ListMembers", access=ANYBODY)
    async def list_members(self, context: Context) -> Exchange:
        """Show the members, and every proposal with its votes."""
        store = Store(context.stub)
        members = await _members(store)
        return Exchange(
            founded=bool(members),
            members=tuple(
                MemberView(msp_id=msp_id, since=entry.since) for msp_id, entry in members.items()
            ),
            proposals=tuple(
                [
                    ProposalView(
                        proposal_id=parts[0],
                        action=proposal.action,
                        msp_ids=proposal.msp_ids,
                        status=proposal.status,
                        yes=proposal.yes,
                        no=proposal.no,
                    )
                    async for parts, proposal in store.rows(ProposalEntry, ObjectType.PROPOSAL)
                ]
            ),
        )


async def _members(store: Store) -> dict[str, MemberEntry]:
    return {parts[0]: entry async for parts, entry in store.rows(MemberEntry, ObjectType.MEMBER)}


def _check_proposal(action: Action, named: Sequence[str], members: dict[str, MemberEntry]) -> None:
    if action is Action.FOUND:
        require(len(named) > 1, "msp_ids", "at least two founders")
        if members:
            raise refuse(Code.ALREADY_DONE, "the exchange is founded already", 409)
        return
    require(len(named) == 1, "msp_ids", "one organisation")
    if not members:
        raise refuse(Code.NOT_FOUND, "there is no exchange yet: propose `found` first", 404)
    if (named[0] in members) is (action is Action.JOIN):
        raise refuse(Code.ALREADY_DONE, "this organisation is in, or out, already", 409)


def _voters(proposal: ProposalEntry, members: dict[str, MemberEntry]) -> frozenset[str]:
    if proposal.action is Action.FOUND:
        return frozenset(proposal.msp_ids)
    return frozenset(members) - frozenset(proposal.msp_ids)


def _check_vote(proposal: ProposalEntry, voters: frozenset[str], caller: Caller) -> None:
    if proposal.status is not ProposalStatus.OPEN:
        raise refuse(Code.ALREADY_DONE, "this proposal is decided already", 409)
    if caller.msp_id not in voters:
        raise _no_vote()
    if caller.msp_id in (*proposal.yes, *proposal.no):
        raise refuse(Code.ALREADY_DONE, "your organisation has voted already", 409)


def _settle(
    context: Context, store: Store, proposal: ProposalEntry, voters: frozenset[str]
) -> ProposalEntry:
    """Put a proposal into force once enough voters are for it, or drop it once they cannot be."""
    needed = len(voters) if proposal.action is Action.FOUND else len(voters) // 2 + 1
    yes = len(voters.intersection(proposal.yes))
    if yes < needed:
        lost = len(voters) - len(voters.intersection(proposal.no)) < needed
        return replace(proposal, status=ProposalStatus.REJECTED) if lost else proposal
    now = now_of(context)
    if proposal.action is Action.FOUND:
        store.put(ObjectType.EXCHANGE, entry=ExchangeEntry(founded_at=now))
    for msp_id in proposal.msp_ids:
        if proposal.action is Action.LEAVE:
            store.delete(ObjectType.MEMBER, msp_id)
        else:
            store.put(ObjectType.MEMBER, msp_id, entry=MemberEntry(since=now))
    return replace(proposal, status=ProposalStatus.ACCEPTED)


def _no_vote() -> Exception:
    return refuse(Code.NOT_A_MEMBER, "your organisation has no vote in this")


def _tell(context: Context, id_: str, proposal: ProposalEntry) -> None:
    kind = f"membership-{proposal.status}"
    event = {"kind": kind, "patient": None, "id": id_, "at": now_of(context)}
    context.stub.set_event(kind, canonical_json(event))
