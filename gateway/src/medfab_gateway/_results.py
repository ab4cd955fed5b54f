"""A contract's answer, as the type that the caller wants.

    asset = await contract.evaluate("ReadAsset", "asset-1", result=json_result(Asset))

Any function from bytes will do for `result=`. What goes wrong in it is told without the answer,
which may hold patient data: the function's own error is not shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar, overload

from medfab_gateway._json_reader import MismatchError, reader_of
from medfab_gateway.errors import ResultError

T = TypeVar("T")


def text_result(answer: bytes) -> str:
    """The answer as UTF-8 text."""
    try:
        return answer.decode()
    except UnicodeDecodeError:
        raise ResultError("UTF-8 text was expected") from None


@overload
def json_result() -> Callable[[bytes], Any]: ...
@overload
def json_result(kind: type[T]) -> Callable[[bytes], T]: ...
def json_result(kind: Any = Any) -> Callable[[bytes], Any]:
    """Reads the answer as JSON, of the type `kind`; without it, of any.

    kind: a dataclass, `str`, `int`, `float`, `bool`, `None`, an `Enum`, `Any`, or a `list`,
    `tuple`, `dict`, union or `Literal` of such. Nothing is coerced, except whole numbers to
    `float`; members of an object that the dataclass does not have are left out. Raises `TypeError`
    for a type that cannot be read.
    """
    read = reader_of(kind)

    def convert(answer: bytes) -> Any:
        try:
            return read(json.loads(answer))
        except MismatchError as error:
            raise ResultError(str(error)) from None
        except ValueError:
            raise ResultError("JSON was expected") from None

    return convert


def convert_result(answer: bytes, converter: Callable[[bytes], T], *, description: str) -> T:
    """`answer`, converted. Raises `ResultError`, whose text holds nothing of the answer."""
    try:
        return converter(answer)
    except ResultError as error:
        reason = str(error)
    except Exception as error:
        name = getattr(converter, "__qualname__", type(converter).__qualname__)
        reason = f"{name} cannot read it ({type(error).__name__})"
    # Outside of the except clauses, so that no error that quotes the answer hangs on to this one.
    raise ResultError(f"The answer of {description} is not as asked for: {reason}.")
