"""Channel participation over mutual TLS, against canned answers of an orderer."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme

from medfab_gateway.admin import (
    AsyncOrdererAdmin,
    ChannelParticipation,
    JoinOutcome,
    OrdererAdminError,
)
from unit.gateway.https_server import Answer, HttpsServer, https_server

CLIENTS = trustme.CA()


def answer(status: int, body: object) -> Answer:
    return Answer(status, json.dumps(body).encode())


def orderer_at(server: HttpsServer, clients: trustme.CA = CLIENTS) -> AsyncOrdererAdmin:
    issued = clients.issue_cert("admin.example")
    return AsyncOrdererAdmin(
        server.url + "/",
        tls_root_certificates=server.tls_root,
        client_certificate=issued.cert_chain_pems[0].bytes(),
        client_key=issued.private_key_pem.bytes(),
        timeout=5,
    )


@asynccontextmanager
async def serving(reply: Answer) -> AsyncIterator[tuple[AsyncOrdererAdmin, HttpsServer]]:
    async with (
        https_server(lambda _: reply, client_authority=CLIENTS) as server,
        orderer_at(server) as orderer,
    ):
        yield orderer, server


async def test_join_posts_the_block_as_a_form() -> None:
    async with serving(answer(201, {"name": "care"})) as (orderer, server):
        assert await orderer.join(b"THE BLOCK") is JoinOutcome.JOINED
    [request] = server.requests
    assert (request.method, request.target) == ("POST", "/participation/v1/channels")
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="config-block"; filename=' in request.body
    assert b"\r\n\r\nTHE BLOCK\r\n" in request.body


async def test_a_channel_that_is_there_already() -> None:
    reply = answer(405, {"error": "cannot join: channel already exists"})
    async with serving(reply) as (orderer, _):
        assert await orderer.join(b"block") is JoinOutcome.ALREADY_JOINED


@pytest.mark.parametrize(
    ("status", "reason"),
    [(405, "cannot join: system channel exists"), (400, "invalid join block"), (409, "pending")],
)
async def test_a_join_that_is_refused(status: int, reason: str) -> None:
    async with serving(answer(status, {"error": reason})) as (orderer, server):
        with pytest.raises(OrdererAdminError, match=reason) as caught:
            await orderer.join(b"block")
    assert (caught.value.status, caught.value.message) == (status, reason)
    assert caught.value.address == server.url


async def test_channels() -> None:
    channels = [{"name": "supply", "url": "x"}, {"name": "care", "url": "y"}]
    async with serving(answer(200, {"systemChannel": None, "channels": channels})) as (orderer, _):
        assert await orderer.channels() == ["care", "supply"]


async def test_no_channels() -> None:
    async with serving(answer(200, {"systemChannel": None, "channels": None})) as (orderer, _):
        assert await orderer.channels() == []


async def test_one_channel() -> None:
    body = {"name": "care", "consensusRelation": "consenter", "status": "active", "height": 9}
    async with serving(answer(200, body)) as (orderer, server):
        assert await orderer.channel("care") == ChannelParticipation(
            name="care", status="active", consensus_relation="consenter", height=9
        )
    assert server.requests[0].target == "/participation/v1/channels/care"


async def test_a_channel_that_is_not_there() -> None:
    async with serving(answer(404, {"error": "channel does not exist"})) as (orderer, _):
        with pytest.raises(OrdererAdminError, match="has not joined") as caught:
            await orderer.channel("nope")
    assert caught.value.status == 404


async def test_an_answer_that_is_no_json() -> None:
    async with serving(Answer(503, b"<html>")) as (orderer, _):
        with pytest.raises(OrdererAdminError, match="status 503"):
            await orderer.channels()


async def test_a_client_certificate_of_another_authority_is_refused() -> None:
    """As Go's servers do it: the alert comes in answer to the request, then a clean end."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    context.verify_mode = ssl.CERT_REQUIRED
    CLIENTS.configure_trust(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                tls = context.wrap_bio(incoming, outgoing, server_side=True)
                while True:
                    try:
                        tls.do_handshake()
                    except ssl.SSLWantReadError:
                        connection.sendall(outgoing.read())
                        incoming.write(connection.recv(65536))
                    except ssl.SSLError:
                        connection.sendall(outgoing.read())  # the alert
                        connection.shutdown(socket.SHUT_WR)
                        while connection.recv(65536):
                            pass
                        return

        thread = threading.Thread(target=refuse)
        thread.start()
        server = HttpsServer(f"https://localhost:{listener.getsockname()[1]}", authority)
        async with orderer_at(server, trustme.CA()) as orderer:
            with pytest.raises(OrdererAdminError, match="want a client certificate") as caught:
                await orderer.channels()
        await asyncio.to_thread(thread.join, 5)
    assert caught.value.status is None
    assert "ALERT_UNKNOWN_CA" in caught.value.message


def test_a_key_that_does_not_belong_to_the_certificate() -> None:
    one, other = CLIENTS.issue_cert("a.example"), CLIENTS.issue_cert("b.example")
    with pytest.raises(ValueError, match="do not belong together"):
        AsyncOrdererAdmin(
            "https://localhost:1",
            tls_root_certificates=CLIENTS.cert_pem.bytes(),
            client_certificate=one.cert_chain_pems[0].bytes(),
            client_key=other.private_key_pem.bytes(),
        )
