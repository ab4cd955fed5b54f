"""A chaincode without the contract API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from medfab_chaincode import Chaincode, ContractError, Response, Stub
from medfab_chaincode._server import ChaincodeServer
from unit.chaincode.conftest import Certificates
from unit.chaincode.fake_peer import FakePeer, connect


class Raw(Chaincode):
    async def invoke(self, stub: Stub) -> Response:
        match stub.args:
            case [b"status", status, message]:
                stub.put_state("key", b"value")
                stub.set_event("event", b"payload")
                return Response(int(status), message.decode("utf-8", "surrogateescape"), b"answer")
            case [b"refuse"]:
                raise ContractError("not so", code="NO", status=409)
            case [b"read", key]:
                return Response(200, "", await stub.get_state(key.decode()) or b"")
        raise RuntimeError("patient data")


@pytest.fixture
async def peer(certificates: Certificates) -> AsyncIterator[FakePeer]:
    async with (
        _serving(certificates) as address,
        connect(address, certificates.credentials()) as peer,
    ):
        yield peer


@asynccontextmanager
async def _serving(certificates: Certificates) -> AsyncIterator[str]:
    server = ChaincodeServer(Raw(), certificates.settings())
    try:
        yield await server.start()
    finally:
        await server.stop()


@pytest.mark.parametrize(("status", "written"), [("200", True), ("399", True), ("400", False)])
async def test_the_status_decides_about_the_writes(
    peer: FakePeer, status: str, written: bool
) -> None:
    result = await peer.invoke("status", status, "words")
    assert (result.status, result.message, result.payload) == (int(status), "words", b"answer")
    assert bool(result.writes) is written


async def test_arguments_may_be_any_bytes(peer: FakePeer) -> None:
    peer.ledger["", "k"] = b"v"
    assert (await peer.invoke("read", "k")).payload == b"v"
    result = await peer.invoke(b"\xff\xfe", b"")
    assert (result.status, "patient" in result.message) == (500, False)


async def test_errors_are_those_of_contracts(peer: FakePeer) -> None:
    result = await peer.invoke("refuse")
    assert (result.status, result.message) == (409, '{"code":"NO","message":"not so"}')


@pytest.mark.parametrize(("status", "message"), [("0", b""), ("600", b""), ("200", b"\xff")])
async def test_a_response_that_no_peer_could_read_is_a_failure(
    peer: FakePeer, status: str, message: bytes
) -> None:
    assert (await peer.invoke("status", status, message)).status == 500
