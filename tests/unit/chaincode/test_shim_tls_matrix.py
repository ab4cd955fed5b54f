"""Who is let in and whom we dial: one table for the server process, one for the client.

The tables hold what is accepted too, so that a refusal is not the test's own mistake.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme

from medfab_chaincode import ClientSettings, StreamLostError, serve
from unit.chaincode.conftest import A_YEAR_AGO, CHAINCODE_ID, Certificates
from unit.chaincode.fake_peer import listen
from unit.chaincode.ledger_contract import Ledger
from unit.chaincode.test_shim_cli import LEDGER, Chaincode, running

pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")

OLD, NEW = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_3
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
"""How HTTP/2 begins, with a SETTINGS frame that changes nothing."""

# --- peers that dial the server process ------------------------------------------------------


def client(
    certificates: Certificates,
    leaf: trustme.LeafCert | None,
    *,
    oldest: ssl.TLSVersion = NEW,
    newest: ssl.TLSVersion = NEW,
) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=certificates.server_ca.decode())
    context.set_alpn_protocols(["h2"])
    # OpenSSL itself would refuse to offer old versions.
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version, context.maximum_version = oldest, newest
    if leaf is not None:
        leaf.configure_cert(context)
    return context


async def gets_in(address: str, context: ssl.SSLContext | None) -> bool:
    """Whether the server answers in HTTP/2. In TLS 1.3 a handshake alone does not tell."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(60):
            reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
            with contextlib.closing(writer):
                writer.write(PREFACE)
                frame = await reader.readexactly(9)
    except (OSError, asyncio.IncompleteReadError):  # ssl.SSLError is an OSError
        return False
    return frame[3] == 4  # SETTINGS


@pytest.fixture(scope="module")
async def chaincode(certificates: Certificates) -> AsyncIterator[Chaincode]:
    async with running(certificates, LEDGER) as chaincode:
        yield chaincode


@pytest.mark.parametrize(
    ("accepted", "context"),
    [
        pytest.param(True, lambda c: client(c, c.client), id="TLS 1.3"),
        pytest.param(
            True,
            lambda c: client(
                c, c.client, oldest=ssl.TLSVersion.TLSv1_2, newest=ssl.TLSVersion.TLSv1_2
            ),
            id="TLS 1.2",
        ),
        pytest.param(False, lambda c: client(c, c.client, oldest=OLD, newest=OLD), id="TLS 1.1"),
        pytest.param(
            False,
            lambda c: client(c, c.client, oldest=ssl.TLSVersion.TLSv1, newest=ssl.TLSVersion.TLSv1),
            id="TLS 1.0",
        ),
        pytest.param(False, lambda c: client(c, None), id="no certificate"),
        pytest.param(False, lambda c: client(c, c.stranger), id="certificate of another CA"),
        pytest.param(False, lambda c: client(c, c.expired), id="expired certificate"),
        pytest.param(False, lambda c: None, id="plaintext"),
    ],
)
async def test_who_gets_in(
    chaincode: Chaincode,
    certificates: Certificates,
    accepted: bool,
    context: Callable[[Certificates], ssl.SSLContext | None],
) -> None:
    assert await gets_in(chaincode.address, context(certificates)) is accepted


# --- peers that are dialled ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "names", "options"),
    [
        pytest.param(True, ["localhost"], {}, id="the peer"),
        pytest.param(False, ["elsewhere.example"], {}, id="another name"),
        pytest.param(False, ["localhost"], {"not_after": A_YEAR_AGO}, id="expired certificate"),
        pytest.param(False, [], {}, id="plaintext"),
    ],
)
async def test_who_is_dialled(
    certificates: Certificates,
    tmp_path: Path,
    accepted: bool,
    names: list[str],
    options: dict[str, Any],
) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    credentials = None
    if names:
        leaf = ca.issue_cert(*names, **options)
        chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
        credentials = grpc.ssl_server_credentials([(leaf.private_key_pem.bytes(), chain)])
    async with listen(credentials, "localhost:0") as (address, registered):
        settings = client_settings(address, tmp_path, certificates)
        serving = asyncio.create_task(serve([Ledger()], settings))
        peer = asyncio.create_task(registered.get())
        done, _ = await asyncio.wait(
            {serving, peer}, timeout=60, return_when=asyncio.FIRST_COMPLETED
        )
        assert done == {peer if accepted else serving}
        peer.cancel()
    with pytest.raises(StreamLostError):
        await serving


async def test_a_peer_with_old_tls_is_not_talked_to(
    certificates: Certificates, tmp_path: Path
) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    context.set_alpn_protocols(["h2"])
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = context.maximum_version = OLD
    greeted: list[str] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeted.append(writer.get_extra_info("ssl_object").version())
        writer.close()

    async with await asyncio.start_server(greet, "localhost", 0, ssl=context) as server:
        address = f"localhost:{server.sockets[0].getsockname()[1]}"
        old = client(certificates, None, oldest=OLD, newest=OLD)
        old.load_verify_locations(tmp_path / "ca.pem")
        await gets_in(address, old)
        assert greeted == ["TLSv1.1"]  # this peer can talk to those who want it
        settings = client_settings(address, tmp_path, certificates)
        with pytest.raises(StreamLostError):
            await asyncio.wait_for(serve([Ledger()], settings), 60)
    assert len(greeted) == 1


def client_settings(address: str, folder: Path, certificates: Certificates) -> ClientSettings:
    return ClientSettings(
        peer_address=address,
        chaincode_id=CHAINCODE_ID,
        tls_key_file=certificates.key_file,
        tls_certificate_file=certificates.certificate_file,
        peer_ca_certificate_file=folder / "ca.pem",
    )
