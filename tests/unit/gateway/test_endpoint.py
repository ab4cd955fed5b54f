from __future__ import annotations

import base64
import hashlib

import pytest
import trustme

from medfab_gateway import ConnectionFailedError, Endpoint, EndpointError
from medfab_gateway.identity import private_key_signer
from unit.gateway.fake_gateway import FakeGateway, make_identity, read_seek, serve, status_response
from unit.gateway.forms import Connect

IDENTITY, KEY = make_identity()
CERTIFICATE = trustme.CA().issue_cert("client.example").cert_chain_pems[0].bytes()


@pytest.mark.parametrize("address", ["localhost:7051", "10.0.0.1:1", "[::1]:7051"])
def test_addresses(address: str) -> None:
    assert Endpoint(address).address == address


@pytest.mark.parametrize(
    "address", ["", "localhost", "grpcs://localhost:7051", "a b:1", "::1:7051"]
)
def test_not_addresses(address: str) -> None:
    with pytest.raises(EndpointError, match="write host:port"):
        Endpoint(address)


def test_half_a_client_identity() -> None:
    with pytest.raises(EndpointError, match="client_certificate and client_key"):
        Endpoint("localhost:1", client_certificate=CERTIFICATE)


def test_plaintext_with_tls_settings() -> None:
    with pytest.raises(EndpointError, match="drop one"):
        Endpoint("localhost:1", insecure=True, tls_root_certificates=CERTIFICATE)


def test_client_certificate_hash_is_that_of_the_der() -> None:
    endpoint = Endpoint("localhost:1", client_certificate=CERTIFICATE, client_key=b"key")
    body = b"".join(line for line in CERTIFICATE.splitlines() if b"-----" not in line)
    assert endpoint.client_certificate_hash == hashlib.sha256(base64.b64decode(body)).digest()
    assert Endpoint("localhost:1").client_certificate_hash is None


def test_client_certificate_that_is_none() -> None:
    endpoint = Endpoint("localhost:1", client_certificate=b"x", client_key=b"key")
    with pytest.raises(EndpointError, match=r"not an X\.509 certificate"):
        _ = endpoint.client_certificate_hash


def test_repr_shows_no_key() -> None:
    endpoint = Endpoint("localhost:1", client_certificate=CERTIFICATE, client_key=b"SECRET")
    assert "SECRET" not in repr(endpoint)


async def test_server_name(connect: Connect) -> None:
    async with serve(FakeGateway(), host="peer0.hospital.example") as endpoint:
        async with connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway:
            assert await gateway.network("care").contract("ehr").evaluate("F") == b"result"
        unnamed = Endpoint(endpoint.address, tls_root_certificates=endpoint.tls_root_certificates)
        async with connect(unnamed, IDENTITY, private_key_signer(KEY)) as gateway:
            with pytest.raises(ConnectionFailedError, match="server_name"):
                await gateway.network("care").contract("ehr").evaluate("F")


async def test_mutual_tls_binds_block_requests_to_the_connection(connect: Connect) -> None:
    fake = FakeGateway(deliver=[status_response(200)])
    async with (
        serve(fake, mutual_tls=True) as endpoint,
        connect(endpoint, IDENTITY, private_key_signer(KEY)) as gateway,
    ):
        assert [block async for block in gateway.network("care").block_events(0)] == []
    header, _ = read_seek(fake.requests[0])
    assert header.tls_cert_hash == endpoint.client_certificate_hash
