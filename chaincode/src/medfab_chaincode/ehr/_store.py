"""Typed reads and writes of the contract's public state and its ``consents`` collection."""

from typing import TypeVar

from medfab_chaincode import ContractError, Stub, canonical_json, parse_state

from ._codes import Code
from ._keys import CONSENTS_COLLECTION, ObjectType
from ._model import AccessDetails, AccessEntry, Consent, ConsentEntry, ConsentTerms, PatientEntry

T = TypeVar("T")


class Store:
    """One transaction's view. Reads see committed state only, never this transaction's writes."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    async def patient(self, patient: str) -> PatientEntry | None:
        """Return a registration; None if there is none."""
        return await self._entry(PatientEntry, ObjectType.PATIENT, patient)

    async def consent_entry(self, patient: str, consent_id: str) -> ConsentEntry | None:
        """Return the public pointer to a consent; None if there is none."""
        return await self._entry(ConsentEntry, ObjectType.CONSENT, patient, consent_id)

    async def access_entry(self, patient: str, request_id: str) -> AccessEntry | None:
        """Return a decision on access; None if there is none."""
        return await self._entry(AccessEntry, ObjectType.ACCESS, patient, request_id)

    async def access_details(self, patient: str, request_id: str) -> AccessDetails:
        """Return what the decision ``request_id``, known to exist, was about."""
        (details,) = await self._private(
            AccessDetails, [self.key(ObjectType.ACCESS, patient, request_id)]
        )
        return details

    async def consents(self, patient: str) -> list[Consent]:
        """Return every consent of a patient, revoked and expired ones included."""
        keys, ids, entries = await self._entries(ConsentEntry, ObjectType.CONSENT, patient)
        terms = await self._private(ConsentTerms, keys)
        return [
            Consent(id=id_, entry=entry, terms=its_terms)
            for id_, entry, its_terms in zip(ids, entries, terms, strict=True)
        ]

    async def accesses(self, patient: str) -> list[tuple[str, AccessEntry, AccessDetails]]:
        """Return every decision about a patient's records with its id and details."""
        keys, ids, entries = await self._entries(AccessEntry, ObjectType.ACCESS, patient)
        details = await self._private(AccessDetails, keys)
        return list(zip(ids, entries, details, strict=True))

    def put(self, object_type: ObjectType, *attributes: str, entry: object) -> None:
        """Write a public entry: ids, hashes and decisions alone."""
        self._stub.put_state(self.key(object_type, *attributes), canonical_json(entry))

    def put_private(self, object_type: ObjectType, *attributes: str, value: object) -> None:
        """Write to the custodians' collection."""
        self._stub.put_private_data(
            CONSENTS_COLLECTION, self.key(object_type, *attributes), canonical_json(value)
        )

    def key(self, object_type: ObjectType, *attributes: str) -> str:
        """Make a composite key."""
        return self._stub.create_composite_key(object_type, attributes)

    async def _entry(self, kind: type[T], object_type: ObjectType, *attributes: str) -> T | None:
        data = await self._stub.get_state(self.key(object_type, *attributes))
        return None if data is None else parse_state(kind, data)

    async def _entries(
        self, kind: type[T], object_type: ObjectType, patient: str
    ) -> tuple[list[str], list[str], list[T]]:
        # Over the public keys: a private range is forbidden beside writes, and is silently
        # empty on a peer that does not hold the collection.
        keys, ids, entries = [], [], []
        async for item in self._stub.get_state_by_partial_composite_key(object_type, [patient]):
            keys.append(item.key)
            ids.append(self._stub.split_composite_key(item.key)[1][1])
            entries.append(parse_state(kind, item.value))
        return keys, ids, entries

    async def _private(self, kind: type[T], keys: list[str]) -> list[T]:
        values = await self._stub.get_private_data_many(CONSENTS_COLLECTION, keys) if keys else []
        return [parse_state(kind, _present(value)) for value in values]


def _present(value: bytes | None) -> bytes:
    # A multiple read answers nothing, instead of failing, for a value this peer has not got.
    if value is None:
        raise ContractError(
            "this peer lacks private data that the ledger refers to: ask a custodian's peer, "
            "or wait until this one has caught up",
            code=Code.DATA_UNAVAILABLE,
            status=421,
        )
    return value
