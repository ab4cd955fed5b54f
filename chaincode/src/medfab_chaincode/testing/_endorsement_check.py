"""Whether a transaction has the signatures that it needs: chaincode, collections and keys.

It follows Fabric's `core/common/validation/statebased`. What is written decides: a key with a
policy of its own asks for that alone, another one for its collection's or the chaincode's. A
transaction that writes nothing asks for the chaincode's.
"""

from collections.abc import Collection, Iterator, Mapping

from google.protobuf.message import DecodeError

from medfab_chaincode._metadata import VALIDATION_PARAMETER
from medfab_chaincode.testing._definitions import ChaincodeDefinition
from medfab_chaincode.testing._policies import EndorsementPolicy, key_policy
from medfab_chaincode.testing._read_write_set import NamespaceSet, sha256
from medfab_chaincode.testing._transaction import Transaction
from medfab_chaincode.testing._world import Key, Space, World

Place = tuple[Space, Key]
"""A key of public state, or a key's hash in a collection."""


def is_endorsed(
    transaction: Transaction,
    chaincodes: Mapping[str, ChaincodeDefinition],
    world: World,
    changed_policies: Collection[Place],
) -> bool:
    """Say whether the endorsers are enough, judged by the policies before the block.

    changed_policies: the keys whose policy an earlier transaction of the same block changes;
    Fabric takes no later transaction of that block that writes to them.
    """
    for name in {transaction.chaincode, *written_chaincodes(transaction)}:
        written = transaction.sets.get(name) or NamespaceSet()
        places = list(written_places(name, written))
        if any(place in changed_policies for place in places):
            return False
        policies = list(policies_of(chaincodes[name], places, world))
        if not all(policy.is_met_by(transaction.endorsers) for policy in policies):
            return False
    return True


def written_chaincodes(transaction: Transaction) -> Iterator[str]:
    """Yield the chaincodes whose state the transaction writes."""
    for name, each in transaction.sets.items():
        if each.writes_anything:
            yield name


def written_places(name: str, written: NamespaceSet) -> Iterator[Place]:
    """Yield every key whose value or policy is written."""
    for key in written.writes.keys() | written.metadata_writes.keys():
        yield Space(name), key
    for collection, each in written.collections.items():
        for key in each.writes.keys() | each.metadata_writes.keys():
            yield Space(name, collection), sha256(key.encode())


def policy_places(name: str, written: NamespaceSet) -> Iterator[Place]:
    """Yield every key whose policy is written."""
    for key in written.metadata_writes:
        yield Space(name), key
    for collection, each in written.collections.items():
        for key in each.metadata_writes:
            yield Space(name, collection), sha256(key.encode())


def policies_of(
    chaincode: ChaincodeDefinition, places: Collection[Place], world: World
) -> Iterator[EndorsementPolicy]:
    """Yield the policies that writing to these places asks for; one at least."""
    if not places:
        yield chaincode.policy
    for space, key in places:
        committed = world.get(space, key)
        own = committed.metadata.get(VALIDATION_PARAMETER, b"") if committed else b""
        if own:
            yield _key_policy(own)
        else:
            yield collection_policy(chaincode, space.collection)


def collection_policy(chaincode: ChaincodeDefinition, collection: str) -> EndorsementPolicy:
    """Return the policy of a collection, or of public state where the name is empty."""
    if not collection:
        return chaincode.policy
    return chaincode.collections[collection].endorsement_policy or chaincode.policy


def _key_policy(parameter: bytes) -> EndorsementPolicy:
    try:
        return key_policy(parameter)
    except (DecodeError, IndexError):
        return EndorsementPolicy(1, ())  # nobody can meet what nobody can read
