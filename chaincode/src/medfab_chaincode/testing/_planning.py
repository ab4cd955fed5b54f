"""Which organisations endorse where the client names none: what gateway and discovery choose."""

from collections.abc import Iterator
from itertools import combinations

from medfab_chaincode._metadata import VALIDATION_PARAMETER
from medfab_chaincode.testing._channel import Channel
from medfab_chaincode.testing._endorsement_check import (
    collection_policy,
    policies_of,
    written_places,
)
from medfab_chaincode.testing._endorser import Endorsement
from medfab_chaincode.testing._lifecycle import LIFECYCLE
from medfab_chaincode.testing._policies import EndorsementPolicy


def choose_endorsers(
    channel: Channel, chaincode: str, first: Endorsement, *, protect_transient: bool
) -> tuple[str, ...] | None:
    """Return the fewest organisations whose signatures the first answer shows to be enough.

    With the first endorser among them where that is possible; None where there is no such set.
    Only members take part in what reads a collection, or, with transient data, writes to it.
    """
    # A transaction that reads and writes nothing is held to the policy of what was called.
    policies = list(_policies(channel, first)) or [channel.chaincodes[chaincode].policy]
    able = _able(channel, first, protect_transient=protect_transient)
    ordered = sorted(able, key=lambda msp_id: msp_id != first.msp_id)
    for size in range(1, len(ordered) + 1):
        for endorsers in combinations(ordered, size):
            if all(policy.is_met_by(endorsers) for policy in policies):
                return endorsers
    return None


def writes_an_emptied_policy(channel: Channel, first: Endorsement) -> bool:
    """Say whether it writes a key whose own policy was taken away.

    Peers then go by the chaincode's policy; a gateway takes the empty one for a policy that nobody
    meets (Fabric 3.1.5: `parseWritesetMetadata`), and the client has to name the endorsers.
    """
    return any(
        committed is not None and committed.metadata.get(VALIDATION_PARAMETER) == b""
        for name, each in first.sets.items()
        for space, key in written_places(name, each)
        for committed in [channel.world.get(space, key)]
    )


def _policies(channel: Channel, first: Endorsement) -> Iterator[EndorsementPolicy]:
    for name, each in first.sets.items():
        if name != LIFECYCLE:
            places = list(written_places(name, each))
            yield from policies_of(channel.chaincodes[name], places, channel.world)
    for name, collection in first.private_reads:
        yield collection_policy(channel.chaincodes[name], collection)


def _able(channel: Channel, first: Endorsement, *, protect_transient: bool) -> list[str]:
    closed = set(first.private_reads)
    if protect_transient:
        closed |= written_collections(first)
    members = [channel.chaincodes[name].collections[each].members for name, each in closed]
    return [msp_id for msp_id in channel.organizations if all(msp_id in each for each in members)]


def written_collections(endorsement: Endorsement) -> set[tuple[str, str]]:
    """Return (chaincode, collection) of what it writes to."""
    return {
        (name, collection)
        for name, each in endorsement.sets.items()
        for collection, private in each.collections.items()
        if private.writes or private.metadata_writes
    }
