"""Who gets in, and what stops the start."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from medfab_chaincode import SettingsError
from medfab_chaincode._server import ChaincodeServer
from unit.chaincode.conftest import Certificates, Serving
from unit.chaincode.fake_peer import connect
from unit.chaincode.ledger_contract import Ledger

Credentials = Callable[[Certificates], grpc.ChannelCredentials | None]


@pytest.mark.parametrize(
    "credentials",
    [
        pytest.param(lambda c: grpc.ssl_channel_credentials(c.server_ca), id="no certificate"),
        pytest.param(lambda c: c.credentials(c.stranger), id="certificate of another CA"),
        pytest.param(lambda c: None, id="plaintext"),
    ],
)
async def test_who_is_refused(
    serving: Serving, certificates: Certificates, credentials: Credentials
) -> None:
    async with serving(Ledger()) as address:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async with connect(address, credentials(certificates)):
                pass
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        async with connect(address, certificates.credentials()) as peer:
            assert (await peer.invoke("Get", "a")).status == 200


async def test_without_a_client_ca_no_certificate_is_asked_for(
    serving: Serving, certificates: Certificates
) -> None:
    async with (
        serving(Ledger(), client_ca_certificate_file=None) as address,
        connect(address, grpc.ssl_channel_credentials(certificates.server_ca)) as peer,
    ):
        assert (await peer.invoke("Get", "a")).status == 200


async def test_plaintext_must_be_asked_for(serving: Serving) -> None:
    no_files = dict.fromkeys(("tls_key_file", "tls_certificate_file", "client_ca_certificate_file"))
    async with (
        serving(Ledger(), tls_disabled=True, **no_files) as address,
        connect(address, None) as peer,
    ):
        assert (await peer.invoke("Get", "a")).status == 200


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"tls_key_file": None}, "TLS needs both"),
        ({"tls_certificate_file": None}, "TLS needs both"),
        ({"tls_disabled": True}, "TLS is disabled and TLS files are named"),
        ({"tls_key_file": Path("/nonexistent/key")}, "TLS key cannot be read: /nonexistent/key"),
        ({"tls_certificate_file": Path("/")}, "TLS certificate cannot be read"),
        ({"client_ca_certificate_file": Path("/nonexistent/ca")}, "client CA certificate cannot"),
        ({"tls_key_file": "garbage"}, "no PEM pair"),
        ({"tls_certificate_file": "garbage"}, "no PEM pair"),
        ({"client_ca_certificate_file": "garbage"}, "client CA certificate is not PEM"),
        ({"address": "127.0.0.1"}, "write host:port"),
        ({"address": "127.0.0.1:70000"}, "write host:port"),
        ({"address": "192.0.2.1:0"}, "cannot listen on 192.0.2.1:0"),
    ],
)
async def test_what_stops_the_start(
    certificates: Certificates, tmp_path: Path, changes: dict[str, Any], text: str
) -> None:
    garbage = tmp_path / "garbage"
    garbage.write_text("-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n")
    changes = {key: garbage if value == "garbage" else value for key, value in changes.items()}
    with pytest.raises(SettingsError, match=text):
        await ChaincodeServer([Ledger()], certificates.settings(**changes)).start()


async def test_a_taken_port_stops_the_start(serving: Serving, certificates: Certificates) -> None:
    async with serving(Ledger()) as address:
        with pytest.raises(SettingsError, match=f"cannot listen on {address}"):
            await ChaincodeServer([Ledger()], certificates.settings(address=address)).start()


async def test_a_tcp_and_tls_connection_is_a_health_check(
    serving: Serving, certificates: Certificates
) -> None:
    import ssl

    context = ssl.create_default_context(cadata=certificates.server_ca.decode())
    async with serving(Ledger()) as address:
        host, _, port = address.rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port), ssl=context)
        assert writer.get_extra_info("ssl_object").version() in ("TLSv1.2", "TLSv1.3")
        writer.transport.abort()
