"""A block: which of its transactions are valid, and what they change at every peer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from medfab_chaincode._results import KeyModification
from medfab_chaincode.testing._channel import Channel
from medfab_chaincode.testing._conflicts import find_conflict
from medfab_chaincode.testing._definitions import Collection, is_implicit
from medfab_chaincode.testing._endorsement_check import Place, is_endorsed, policy_places
from medfab_chaincode.testing._errors import PeerCrashError
from medfab_chaincode.testing._read_write_set import CollectionSet, MetadataEntries, sha256
from medfab_chaincode.testing._transaction import Transaction
from medfab_chaincode.testing._world import Key, Space, Version, Versioned

AnyKey = TypeVar("AnyKey", str, bytes)

VALID = "VALID"


class _CrashError(Exception):
    """Only the metadata of a key is written, which an earlier transaction has deleted."""


class Block:
    """The next block of a channel, while it is validated."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._world = channel.world
        self._updates: dict[tuple[Space, Key], Versioned | None] = {}
        self._histories = dict(channel.world.histories)

    def commit(self, transactions: Sequence[Transaction]) -> list[str]:
        """Validate in order, change the channel's state, return the validation codes.

        Raises `PeerCrashError`; the channel is of no use afterwards.
        """
        codes = self._check_endorsements(transactions)
        for index, transaction in enumerate(transactions):
            if codes[index] == VALID:
                conflict = find_conflict(transaction.sets, self._world, self._updates)
                codes[index] = conflict or VALID
            if codes[index] == VALID:
                try:
                    self._apply(transaction, Version(self._world.height, index))
                except _CrashError:
                    raise PeerCrashError(transaction.transaction_id) from None
        valid = [each for each, code in zip(transactions, codes, strict=True) if code == VALID]
        self._follow_metadata(valid)
        self._expire()
        self._channel.world = replace(
            self._world.updated(self._updates),
            histories=self._histories,
            height=self._world.height + 1,
        )
        return codes

    def _check_endorsements(self, transactions: Sequence[Transaction]) -> list[str]:
        """All of them are checked before any is applied, against the state before the block."""
        codes: list[str] = []
        changed_policies: set[Place] = set()
        for transaction in transactions:
            if transaction.transaction_id in self._channel.transaction_ids:
                codes.append("DUPLICATE_TXID")
                continue
            self._channel.transaction_ids.add(transaction.transaction_id)
            if not is_endorsed(
                transaction, self._channel.chaincodes, self._world, changed_policies
            ):
                codes.append("ENDORSEMENT_POLICY_FAILURE")
                continue
            codes.append(VALID)
            for name, each in transaction.sets.items():
                changed_policies.update(policy_places(name, each))
        return codes

    # -- writes ------------------------------------------------------------------------------

    def _apply(self, transaction: Transaction, version: Version) -> None:
        for name, each in transaction.sets.items():
            self._write(Space(name), each.writes, each.metadata_writes, version)
            for key, value in each.writes.items():
                change = KeyModification(
                    transaction_id=transaction.transaction_id,
                    value=value or None,
                    timestamp=transaction.timestamp,
                    is_delete=not value,
                )
                past = self._histories.get((name, key), ())
                self._histories[name, key] = (*past, change)
            for collection, private in each.collections.items():
                self._write_hashes(Space(name, collection), private, version)
                for holder in self._receivers(name, collection, transaction):
                    self._write(Space(name, collection, holder), private.writes, {}, version)

    def _write_hashes(self, space: Space, private: CollectionSet, version: Version) -> None:
        writes = {
            sha256(key.encode()): sha256(value) if value else b""
            for key, value in private.writes.items()
        }
        metadata = {
            sha256(key.encode()): entries for key, entries in private.metadata_writes.items()
        }
        self._write(space, writes, metadata, version)

    def _write(
        self,
        space: Space,
        writes: Mapping[AnyKey, bytes],
        metadata_writes: Mapping[AnyKey, MetadataEntries],
        version: Version,
    ) -> None:
        for key in writes.keys() | metadata_writes.keys():
            before = self._latest(space, key)
            value = writes.get(key, before.value if before else b"")
            if value:
                kept = before.metadata if before else {}
                metadata = metadata_writes.get(key, kept)
                self._updates[space, key] = Versioned(value, version, metadata)
            elif key in writes:
                self._updates[space, key] = None
            elif (space, key) in self._updates:
                raise _CrashError
            # Else only its metadata is written, and there is no value for it: no effect.

    def _latest(self, space: Space, key: Key) -> Versioned | None:
        if (space, key) in self._updates:
            return self._updates[space, key]
        return self._world.get(space, key)

    # -- private data ------------------------------------------------------------------------

    def _collection(self, chaincode: str, name: str) -> Collection:
        return self._channel.chaincodes[chaincode].collections[name]

    def _receivers(self, chaincode: str, name: str, transaction: Transaction) -> Iterator[str]:
        """Yield the members whose peers get the values.

        An endorser passes them on, but never those of another organisation's own collection:
        that one goes without unless its peer endorsed.
        """
        for member in self._collection(chaincode, name).members:
            if not is_implicit(name) or member in transaction.endorsers:
                yield member

    def _follow_metadata(self, transactions: Sequence[Transaction]) -> None:
        """Give values the version of their hash, which moves on when a policy is written."""
        for transaction in transactions:
            for name, each in transaction.sets.items():
                for collection, private in each.collections.items():
                    for holder in self._receivers(name, collection, transaction):
                        for key in private.metadata_writes:
                            self._follow(Space(name, collection), holder, key)

    def _follow(self, hashes: Space, holder: str, key: str) -> None:
        known = self._updates.get((hashes, sha256(key.encode())))
        space = hashes._replace(holder=holder)
        held = self._latest(space, key)
        if known is not None and held is not None and sha256(held.value) == known.value:
            self._updates[space, key] = replace(held, version=known.version)

    def _expire(self) -> None:
        """Drop what has outlived its collection's `block_to_live`."""
        for space, table in self._world.tables.items():
            if not space.collection:
                continue
            live = self._collection(space.chaincode, space.collection).block_to_live
            for key, item in table.items():
                expires = item.version.block + live + 1
                if live and expires == self._world.height and (space, key) not in self._updates:
                    self._updates[space, key] = None
