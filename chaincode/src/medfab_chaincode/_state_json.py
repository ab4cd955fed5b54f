"""The counterpart of `canonical_json`: state read back into the type that was written."""

from typing import TypeVar

from medfab_chaincode._convert import json_converter
from medfab_chaincode.errors import InvalidArgumentError, StateFormatError

T = TypeVar("T")


def parse_state(type_: type[T], data: bytes) -> T:
    """Rebuild a `type_` (a dataclass, `list[Item]`, …) from JSON in the ledger.

    As strict as `Context.transient_json`; a field added since must have a default. Raises
    `StateFormatError`, which names the field and never a value: to the client it is a failure of
    the contract, not a mistake of its own.
    """
    message = ""
    try:
        value: T = json_converter(type_)(f"a stored {getattr(type_, '__name__', 'value')}", data)
    except InvalidArgumentError as error:
        message = error.message
    else:
        return value
    raise StateFormatError(message)
