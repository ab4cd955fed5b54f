"""Transient parameters and typed private collections, through a running chaincode."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

import pytest

from medfab_chaincode import (
    Context,
    Contract,
    DefinitionError,
    InvalidArgumentError,
    PrivateCollection,
    Transient,
    canonical_json,
    evaluate,
    submit,
)
from medfab_chaincode._router import Router
from unit.chaincode.conftest import Certificates, Serving
from unit.chaincode.contract_help import run, stub_of
from unit.chaincode.fake_peer import connect


@dataclass(frozen=True, kw_only=True)
class Patient:
    name: str
    salt: str
    ward: int | None = None


ANNA = Patient(name="Anna", salt="1")
BERT = Patient(name="Bert", salt="2", ward=7)


class Registry(Contract):
    name = "registry"

    patients = PrivateCollection("patients", Patient)

    @submit
    async def admit(
        self, context: Context, key: str, patient: Annotated[Patient, Transient()]
    ) -> None:
        self.patients.put(context, key, patient)

    @submit
    async def remove(self, context: Context, key: str, history: bool) -> None:
        (self.patients.purge if history else self.patients.delete)(context, key)

    @evaluate
    async def read(self, context: Context, key: str) -> Patient | None:
        return await self.patients.get(context, key)

    @evaluate
    async def names(self, context: Context, keys: list[str]) -> list[str | None]:
        found = await self.patients.get_many(context, keys)
        return [None if patient is None else patient.name for patient in found]

    @evaluate
    async def hash(self, context: Context, key: str) -> bytes | None:
        return await self.patients.get_hash(context, key)

    @evaluate
    async def wards(self, context: Context) -> dict[str, int | None]:
        return {key: found.ward async for key, found in self.patients.by_range(context, "", "")}

    @evaluate
    async def of_ward(self, context: Context, ward: str) -> list[str]:
        results = self.patients.by_partial_composite_key(context, "ward", [ward])
        return [patient.name async for _, patient in results]

    @evaluate
    async def entries(
        self,
        context: Context,
        raw: Annotated[bytes, Transient("image")],
        before: int,
        note: Annotated[str | None, Transient()],
    ) -> list[str | None]:
        return [raw.hex(), str(before), note]


async def test_a_collection_of_one_type(serving: Serving, certificates: Certificates) -> None:
    async with (
        serving(Registry()) as address,
        connect(address, certificates.credentials(), batching=False) as peer,
    ):
        for key, patient in (("a", ANNA), ("b", BERT)):
            entry = {"patient": canonical_json(patient)}
            assert (await peer.invoke("admit", key, transient=entry)).status == 200
        stored = json.dumps({"name": "Bert", "salt": "2", "ward": 7}, separators=(",", ":"))
        assert peer.ledger["patients", "b"] == stored.encode()
        peer.ledger["patients", "\0ward\x007\0b\0"] = stored.encode()

        assert json.loads((await peer.invoke("read", "b")).payload)["ward"] == 7
        assert (await peer.invoke("read", "c")).payload == b""
        names = (await peer.invoke("names", '["b", "c", "a"]')).payload
        assert json.loads(names) == ["Bert", None, "Anna"]
        assert (await peer.invoke("hash", "b")).payload == sha256(stored.encode()).digest()
        assert json.loads((await peer.invoke("of_ward", "7")).payload) == ["Bert"]
        del peer.ledger["patients", "\0ward\x007\0b\0"]
        assert json.loads((await peer.invoke("wards")).payload) == {"a": None, "b": 7}
        for key, history, kind in (
            ("a", "false", "DEL_STATE"),
            ("b", "true", "PURGE_PRIVATE_DATA"),
        ):
            removed = await peer.invoke("remove", key, history)
            assert removed.requests == [kind]
        assert peer.ledger == {}


async def test_state_of_another_type_is_a_failure_that_tells_nothing(
    serving: Serving, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        serving(Registry()) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        peer.ledger = {("patients", "a"): b'{"name": 1, "canary": "canary"}'}
        result = await peer.invoke("read", "a")
    assert result.status == 500
    assert json.loads(result.message)["code"] == "INTERNAL"
    assert "StateFormatError" in str([vars(record) for record in caplog.records])
    assert "canary" not in f"{result.message} {[vars(record) for record in caplog.records]}"


def test_a_collection_of_a_type_without_a_form_stops_the_start() -> None:
    with pytest.raises(DefinitionError, match="has no form on the wire"):
        PrivateCollection("floats", float)


@pytest.mark.parametrize(
    ("transient", "result"),
    [
        ({"image": b"\xff", "note": b"n"}, ["ff", "3", "n"]),
        ({"image": b"", "note": b""}, ["", "3", None]),
        ({"image": b"\x01"}, ["01", "3", None]),
    ],
)
async def test_transient_parameters_have_the_forms_of_arguments(
    transient: dict[str, bytes], result: list[str | None]
) -> None:
    payload = await run(Router([Registry()]), stub_of("entries", "3", transient=transient))
    assert json.loads(payload) == result


@pytest.mark.parametrize(
    ("transient", "path", "problem"),
    [
        ({}, "transient.patient", "expected an entry, got nothing"),
        ({"patient": b"[]"}, "transient.patient", "expected an object (Patient), got an array"),
        (
            {"patient": b'{"name": "canary", "salt": 1}'},
            "transient.patient.salt",
            "expected a string, got a number",
        ),
    ],
)
async def test_a_refused_transient_entry(
    transient: dict[str, bytes], path: str, problem: str
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        await run(Router([Registry()]), stub_of("admit", "a", transient=transient))
    assert caught.value.document == {
        "code": "INVALID_ARGUMENT",
        "message": f"{path}: {problem}",
        "fields": {path: problem},
    }
