"""The stub: what one transaction can read from and write to the ledger."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property

from fabric_protos.peer import chaincode_event_pb2, chaincode_pb2, chaincode_shim_pb2

from medfab_chaincode import _keys
from medfab_chaincode._conversation import Conversation
from medfab_chaincode._identity import ClientIdentity
from medfab_chaincode._proposal import ProposalView
from medfab_chaincode._ranges import KeyValueIterator
from medfab_chaincode._writes import WriteSet
from medfab_chaincode.errors import InvalidArgumentError, InvalidKeyError, PeerError


class Stub:
    """One transaction, seen from inside the chaincode.

    Reads are awaited and see the committed state of the moment the peer began the simulation;
    they do not see the transaction's own writes. Writes are plain calls: they are collected,
    the last one for a key wins, and they are sent only if the function succeeds. An empty value
    means that the key is absent, in both directions.

    Every read raises `PeerError` when the peer refuses it (for private data: when the creator's
    organisation may not read the collection), and `StreamLostError` when the peer is gone.
    Every key is checked at once: `InvalidKeyError`.
    """

    def __init__(
        self,
        conversation: Conversation,
        *,
        args: Sequence[bytes],
        proposal_bytes: bytes,
    ) -> None:
        self._conversation = conversation
        self._proposal = ProposalView(proposal_bytes)
        self._writes = WriteSet()
        self._event: tuple[str, bytes] | None = None
        self.args: tuple[bytes, ...] = tuple(args)
        """The arguments of the call as they came; the first one is the function's name."""

    def __repr__(self) -> str:
        return f"<Stub of transaction {self.transaction_id} on {self.channel_id}>"

    # -- the transaction ---------------------------------------------------------------------

    @property
    def transaction_id(self) -> str:
        """The id of the transaction, 64 hexadecimal digits."""
        return self._conversation.transaction_id

    @property
    def channel_id(self) -> str:
        """The channel that the transaction runs on."""
        return self._conversation.channel_id

    @property
    def function(self) -> str:
        """The name of the function that was called; empty where there was no argument at all."""
        return self._text(0) if self.args else ""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The arguments after the function's name, as text.

        Raises `InvalidArgumentError` if one is not UTF-8; `args` has the bytes.
        """
        return tuple(self._text(index) for index in range(1, len(self.args)))

    @property
    def timestamp(self) -> datetime:
        """The time in the client's proposal, in UTC: the same on every endorsing peer.

        It is the client's own clock. Fabric does not compare it with anything.
        """
        return self._proposal.timestamp

    @property
    def creator(self) -> bytes:
        """The serialised identity of the client (`msp.SerializedIdentity`)."""
        return self._proposal.creator

    @property
    def transient(self) -> Mapping[str, bytes]:
        """The transient map: input that reaches the endorsers and never a block."""
        return self._proposal.transient

    @cached_property
    def client_identity(self) -> ClientIdentity:
        """Who signed the proposal. Raises `IdentityError` if it is not an X.509 identity."""
        return ClientIdentity.from_creator(self.creator)

    # -- public state ------------------------------------------------------------------------

    async def get_state(self, key: str) -> bytes | None:
        """Read one key; None if it is absent."""
        return await self._get("GET_STATE", "", key)

    async def get_states(self, keys: Sequence[str]) -> list[bytes | None]:
        """Read many keys, in few round trips where the peer can; None for each absent one."""
        return await self._get_many("", keys)

    def put_state(self, key: str, value: bytes) -> None:
        """Write one key when the transaction succeeds; an empty value deletes it."""
        self._write("PUT_STATE", "", key, value)

    def delete_state(self, key: str) -> None:
        """Delete one key when the transaction succeeds; no error if it is absent."""
        self._write("DEL_STATE", "", key)

    def get_state_by_range(self, start: str, end: str) -> KeyValueIterator:
        """Iterate over the simple keys from `start` (inclusive) to `end` (exclusive).

        Empty means no bound. The peer checks for phantoms at commit time.
        """
        first, last = _keys.simple_range(start, end)
        return KeyValueIterator(self._conversation, start=first, end=last, collection="")

    def get_state_by_partial_composite_key(
        self, object_type: str, attributes: Sequence[str]
    ) -> KeyValueIterator:
        """Iterate over the composite keys that begin with these parts."""
        first, last = _keys.composite_range(object_type, attributes)
        return KeyValueIterator(self._conversation, start=first, end=last, collection="")

    # -- private data ------------------------------------------------------------------------

    async def get_private_data(self, collection: str, key: str) -> bytes | None:
        """Read one key of a collection; None if it is absent.

        Fails with `PeerError` on a peer that is no member, or that misses the data.
        """
        return await self._get("GET_STATE", _keys.checked_collection(collection), key)

    async def get_private_data_many(
        self, collection: str, keys: Sequence[str]
    ) -> list[bytes | None]:
        """Read many keys of a collection; None for each absent one."""
        return await self._get_many(_keys.checked_collection(collection), keys)

    async def get_private_data_hash(self, collection: str, key: str) -> bytes | None:
        """Read the SHA-256 of a private value: on every peer, member or not; None if absent."""
        return await self._get("GET_PRIVATE_DATA_HASH", _keys.checked_collection(collection), key)

    def put_private_data(self, collection: str, key: str, value: bytes) -> None:
        """Write one key of a collection when the transaction succeeds."""
        self._write("PUT_STATE", _keys.checked_collection(collection), key, value)

    def delete_private_data(self, collection: str, key: str) -> None:
        """Delete one key of a collection; its history stays on the members' peers."""
        self._write("DEL_STATE", _keys.checked_collection(collection), key)

    def purge_private_data(self, collection: str, key: str) -> None:
        """Delete one key of a collection with its history (channel capability V2_5)."""
        self._write("PURGE_PRIVATE_DATA", _keys.checked_collection(collection), key)

    def get_private_data_by_range(self, collection: str, start: str, end: str) -> KeyValueIterator:
        """Iterate over a range of a collection; the peer allows no writes beside it."""
        name = _keys.checked_collection(collection)
        first, last = _keys.simple_range(start, end)
        return KeyValueIterator(self._conversation, start=first, end=last, collection=name)

    def get_private_data_by_partial_composite_key(
        self, collection: str, object_type: str, attributes: Sequence[str]
    ) -> KeyValueIterator:
        """Iterate over a collection's composite keys that begin with these parts."""
        name = _keys.checked_collection(collection)
        first, last = _keys.composite_range(object_type, attributes)
        return KeyValueIterator(self._conversation, start=first, end=last, collection=name)

    # -- keys and events ---------------------------------------------------------------------

    @staticmethod
    def create_composite_key(object_type: str, attributes: Sequence[str]) -> str:
        """Join an object type and attributes into one key; see `split_composite_key`."""
        return _keys.create_composite_key(object_type, attributes)

    @staticmethod
    def split_composite_key(key: str) -> tuple[str, list[str]]:
        """Take a composite key apart: (object type, attributes)."""
        return _keys.split_composite_key(key)

    def set_event(self, name: str, payload: bytes) -> None:
        """Attach the transaction's one event; the last call wins.

        The event goes into the block in the clear: no patient data. Raises `InvalidKeyError`
        for an empty name.
        """
        if not name:
            raise InvalidKeyError("the name of an event must not be empty")
        self._event = (name, _checked_value(payload))

    # -- for the stream handler --------------------------------------------------------------

    async def flush(self) -> None:
        """Send the collected writes. The shim does this; a contract has no need to."""
        await self._writes.flush(self._conversation)

    @property
    def event(self) -> object:
        """The event as a `protos.ChaincodeEvent` (None if none was set)."""
        if self._event is None:
            return None
        name, payload = self._event
        return chaincode_event_pb2.ChaincodeEvent(event_name=name, payload=payload)

    @classmethod
    def from_message(
        cls, conversation: Conversation, *, payload: bytes, proposal_bytes: bytes
    ) -> "Stub":
        """Build the stub for a `ChaincodeInput` payload. The shim does this."""
        call = chaincode_pb2.ChaincodeInput.FromString(payload)
        return cls(conversation, args=call.args, proposal_bytes=proposal_bytes)

    # -- inside ------------------------------------------------------------------------------

    async def _get(self, kind: str, collection: str, key: str) -> bytes | None:
        request = chaincode_shim_pb2.GetState(key=_keys.checked_key(key), collection=collection)
        return await self._conversation.request(kind, request.SerializeToString()) or None

    async def _get_many(self, collection: str, keys: Sequence[str]) -> list[bytes | None]:
        if isinstance(keys, str):
            raise InvalidKeyError("the keys are a list, not one string")
        wanted = [_keys.checked_key(key) for key in keys]
        size = self._conversation.batching.reads
        if not size:
            return [await self._get("GET_STATE", collection, key) for key in wanted]
        values: list[bytes | None] = []
        for start in range(0, len(wanted), size):
            some = wanted[start : start + size]
            request = chaincode_shim_pb2.GetStateMultiple(keys=some, collection=collection)
            payload = await self._conversation.request(
                "GET_STATE_MULTIPLE", request.SerializeToString()
            )
            found = chaincode_shim_pb2.GetStateMultipleResult.FromString(payload).values
            if len(found) != len(some):
                # A peer whose state database failed can answer with success and no values:
                # taken as it is, every key would look absent.
                raise PeerError(
                    "GET_STATE_MULTIPLE", f"{len(found)} values came for {len(some)} keys"
                )
            values += [value or None for value in found]
        return values

    def _write(self, kind: str, collection: str, key: str, value: bytes = b"") -> None:
        self._writes.add(kind, collection, _keys.checked_key(key), _checked_value(value))

    def _text(self, index: int) -> str:
        try:
            return self.args[index].decode()
        except UnicodeDecodeError:
            # `from None`: a UnicodeDecodeError carries the whole argument.
            raise InvalidArgumentError(f"argument {index} is not UTF-8 text") from None


def _checked_value(value: bytes) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"the ledger stores bytes, not {type(value).__name__}")
    return value
