"""A private data collection whose values are all of one declared type."""

from collections.abc import AsyncIterator, Sequence
from typing import Generic, TypeVar

from medfab_chaincode._canonical import canonical_json
from medfab_chaincode._contract import Context
from medfab_chaincode._convert import json_converter
from medfab_chaincode._results import KeyValueIterator
from medfab_chaincode._state_json import parse_state

T = TypeVar("T")


class PrivateCollection(Generic[T]):
    """A collection of values of one type, declared once and used in every transaction::

        class Registry(Contract):
            patients = PrivateCollection("patients", Patient)

            @evaluate
            async def read(self, context: Context, key: str) -> Patient | None:
                return await self.patients.get(context, key)

    Values are kept as canonical JSON. A key may be a composite one, made by the stub. What each
    call may do, and where, is said at the stub's method of the same purpose. Reads raise
    `StateFormatError` where the ledger holds something else than the type.

    A hash of every value is public: give a type whose values could be guessed a field with salt.
    """

    def __init__(self, name: str, type_: type[T]) -> None:
        """`name`: as in the collection's definition. `type_`: a dataclass, `list[Item]`, ….

        Raises `DefinitionError` where the type has no form in JSON.
        """
        json_converter(type_)  # compiled here, so that a wrong type stops the start
        self.name = name
        self._type = type_

    async def get(self, context: Context, key: str) -> T | None:
        """Read one value; None if it is absent."""
        raw = await context.stub.get_private_data(self.name, key)
        return None if raw is None else parse_state(self._type, raw)

    async def get_many(self, context: Context, keys: Sequence[str]) -> list[T | None]:
        """Read many values; None for each that is absent, or missing on this peer."""
        values = await context.stub.get_private_data_many(self.name, keys)
        return [None if raw is None else parse_state(self._type, raw) for raw in values]

    async def get_hash(self, context: Context, key: str) -> bytes | None:
        """Read the SHA-256 of a value's canonical JSON, on any peer; None if it is absent."""
        return await context.stub.get_private_data_hash(self.name, key)

    def put(self, context: Context, key: str, value: T) -> None:
        """Write one value when the transaction succeeds. Raises `NotCanonicalError`."""
        context.stub.put_private_data(self.name, key, canonical_json(value))

    def delete(self, context: Context, key: str) -> None:
        """Delete one value; its history stays on the members' peers."""
        context.stub.delete_private_data(self.name, key)

    def purge(self, context: Context, key: str) -> None:
        """Delete one value with its history."""
        context.stub.purge_private_data(self.name, key)

    def by_range(self, context: Context, start: str, end: str) -> AsyncIterator[tuple[str, T]]:
        """Iterate over the keys and values of a range of simple keys."""
        return self._parsed(context.stub.get_private_data_by_range(self.name, start, end))

    def by_partial_composite_key(
        self, context: Context, object_type: str, attributes: Sequence[str]
    ) -> AsyncIterator[tuple[str, T]]:
        """Iterate over the composite keys that begin with these parts, and their values."""
        return self._parsed(
            context.stub.get_private_data_by_partial_composite_key(
                self.name, object_type, attributes
            )
        )

    async def _parsed(self, results: KeyValueIterator) -> AsyncIterator[tuple[str, T]]:
        async for item in results:
            yield item.key, parse_state(self._type, item.value)
