"""The stub: what one transaction can read from and write to the ledger."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from fabric_protos.peer import chaincode_event_pb2, chaincode_pb2

from medfab_chaincode import _keys
from medfab_chaincode._chaincode_call import Response, invoke_chaincode
from medfab_chaincode._conversation import Conversation
from medfab_chaincode._private_data import PrivateData
from medfab_chaincode._public_state import PublicState
from medfab_chaincode._reads import Reader
from medfab_chaincode._transaction import Transaction
from medfab_chaincode._writes import WriteSet, checked_value
from medfab_chaincode.errors import InvalidKeyError


class Stub(Transaction, PublicState, PrivateData):
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
        signature: bytes = b"",
        decorations: Mapping[str, bytes] = MappingProxyType({}),
        msp_id: str = "",
    ) -> None:
        super().__init__(
            conversation,
            args=args,
            proposal_bytes=proposal_bytes,
            signature=signature,
            decorations=decorations,
            msp_id=msp_id,
        )
        self._reader = Reader(conversation)
        self._writes = WriteSet()
        self._event: tuple[str, bytes] | None = None

    # -- keys, events, other chaincode -------------------------------------------------------

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
        self._event = (name, checked_value(payload))

    async def invoke_chaincode(
        self, name: str, args: Sequence[str | bytes], channel: str = ""
    ) -> Response:
        """Call a chaincode with this transaction's id, client and transient data.

        args: the function's name first. channel: empty for this one, where what the other
        chaincode reads and writes becomes part of this transaction, even if it then refuses;
        its event is dropped. On another channel it can only be read: nothing is written, and
        nothing that was read is checked at commit time.

        A refusal is a `Response` of status 400 or more, not an error. Raises `PeerError` if the
        peer has no such chaincode, the client may not use it there, or it failed.
        """
        return await invoke_chaincode(self._conversation, name, args, channel)

    # -- for the stream handler --------------------------------------------------------------

    async def flush(self) -> None:
        """Send the collected writes. The shim does this; a contract has no need to."""
        await self._writes.flush(self._conversation)

    @property
    def has_effects(self) -> bool:
        """Whether the transaction would write something, or set an event."""
        return bool(self._writes) or self._event is not None

    @property
    def event(self) -> object:
        """The event as a `protos.ChaincodeEvent` (None if none was set)."""
        if self._event is None:
            return None
        name, payload = self._event
        return chaincode_event_pb2.ChaincodeEvent(event_name=name, payload=payload)

    @classmethod
    def from_message(
        cls, conversation: Conversation, *, payload: bytes, proposal: Any, msp_id: str = ""
    ) -> "Stub":
        """Build the stub for a `ChaincodeInput` payload and a `SignedProposal`. The shim does."""
        call = chaincode_pb2.ChaincodeInput.FromString(payload)
        return cls(
            conversation,
            args=call.args,
            proposal_bytes=proposal.proposal_bytes,
            signature=proposal.signature,
            decorations=call.decorations,
            msp_id=msp_id,
        )
