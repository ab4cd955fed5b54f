"""A transaction of a block, decoded as far as it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from medfab_gateway._frozen import new
from medfab_gateway._lazy import filled, lazy_property
from medfab_gateway._read_write_set import NamespaceReadWriteSet, read_write_set_of
from medfab_gateway._transaction_decoder import (
    DECODE_ERRORS,
    decode_envelope,
    decode_timestamp,
    endorser_of,
    event_of,
    identity_of,
    payload_creator,
    reason,
    response_of,
    spec_of,
    timestamp_error,
    type_name,
)
from medfab_gateway._transaction_parts import ChaincodeEvent, ChaincodeResponse, Creator, Endorser

if TYPE_CHECKING:
    from medfab_gateway.channel_config import ConfigUpdate, Configuration


@dataclass(frozen=True, repr=False)
class BlockTransaction:
    """One transaction of a block; whether it had an effect is for `validation_code` to say.

    What is of a kind that the transaction does not have is empty or None: a configuration has no
    chaincode, for example. So is what could not be decoded; see `undecoded`.

        transaction = block.transactions[0]
        print(transaction.transaction_id, transaction.validation_code, transaction.chaincode_name)

    Parts are decoded when they are first asked for. Arguments, results, keys and values are not
    in the `repr`.
    """

    envelope: bytes
    """The serialised `common.Envelope`."""

    validation_code: str
    """`VALID`, `MVCC_READ_CONFLICT`, …; `NOT_VALIDATED` in blocks that no peer has validated."""

    @property
    def transaction_id(self) -> str:
        """Hex; empty in configurations."""
        transaction_id: str = self._channel_header.tx_id
        return transaction_id

    @property
    def channel_id(self) -> str:
        channel_id: str = self._channel_header.channel_id
        return channel_id

    @property
    def type(self) -> str:
        """`ENDORSER_TRANSACTION`, `CONFIG`, … (`common.HeaderType`); `TYPE_<n>` for one that a
        newer Fabric has added; `UNKNOWN` where it could not be decoded."""
        return self._type

    @property
    def timestamp(self) -> datetime | None:
        """The clock of the creator, UTC, to the microsecond."""
        return decode_timestamp(self._channel_header)

    @property
    def creator(self) -> Creator:
        return payload_creator(self._payload)

    @property
    def chaincode_name(self) -> str | None:
        name: str = self._outcome.chaincode_id.name or spec_of(self._action).chaincode_id.name
        return name or None

    @property
    def args(self) -> tuple[bytes, ...]:
        """The name of the function, then its arguments."""
        return tuple(spec_of(self._action).input.args[:])

    @property
    def response(self) -> ChaincodeResponse | None:
        outcome = self._outcome
        return response_of(outcome.response) if outcome.HasField("response") else None

    @property
    def event(self) -> ChaincodeEvent | None:
        return event_of(self._outcome)

    @property
    def endorser_msp_ids(self) -> tuple[str, ...]:
        return tuple([identity_of(each).mspid for each in self._action.action.endorsements[:]])

    @lazy_property
    def endorsers(self) -> tuple[Endorser, ...]:
        return tuple([endorser_of(each) for each in self._action.action.endorsements[:]])

    @lazy_property
    def read_write_sets(self) -> tuple[NamespaceReadWriteSet, ...]:
        """What was read and written, by chaincode."""
        results = self._outcome.results
        if not results:
            return ()
        return tuple([read_write_set_of(each) for each in results[-1].ns_rwset[:]])

    @property
    def config(self) -> Configuration | None:
        """The channel's new configuration as a whole, where `type` is `CONFIG`."""
        return self._configs[0]

    @property
    def config_update(self) -> ConfigUpdate | None:
        """The change that was asked for, with its signatures: of a `CONFIG_UPDATE`; of a `CONFIG`,
        the one that it came from (None in a genesis block)."""
        return self._configs[1]

    @property
    def enclosed(self) -> BlockTransaction | None:
        """The transaction that an `ORDERER_TRANSACTION` carries: in the system channels of
        Fabric 2 and older."""
        if self.type != "ORDERER_TRANSACTION":
            return None
        return BlockTransaction(self._payload.data, self.validation_code)

    @property
    def undecoded(self) -> str | None:
        """Why (a part of) the transaction could not be decoded; None normally.

        Members of a channel can put malformed transactions into a block; peers mark them invalid.
        """
        wrong = self._wrong or timestamp_error(self._channel_header)
        if self._type == "ENDORSER_TRANSACTION":
            return wrong
        return wrong or self._configs[2]

    def __repr__(self) -> str:
        return (
            f"BlockTransaction(transaction_id={self.transaction_id!r}, type={self.type!r}, "
            f"validation_code={self.validation_code!r}, creator={self.creator!r}, "
            f"chaincode_name={self.chaincode_name!r})"
        )

    def _decode(self) -> None:
        payload, channel_header, action, outcome, wrong = decode_envelope(self.envelope)
        number = channel_header.type
        known = number or payload.header.channel_header
        fields = self.__dict__
        fields["_payload"], fields["_channel_header"] = payload, channel_header
        fields["_action"], fields["_outcome"], fields["_wrong"] = action, outcome, wrong
        fields["_type"] = type_name(number) if known else "UNKNOWN"

    _payload = filled[Any](_decode)
    _channel_header = filled[Any](_decode)
    _action = filled[Any](_decode)
    _outcome = filled[Any](_decode)
    _wrong = filled[str | None](_decode)
    _type = filled[str](_decode)

    @lazy_property
    def _configs(self) -> tuple[Configuration | None, ConfigUpdate | None, str | None]:
        if self.type not in ("CONFIG", "CONFIG_UPDATE"):
            return None, None, None
        # Rare in a channel, and needs many more messages than all else here.
        from medfab_gateway._config_decoder import decode_config, decode_config_update

        data: bytes = self._payload.data
        try:
            if self.type == "CONFIG":
                return *decode_config(data), None
            return None, decode_config_update(data), None
        except DECODE_ERRORS as error:
            return None, None, reason(error)


def block_transaction(envelope: bytes, validation_code: str) -> BlockTransaction:
    """`BlockTransaction(…)`, in less time: see `_frozen.py`."""
    transaction = new(BlockTransaction)
    fields = transaction.__dict__
    fields["envelope"] = envelope
    fields["validation_code"] = validation_code
    return transaction
