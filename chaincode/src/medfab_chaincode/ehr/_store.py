"""Typed reads and writes of the contract's public state and its ``consents`` collection."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from medfab_chaincode import Stub, canonical_json, parse_state

from ._access_model import AccessDetails, AccessEntry
from ._checks import refuse
from ._codes import Code
from ._consent_model import Consent, ConsentEntry, Terms, parse_terms
from ._keys import CONSENTS_COLLECTION, ObjectType

T = TypeVar("T")

_MAX_ENTRY_BYTES = 65_536
"""Of a public entry; the largest lists two hundred consents."""

MAX_PRIVATE_BYTES = 1_000_000
"""Of a value in ``consents``: so many fit together into one message of the peer."""


@dataclass(frozen=True, kw_only=True)
class PatientEntry:
    """Public: the organisation whose certificates speak for this pseudonym."""

    home_msp: str
    registered_at: int
    status: str
    """``active``, ``erasing`` or ``erased``."""
    revoked_at: int | None = None
    """When a consent was last revoked or amended: data keys from before it are stale."""


ACTIVE, ERASING, ERASED = "active", "erasing", "erased"


class Store:
    """One transaction's view. Reads see committed state only, never this transaction's writes."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub

    # -- any type ----------------------------------------------------------------------------

    async def get(self, kind: type[T], object_type: ObjectType, *attributes: str) -> T | None:
        """Return a public entry; None if there is none."""
        data = await self.stub.get_state(self.key(object_type, *attributes))
        return None if data is None else parse_state(kind, data)

    async def get_many(self, kind: type[T], keys: Sequence[str]) -> list[T | None]:
        """Return public entries, in as few round trips as the peer allows."""
        values = await self.stub.get_states(keys, value_bytes=_MAX_ENTRY_BYTES) if keys else []
        return [None if data is None else parse_state(kind, data) for data in values]

    async def rows(
        self, kind: type[T], object_type: ObjectType, *attributes: str
    ) -> AsyncGenerator[tuple[list[str], T]]:
        """Iterate over public entries: the parts of each key, and the entry."""
        found = self.stub.get_state_by_partial_composite_key(object_type, attributes)
        async with found:
            async for item in found:
                yield self.stub.split_composite_key(item.key)[1], parse_state(kind, item.value)

    async def get_private(
        self, kind: type[T], object_type: ObjectType, *attributes: str
    ) -> T | None:
        """Return a value of ``consents``; None if there is none."""
        key = self.key(object_type, *attributes)
        data = await self.stub.get_private_data(CONSENTS_COLLECTION, key)
        return None if data is None else parse_state(kind, data)

    async def private_many(self, kind: type[T], keys: Sequence[str]) -> list[T]:
        """Return values of ``consents`` that the ledger refers to, so they must be there."""
        return [parse_state(kind, value) for value in await self._private_bytes(keys)]

    def put(self, object_type: ObjectType, *attributes: str, entry: object) -> None:
        """Write a public entry: ids, hashes and decisions alone."""
        self.stub.put_state(self.key(object_type, *attributes), canonical_json(entry))

    def delete(self, object_type: ObjectType, *attributes: str) -> None:
        """Delete a public entry."""
        self.stub.delete_state(self.key(object_type, *attributes))

    def put_private(self, object_type: ObjectType, *attributes: str, value: object) -> None:
        """Write to the custodians' collection."""
        data = canonical_json(value)
        if len(data) > MAX_PRIVATE_BYTES:
            raise refuse(
                Code.INVALID_ARGUMENT, f"expected at most {MAX_PRIVATE_BYTES} bytes as JSON", 400
            )
        key = self.key(object_type, *attributes)
        self.stub.put_private_data(CONSENTS_COLLECTION, key, data)

    def key(self, object_type: ObjectType, *attributes: str) -> str:
        """Make a composite key."""
        return self.stub.create_composite_key(object_type, attributes)

    # -- what several functions read ---------------------------------------------------------

    async def patient(self, patient: str) -> PatientEntry | None:
        """Return a registration; None if there is none."""
        return await self.get(PatientEntry, ObjectType.PATIENT, patient)

    async def consents(
        self, patient: str, object_type: ObjectType = ObjectType.CONSENT
    ) -> list[Consent]:
        """Return a patient's consents, those that ended lately included."""
        ids, entries = [], []
        async for parts, entry in self.rows(ConsentEntry, object_type, patient):
            ids.append(parts[1])
            entries.append(entry)
        terms = await self.terms(patient, ids)
        return [
            Consent(id=id_, entry=entry, terms=its_terms)
            for id_, entry, its_terms in zip(ids, entries, terms, strict=True)
        ]

    async def terms(self, patient: str, ids: Sequence[str]) -> list[Terms]:
        """Return the present terms of consents that are known to exist."""
        # Over the public keys: a private range is forbidden beside writes, and is silently
        # empty on a peer that does not hold the collection.
        keys = [self.key(ObjectType.CONSENT, patient, id_) for id_ in ids]
        return [parse_terms(value) for value in await self._private_bytes(keys)]

    async def access_details(self, patient: str, ids: Sequence[str]) -> list[AccessDetails]:
        """Return what decisions, known to exist, were about."""
        keys = [self.key(ObjectType.ACCESS, patient, id_) for id_ in ids]
        return await self.private_many(AccessDetails, keys)

    async def accesses(self, patient: str) -> list[tuple[str, AccessEntry, AccessDetails]]:
        """Return every decision about a patient's records with its id and details."""
        ids, entries = [], []
        async for parts, entry in self.rows(AccessEntry, ObjectType.ACCESS, patient):
            ids.append(parts[1])
            entries.append(entry)
        return list(zip(ids, entries, await self.access_details(patient, ids), strict=True))

    async def _private_bytes(self, keys: Sequence[str]) -> list[bytes]:
        if not keys:
            return []
        values = await self.stub.get_private_data_many(
            CONSENTS_COLLECTION, keys, value_bytes=MAX_PRIVATE_BYTES
        )
        # A multiple read answers nothing, instead of failing, for a value this peer has not got.
        return [unavailable() if value is None else value for value in values]


def unavailable() -> bytes:
    """Refuse: this peer lacks what the ledger refers to."""
    raise refuse(
        Code.DATA_UNAVAILABLE,
        "this peer lacks private data that the ledger refers to: ask a custodian's peer, "
        "or wait until this one has caught up",
        421,
    )
