"""Checks of what a transaction function is called with.

They name the place and never the value: protobuf's own errors quote the value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def argument_bytes(argument: str | bytes) -> bytes:
    """The argument as it is sent. Raises `TypeError`, `ValueError`."""
    if isinstance(argument, str):
        try:
            return argument.encode()
        except UnicodeEncodeError:
            # `from None`: a UnicodeEncodeError carries the whole text.
            raise ValueError("An argument holds half a surrogate pair: no UTF-8 text.") from None
    if isinstance(argument, bytes):
        return argument
    raise TypeError(f"An argument is {type(argument).__name__}; only str and bytes can be sent.")


def checked_transient(transient: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """The transient map, if it is one. Raises `TypeError`."""
    for key, value in transient.items():
        if not isinstance(value, bytes):
            raise TypeError(
                f"The transient value under {key!r} is {type(value).__name__}; bytes are needed."
            )
    return transient


def msp_ids(organizations: Sequence[str] | None) -> Sequence[str]:
    """The list of MSP ids; empty for None. Raises `TypeError`."""
    if isinstance(organizations, str):
        raise TypeError(f"Organizations are a list of MSP ids: write [{organizations!r}].")
    return organizations or ()
