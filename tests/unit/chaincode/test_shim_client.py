"""Chaincode that dials its peer: `ChaincodeSupport/Register`, as a command and in a process."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from medfab_chaincode import ClientSettings, SettingsError, StreamLostError, serve
from unit.chaincode.conftest import CHAINCODE_ID, Certificates
from unit.chaincode.fake_peer import FakePeer, PeerRefusal, listen
from unit.chaincode.ledger_contract import Ledger
from unit.chaincode.test_shim_cli import LEDGER, run_command


def settings(address: str, **changes: Any) -> ClientSettings:
    values: dict[str, Any] = {
        "peer_address": address,
        "chaincode_id": CHAINCODE_ID,
        "tls_disabled": True,
        "drain_seconds": 2.0,
    }
    return ClientSettings(**(values | changes))


def peer_credentials(certificates: Certificates) -> grpc.ServerCredentials:
    """A peer that lets in only clients with a certificate of `client_ca`, as Fabric's does."""
    pair = (certificates.key_file.read_bytes(), certificates.certificate_file.read_bytes())
    return grpc.ssl_server_credentials(
        [pair], certificates.client_ca_file.read_bytes(), require_client_auth=True
    )


async def next_peer(registered: "asyncio.Queue[FakePeer]") -> FakePeer:
    return await asyncio.wait_for(registered.get(), 60)


async def invoke_forever(peer: FakePeer) -> None:
    while True:
        await peer.invoke("Get", "a")


async def test_it_registers_and_serves_until_it_is_stopped() -> None:
    contract, stop = Ledger(), asyncio.Event()
    async with listen(None) as (address, registered):
        serving = asyncio.create_task(serve([contract], settings(address), stop=stop))
        peer = await next_peer(registered)
        assert peer.chaincode_id == CHAINCODE_ID
        assert (await peer.invoke("Put", "a", "1")).status == 200
        assert (await peer.invoke("Get", "a")).payload == b"1"
        held = asyncio.create_task(peer.invoke("Hold"))
        await contract.entered.wait()
        stop.set()
        with pytest.raises(PeerRefusal, match="shutting down"):
            await asyncio.wait_for(invoke_forever(peer), 60)
        contract.released.set()
        assert (await held).payload == b"done"  # drained, and the last message arrived
        await asyncio.wait_for(serving, 60)


async def test_the_end_of_the_stream_is_the_end_of_the_process() -> None:
    """A peer starts its chaincode anew by itself, and accepts no process of before."""
    async with listen(None) as (address, registered):
        serving = asyncio.create_task(serve([Ledger()], settings(address)))
        peer = await next_peer(registered)
        peer.silent.add("GET_STATE")
        waiting = asyncio.create_task(peer.invoke("Wait"))
        await peer.asked.get()
    with pytest.raises(StreamLostError, match=address):
        await asyncio.wait_for(serving, 60)
    with pytest.raises((PeerRefusal, asyncio.CancelledError)):
        await waiting
    with pytest.raises(StreamLostError):  # nobody listens
        await asyncio.wait_for(serve([Ledger()], settings(address)), 60)


async def test_in_development_mode_it_dials_again() -> None:
    stop = asyncio.Event()
    async with listen(None) as (address, registered):
        serving = asyncio.create_task(
            serve([Ledger()], settings(address, reconnect=True), stop=stop)
        )
        assert (await (await next_peer(registered)).invoke("Get", "a")).status == 200
    async with listen(None, address) as (_, registered):
        assert (await (await next_peer(registered)).invoke("Get", "a")).status == 200
        stop.set()
        await asyncio.wait_for(serving, 60)


async def test_the_command_takes_the_environment_that_a_peer_gives(
    certificates: Certificates,
) -> None:
    key, certificate = certificates.client.private_key_pem, certificates.client.cert_chain_pems[0]
    with key.tempfile() as key_file, certificate.tempfile() as certificate_file:
        async with listen(peer_credentials(certificates), "localhost:0") as (address, registered):
            environment = {
                "CORE_PEER_ADDRESS": address,
                "CORE_CHAINCODE_ID_NAME": CHAINCODE_ID,
                "CORE_PEER_TLS_ENABLED": "true",
                "CORE_TLS_CLIENT_KEY_FILE": key_file,
                "CORE_TLS_CLIENT_CERT_FILE": certificate_file,
                "CORE_PEER_TLS_ROOTCERT_FILE": str(certificates.server_ca_file),
                "CORE_PEER_LOCALMSPID": "HospitalMSP",
            }
            process = await run_command(LEDGER, environment=environment)
            peer = await next_peer(registered)
            assert (await peer.invoke("Where")).payload == b"HospitalMSP"
            process.send_signal(signal.SIGTERM)
            out, err = await asyncio.wait_for(process.communicate(), 60)
            assert process.returncode == 0, err
            assert out.decode() == f"dialling {address}\n"

            process = await run_command(LEDGER, environment=environment)
            await next_peer(registered)
        _, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 1
        assert err.decode().endswith(f"Error: the stream to the peer {address} ended\n")


async def test_a_peer_of_another_ca_is_not_talked_to(certificates: Certificates) -> None:
    async with listen(peer_credentials(certificates), "localhost:0") as (address, registered):
        stranger = settings(
            address,
            tls_disabled=False,
            tls_key_file=certificates.key_file,
            tls_certificate_file=certificates.certificate_file,
            peer_ca_certificate_file=certificates.client_ca_file,  # not that of the peer
        )
        with pytest.raises(StreamLostError):
            await asyncio.wait_for(serve([Ledger()], stranger), 60)
        assert registered.empty()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (lambda c: {"tls_disabled": False}, "TLS needs both"),
        (lambda c: {"tls_key_file": c.key_file}, "TLS is disabled and TLS files are named"),
        (
            lambda c: {
                "tls_disabled": False,
                "tls_key_file": c.key_file,
                "tls_certificate_file": c.certificate_file,
            },
            "CORE_PEER_TLS_ROOTCERT_FILE",
        ),
        (lambda c: {"chaincode_id": ""}, "CORE_CHAINCODE_ID_NAME"),
        (lambda c: {"peer_address": "peer0"}, "write host:port"),
        (lambda c: {"metrics": True}, "metrics need an operations address"),
        (lambda c: {"operations_address": "192.0.2.1:0"}, "cannot listen on 192.0.2.1:0"),
    ],
)
async def test_what_stops_the_start(
    certificates: Certificates, changes: Callable[[Certificates], dict[str, Any]], text: str
) -> None:
    with pytest.raises(SettingsError, match=text):
        await serve([Ledger()], settings("127.0.0.1:1", **changes(certificates)))


async def test_an_address_to_listen_on_or_one_to_dial_is_needed() -> None:
    process = await run_command(LEDGER, environment={"CHAINCODE_ID": CHAINCODE_ID})
    _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert b"set --address to listen, or --peer-address to dial a peer" in err
