"""What is deployed on a channel: chaincodes, their collections and policies."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from medfab_chaincode._chaincode import Chaincode
from medfab_chaincode._contract import Contract
from medfab_chaincode.testing._policies import EndorsementPolicy, any_of

ContractFactory = Callable[[], Contract | Chaincode]
"""A class, or anything else that makes one contract or raw chaincode: called for each peer."""

_IMPLICIT_PREFIX = "_implicit_org_"
_COLLECTION_NAME = re.compile(r"[A-Za-z0-9-][A-Za-z0-9_-]*")


@dataclass(frozen=True, kw_only=True)
class Collection:
    """A private data collection, in the words of Fabric's collection configuration.

    The defaults are those of the collections that `medfab_network` deploys.
    """

    name: str

    members: Sequence[str]
    """The MSP ids that hold the values."""

    member_only_read: bool = True
    """Only callers of the members' organisations can read, on whichever peer."""

    member_only_write: bool = True
    """Only callers of the members' organisations can write."""

    block_to_live: int = 0
    """How many further blocks a value and its hash outlive; 0: all of them."""

    endorsement_policy: EndorsementPolicy | None = None
    """Whose peers must sign what is written to it; None: those of the chaincode's policy."""


@dataclass(frozen=True, kw_only=True)
class ChaincodeDefinition:
    """A chaincode as the organisations of a channel have agreed on it."""

    name: str

    contracts: tuple[ContractFactory, ...]
    """The first one makes the default contract; a raw chaincode stands alone."""

    collections: Mapping[str, Collection]
    """By name; the implicit collections are among them."""

    policy: EndorsementPolicy

    version: str


def define_chaincode(
    name: str,
    contracts: Iterable[ContractFactory],
    *,
    collections: Iterable[Collection],
    policy: EndorsementPolicy,
    version: str,
    organizations: Sequence[str],
) -> ChaincodeDefinition:
    """Check a definition as its approval would, and add the implicit collections.

    Raises `ValueError`, which says what is wrong.
    """
    by_name = {_IMPLICIT_PREFIX + msp_id: _implicit(msp_id) for msp_id in organizations}
    _check_policy(f"chaincode {name!r}", policy, organizations)
    for collection in collections:
        where = f"collection {collection.name!r}"
        if not _COLLECTION_NAME.fullmatch(collection.name):
            raise ValueError(f"{where}: a name has letters, digits, '-' and '_', and not '_' first")
        if collection.name in by_name:
            raise ValueError(f"{where} is defined twice")
        if isinstance(collection.members, str) or not collection.members:
            raise ValueError(f"{where}: members is a list of MSP ids")
        if unknown := sorted(set(collection.members) - set(organizations)):
            raise ValueError(f"{where}: {unknown[0]} is no organisation of the channel")
        if collection.block_to_live < 0:
            raise ValueError(f"{where}: block_to_live is not negative")
        if collection.endorsement_policy is not None:
            _check_policy(where, collection.endorsement_policy, organizations)
        by_name[collection.name] = collection
    return ChaincodeDefinition(
        name=name,
        contracts=tuple(contracts),
        collections=by_name,
        policy=policy,
        version=version,
    )


def is_implicit(collection: str) -> bool:
    """Whether the name is that of an organisation's own collection, which needs no definition."""
    return collection.startswith(_IMPLICIT_PREFIX)


def _check_policy(where: str, policy: EndorsementPolicy, organizations: Sequence[str]) -> None:
    if unknown := sorted(policy.organizations() - set(organizations)):
        raise ValueError(f"{where}: its policy names {unknown[0]}, which is not on the channel")
    if not policy.is_met_by(organizations):
        raise ValueError(f"{where}: all organisations together cannot meet its policy")


def _implicit(msp_id: str) -> Collection:
    return Collection(
        name=_IMPLICIT_PREFIX + msp_id,
        members=[msp_id],
        member_only_read=False,
        member_only_write=False,
        endorsement_policy=any_of(msp_id),
    )
