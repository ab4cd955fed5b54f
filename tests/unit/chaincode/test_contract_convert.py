"""Arguments, transient JSON and results: what is taken, what is refused, what is never said."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medfab_chaincode import (
    ContractError,
    DefinitionError,
    InvalidArgumentError,
    NotCanonicalError,
    canonical_json,
)
from medfab_chaincode._canonical import encode_result
from medfab_chaincode._convert import argument_converter, json_converter


class Colour(StrEnum):
    RED = "red"


class Half(Enum):
    HALF = 0.5


class Same(Enum):
    NUMBER = 1
    TEXT = "1"


@dataclass
class Derived:
    total: int = field(init=False)


class Level(Enum):
    ONE = 1
    YES = "yes"


@dataclass(frozen=True)
class Leaf:
    count: int
    note: str | None = None

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError(f"{self.count} is negative")
        if self.count == 13:
            raise ContractError("unlucky", code="UNLUCKY", status=422)


@dataclass(frozen=True, kw_only=True)
class Tree:
    name: str
    leaves: tuple[Leaf, ...] = ()
    parts: list["Tree"] = field(default_factory=list)
    labels: dict[str, Colour] = field(default_factory=dict)
    raw: bytes = b""
    at: datetime | None = None
    amount: Decimal | None = None
    level: Level = Level.ONE


MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hint", "raw", "value"),
    [
        (str, b"", ""),
        (str, "né".encode(), "né"),
        (bytes, b"\xff\x00", b"\xff\x00"),
        (int, b"-9223372036854775808", -(2**63)),
        (bool, b"true", True),
        (Colour, b"red", Colour.RED),
        (Level, b"1", Level.ONE),
        (Decimal, b"1.50", Decimal("1.50")),
        (datetime, b"2026-01-02T04:04:05+01:00", MOMENT),
        (datetime, b"2026-01-02T03:04:05.25Z", MOMENT + timedelta(milliseconds=250)),
        (int | None, b"", None),
        (Optional[int], b"7", 7),  # noqa: UP045
        (str | None, b"", None),
        (list[int], b"[1, 2]", [1, 2]),
        (dict[str, bool], b'{"a": true}', {"a": True}),
        (Leaf, b'{"count": 1}', Leaf(1)),
        (Leaf | None, b"", None),
    ],
)
def test_arguments_taken(hint: Any, raw: bytes, value: object) -> None:
    converted = argument_converter(hint)("p", raw)
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("hint", "raw"),
    [
        (str, b"\xff"),
        *((int, raw) for raw in (b"", b"1.0", b"01", b"+1", b" 1", b"1_0", b"9" * 19, b"0x1")),
        (int, "\u0661".encode()),  # a digit, but not ASCII
        (int, b"9" * 5000),
        *((bool, raw) for raw in (b"True", b"1", b"")),
        (Colour, b"RED"),
        *((Decimal, raw) for raw in (b"NaN", b"1e5", b".5", b"Infinity", b"")),
        *(
            (datetime, raw)
            for raw in (
                b"2026-01-02",
                b"2026-01-02T03:04:05",
                b"2026-W01-1T00:00:00Z",
                b"2026-13-02T03:04:05Z",
                b"0001-01-01T00:00:00+12:00",
                b"2026-01-02T03:04:05.1234567Z",
            )
        ),
        (list[int], b'["1"]'),
        (list[int], b"[1.0]"),
        (list[int], b"[true]"),
        (list[int], b"[NaN]"),
        (list[int], b"[9223372036854775808]"),
        (list[bool], b"[1]"),
        (list[int], b"{}"),
        (list[int], b"null"),
        (list[int], b"[" * 100_000),
        (dict[str, int], b'{"a": 1, "a": 1}'),
        (Leaf, b'{"count": 1, "count": 1}'),
        (Leaf, b"not json"),
        (Leaf, b'{"count": 1} {}'),
        (list[Level], b"[true]"),
        (list[Level], b"[[]]"),
        (list[bytes], b'["a"]'),
        (list[str], b"[1]"),
        (list[str], b"[null]"),
        (list[str], rb'["\ud800"]'),
        (dict[str, int], rb'{"\ud800": 1}'),
    ],
)
def test_arguments_refused(hint: Any, raw: bytes) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        argument_converter(hint)("p", raw)
    assert caught.value.code == "INVALID_ARGUMENT"
    assert caught.value.message.startswith("p")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b'{"name": 1}', "it.name: expected a string, got a number"),
        (b"{}", "it.name: expected a value, got nothing"),
        (b'{"name": "n", "canary": 1}', "it: expected no other fields than Tree's, got an unknown"),
        (b'{"name": "n", "parts": [{"name": "m", "leaves": [{"count": "canary"}]}]}',
         "it.parts[0].leaves[0].count: expected a whole number of 64 bits, got a string"),
        (b'{"name": "n", "leaves": [{"count": -1}]}',
         "it.leaves[0]: expected a valid Leaf, got an invalid one"),
        (b'{"name": "n", "labels": {"canary": "blue"}}',
         "it.labels[*]: expected one of Colour, got another value"),
        (b'{"name": "n", "raw": "canary!"}', "it.raw: expected base64, got another string"),
        (b'{"name": "n", "leaves": {"canary": 1}}', "it.leaves: expected an array, got an object"),
        (b'{"name": null}', "it.name: expected a string, got null"),
        (b'{"name": "canary', "it: expected JSON, got text that is not JSON"),
        (b'{"name": "n", "name": "canary"}', "it: expected JSON, got a JSON object with a name tw"),
        (b'[true]', "it: expected an object (Tree), got an array"),
        # Too deep for the parser or, with newer Pythons, for the conversion.
        (b'{"name": "n", "parts": [' * 5000 + b"]}" * 5000, "it: expected JSON, got "),
    ],
)  # fmt: skip
def test_refusals_name_the_path_and_never_the_value(document: bytes, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        json_converter(Tree)("it", document)
    assert caught.value.message.startswith(message)
    assert "canary" not in caught.value.message
    # Nothing that a traceback printer would follow carries the value either.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_contract_error_from_a_dataclass_reaches_the_client() -> None:
    with pytest.raises(ContractError) as caught:
        json_converter(Leaf)("it", b'{"count": 13}')
    assert (caught.value.code, caught.value.status) == ("UNLUCKY", 422)


TREES: st.SearchStrategy[Tree] = st.deferred(
    lambda: st.builds(
        Tree,
        name=st.text(),
        leaves=st.lists(
            st.builds(Leaf, st.integers(14, 2**63 - 1), st.none() | st.text()), max_size=2
        ).map(tuple),
        parts=st.lists(TREES, max_size=1),
        labels=st.dictionaries(st.text(), st.just(Colour.RED), max_size=2),
        raw=st.binary(max_size=4),
        at=st.none() | st.datetimes(timezones=st.just(UTC)),
        amount=st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=2),
        level=st.sampled_from(Level),
    )
)


@given(TREES)
@settings(max_examples=50, deadline=None)
def test_what_canonical_json_writes_is_read_back_equal(tree: Tree) -> None:
    restored = json_converter(Tree)("it", canonical_json(tree))
    assert restored == tree
    assert canonical_json(restored) == canonical_json(tree)


@pytest.mark.parametrize(
    "hint",
    [
        float,
        Any,
        object,
        int | str,
        list,
        list[float],
        dict[int, str],
        tuple[int, str],
        set,
        Half,
        Same,
        list[Same],
        Derived,
    ],
)
def test_hints_without_a_wire_form_stop_the_start(hint: Any) -> None:
    with pytest.raises(DefinitionError):
        argument_converter(hint)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (None, b"null"),
        ({"b": 1, "a": [True, None, "é"]}, '{"a":[true,null,"é"],"b":1}'.encode()),
        (Leaf(1), b'{"count":1,"note":null}'),
        ([Colour.RED, Level.ONE], b'["red",1]'),
        (b"\x00\xff", b'"AP8="'),
        (datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2))),
         b'"2026-01-02T03:04:05Z"'),
        (MOMENT + timedelta(microseconds=1), b'"2026-01-02T03:04:05.000001Z"'),
        (Decimal("1E+2"), b'"100"'),
        ((Decimal("1.50"),), b'["1.50"]'),
        (-(2**63), b"-9223372036854775808"),
    ],
)  # fmt: skip
def test_canonical_json(value: object, data: bytes) -> None:
    assert canonical_json(value) == data


@pytest.mark.parametrize(
    "value",
    [1.5, [float("nan")], {"a": 1.0}, {1: "a"}, MOMENT.replace(tzinfo=None), {1}, object(), Leaf,
     2**63, -(2**63) - 1, "\ud800", Decimal("NaN")],
)  # fmt: skip
def test_what_has_no_canonical_form(value: object) -> None:
    with pytest.raises(NotCanonicalError):
        canonical_json(value)


@pytest.mark.parametrize(
    ("result", "payload"),
    [(None, b""), ("text", b"text"), (b"\xff", b"\xff"), (Colour.RED, b"red"), (7, b"7"),
     (Level.YES, b"yes"), (Level.ONE, b"1"), (Decimal("1.50"), b"1.50"),
     (MOMENT, b"2026-01-02T03:04:05Z"),
     (True, b"true"), ([], b"[]"), (Leaf(1), b'{"count":1,"note":null}')],
)  # fmt: skip
def test_results(result: object, payload: bytes) -> None:
    assert encode_result(result) == payload
