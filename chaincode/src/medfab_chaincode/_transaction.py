"""The part of a stub that tells about the transaction itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from types import MappingProxyType

from medfab_chaincode._conversation import Conversation
from medfab_chaincode._identity import ClientIdentity
from medfab_chaincode._proposal import ProposalView, SignedProposal
from medfab_chaincode.errors import ChaincodeError, InvalidArgumentError


class Transaction:
    """Who called what, when: everything here comes with the call, nothing waits for the peer.

    Where the peer sent no proposal, what is read from it raises `ChaincodeError`.
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
        self._conversation = conversation
        self._msp_id = msp_id
        self._proposal = ProposalView(proposal_bytes, signature)
        self.args: tuple[bytes, ...] = tuple(args)
        """The arguments of the call as they came; the first one is the function's name."""
        self.decorations: Mapping[str, bytes] = MappingProxyType(dict(decorations))
        """What the peer's decorators have added to the call; empty unless it has any."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of transaction {self.transaction_id} on {self.channel_id}>"

    @property
    def transaction_id(self) -> str:
        """The id of the transaction, 64 hexadecimal digits."""
        return self._conversation.transaction_id

    @property
    def channel_id(self) -> str:
        """The channel that the transaction runs on."""
        return self._conversation.channel_id

    @property
    def peer_msp_id(self) -> str:
        """The organisation of the peer that runs this transaction.

        From the setting `CORE_PEER_LOCALMSPID`; raises `ChaincodeError` where it is not set. It
        differs from endorser to endorser: nothing that is written may depend on it.
        """
        if not self._msp_id:
            raise ChaincodeError("the peer's organisation is not known: set CORE_PEER_LOCALMSPID")
        return self._msp_id

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

    @property
    def binding(self) -> bytes:
        """SHA-256 over the proposal's nonce, creator and epoch: ties outside data to it."""
        return self._proposal.binding

    @property
    def signed_proposal(self) -> SignedProposal:
        """What the client signed, and its signature: transient data included."""
        return self._proposal.signed

    @cached_property
    def client_identity(self) -> ClientIdentity:
        """Who signed the proposal. Raises `IdentityError` if it is not an X.509 identity."""
        return ClientIdentity.from_creator(self.creator)

    def _text(self, index: int) -> str:
        try:
            return self.args[index].decode()
        except UnicodeDecodeError:
            # `from None`: a UnicodeDecodeError carries the whole argument.
            raise InvalidArgumentError(f"argument {index} is not UTF-8 text") from None
