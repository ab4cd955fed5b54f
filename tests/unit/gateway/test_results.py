from __future__ import annotations

import enum
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from medfab_gateway import (
    AsyncContract,
    ResultError,
    json_result,
    private_key_signer,
    text_result,
)
from unit.gateway.fake_gateway import FakeGateway, make_identity, serve
from unit.gateway.forms import Connect

IDENTITY, KEY = make_identity()


class Ward(enum.Enum):
    SURGERY = "surgery"


@dataclass(frozen=True)
class Owner:
    name: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asset:
    asset_id: str
    count: int
    weight: float
    ward: Ward
    owner: Owner | None
    state: Literal["new", 2] = "new"
    notes: dict[str, list[Owner]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError(f"{self.count} SECRET")


FULL = {
    "asset_id": "a",
    "count": 3,
    "weight": 2,
    "ward": "surgery",
    "owner": {"name": "N", "tags": ["x", "y"]},
    "state": 2,
    "notes": {"k": [{"name": "M"}]},
    "unknown": "of a newer contract",
}


@pytest.fixture
async def fake() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
async def contract(fake: FakeGateway, connect: Connect) -> AsyncIterator[AsyncContract]:
    async with (
        serve(fake) as endpoint,
        connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway,
    ):
        yield gateway.network("care").contract("ehr")


async def test_a_dataclass(fake: FakeGateway, contract: AsyncContract) -> None:
    fake.result = json.dumps(FULL).encode()
    expected = Asset(
        asset_id="a",
        count=3,
        weight=2.0,
        ward=Ward.SURGERY,
        owner=Owner("N", ("x", "y")),
        state=2,
        notes={"k": [Owner("M")]},
    )
    as_asset = json_result(Asset)
    assert await contract.evaluate("Read", result=as_asset) == expected
    assert await contract.submit("Move", result=as_asset) == expected
    assert (await contract.submit_async("Move", result=as_asset)).result == expected
    transaction = await contract.proposal("Move").endorse()
    assert transaction.read_result(as_asset) == expected
    assert transaction.result == fake.result


@pytest.mark.parametrize(
    ("kind", "answer", "expected"),
    [
        (Any, b'{"a": [1]}', {"a": [1]}),
        (list[int], b"[1, 2]", [1, 2]),
        (float, b"1", 1.0),
        (None, b"null", None),
        (dict[str, bool], b'{"a": true}', {"a": True}),
    ],
)
def test_other_types(kind: Any, answer: bytes, expected: Any) -> None:
    assert json_result(kind)(answer) == expected


def test_without_a_type() -> None:
    assert json_result()(b'["x"]') == ["x"]
    assert text_result("ü".encode()) == "ü"


def changed(**fields: object) -> bytes:
    return json.dumps({**FULL, **fields}).encode()


@pytest.mark.parametrize(
    ("converter", "answer", "expected"),
    [
        (json_result(), b"SECRET", "JSON was expected"),
        (json_result(), b"\xffSECRET", "JSON was expected"),
        (json_result(), b"", "JSON was expected"),
        (text_result, b"\xffSECRET", "UTF-8 text was expected"),
        (json_result(str), b'["SECRET"]', "text was expected"),
        (json_result(list[int]), b'[1, "SECRET"]', r"a whole number was expected at \[1\]"),
        (json_result(int), b"true", "a whole number was expected"),
        (json_result(int), b"1.5", "a whole number was expected"),
        (json_result(Asset), b'"SECRET"', r"an object \(Asset\) was expected"),
        (json_result(Asset), b'{"asset_id": "SECRET"}', "a value was expected at (count|w|o)"),
        (json_result(Asset), changed(ward="SECRET"), "Ward was expected at ward"),
        (json_result(Asset), changed(state="SECRET"), "one of the literals was expected at state"),
        (json_result(Asset), changed(count=-1), "what Asset accepts was expected"),
        (
            json_result(Asset),
            changed(owner={"name": "n", "tags": ["SECRET", 1]}),
            r"text was expected at owner\.tags\[1\]",
        ),
        (
            json_result(Asset),
            changed(notes={"SECRET": [{"name": 7}]}),
            r"text was expected at notes\.?\[…\]\[0\]\.name",
        ),
        (lambda answer: json.loads(answer)["x"], b'{"SECRET": 1}', "cannot read it .KeyError."),
    ],
)
async def test_what_does_not_fit_is_told_without_the_answer(
    fake: FakeGateway, contract: AsyncContract, converter: Any, answer: bytes, expected: str
) -> None:
    fake.result = answer
    with pytest.raises(ResultError, match=expected) as raised:
        await contract.submit("Move", result=converter)
    assert "Move of chaincode ehr on channel care" in str(raised.value)
    assert "SECRET" not in str(raised.value)
    assert raised.value.__cause__ is raised.value.__context__ is None
    assert fake.calls == ["Endorse"]  # and nothing was submitted


@pytest.mark.parametrize("kind", [bytes, set[str], dict[int, str], complex])
def test_types_that_json_cannot_be(kind: Any) -> None:
    with pytest.raises(TypeError, match="JSON cannot be read as"):
        json_result(kind)
