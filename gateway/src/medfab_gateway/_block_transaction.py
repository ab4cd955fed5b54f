"""A transaction of a block, decoded as far as it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from medfab_gateway._lazy import lazy_property
from medfab_gateway._read_write_set import NamespaceReadWriteSet
from medfab_gateway._transaction_decoder import (
    DECODE_ERRORS,
    creator_of,
    decode_action,
    decode_envelope,
    decode_timestamp,
    endorser_of,
    event_of,
    no_action,
    read_write_set_of,
    reason,
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
        transaction_id: str = self._payload.header.channel_header.tx_id
        return transaction_id

    @property
    def channel_id(self) -> str:
        channel_id: str = self._payload.header.channel_header.channel_id
        return channel_id

    @lazy_property
    def type(self) -> str:
        """`ENDORSER_TRANSACTION`, `CONFIG`, … (`common.HeaderType`); `TYPE_<n>` for one that a
        newer Fabric has added; `UNKNOWN` where it could not be decoded."""
        if not self._payload.header.HasField("channel_header"):
            return "UNKNOWN"
        return type_name(self._payload.header.channel_header.type)

    @property
    def timestamp(self) -> datetime | None:
        """The clock of the creator, UTC, to the microsecond."""
        return decode_timestamp(self._payload.header.channel_header)[0]

    @property
    def creator(self) -> Creator:
        return creator_of(self._payload.header.signature_header.creator)

    @property
    def chaincode_name(self) -> str | None:
        name: str = self._outcome.chaincode_id.name or self._spec.chaincode_id.name
        return name or None

    @property
    def args(self) -> tuple[bytes, ...]:
        """The name of the function, then its arguments."""
        return tuple(self._spec.input.args)

    @property
    def response(self) -> ChaincodeResponse | None:
        response = self._outcome.response
        if not self._outcome.HasField("response"):
            return None
        return ChaincodeResponse(
            status=response.status, message=response.message, payload=response.payload
        )

    @property
    def event(self) -> ChaincodeEvent | None:
        return event_of(self._outcome.events)

    @property
    def endorser_msp_ids(self) -> tuple[str, ...]:
        return tuple([each.endorser.mspid for each in self._action.action.endorsements])

    @lazy_property
    def endorsers(self) -> tuple[Endorser, ...]:
        return tuple([endorser_of(each) for each in self._action.action.endorsements])

    @lazy_property
    def read_write_sets(self) -> tuple[NamespaceReadWriteSet, ...]:
        """What was read and written, by chaincode."""
        return tuple([read_write_set_of(each) for each in self._outcome.results.ns_rwset])

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
        return (
            self._decoded_envelope[1]
            or decode_timestamp(self._payload.header.channel_header)[1]
            or self._decoded_action[1]
            or self._configs[2]
        )

    def __repr__(self) -> str:
        return (
            f"BlockTransaction(transaction_id={self.transaction_id!r}, type={self.type!r}, "
            f"validation_code={self.validation_code!r}, creator={self.creator!r}, "
            f"chaincode_name={self.chaincode_name!r})"
        )

    @lazy_property
    def _decoded_envelope(self) -> tuple[Any, str | None]:
        return decode_envelope(self.envelope)

    @lazy_property
    def _payload(self) -> Any:
        return self._decoded_envelope[0]

    @lazy_property
    def _decoded_action(self) -> tuple[Any, str | None]:
        is_call = self.type == "ENDORSER_TRANSACTION" and self._decoded_envelope[1] is None
        return decode_action(self._payload.data) if is_call else (no_action(), None)

    @property
    def _action(self) -> Any:
        return self._decoded_action[0]

    @lazy_property
    def _outcome(self) -> Any:
        """The `protos.ChaincodeAction`."""
        return self._action.action.proposal_response_payload.extension

    @property
    def _spec(self) -> Any:
        """The `protos.ChaincodeSpec`."""
        return self._action.chaincode_proposal_payload.input.chaincode_spec

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
