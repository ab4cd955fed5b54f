"""Features of the official clients that no other live test shows of ours; docs/gateway-features.md.

A network of one organisation, whose peer is started anew with other settings for the last tests.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from conformance.identities import _key_of
from integration.conftest import on_free_ports
from medfab_gateway import (
    AsyncGateway,
    Checkpoint,
    CommitError,
    CommitStatusError,
    ConnectionFailedError,
    ConnectionProfile,
    DeliverError,
    EndorseError,
    Endpoint,
    EvaluateError,
    FileSystemWallet,
    GatewayError,
    GatewayOptions,
    Hash,
    Identity,
    InMemoryCheckpointer,
    Reconnect,
    SubmitError,
    WalletEntry,
    private_key_signer,
)
from medfab_network import Network, parse_topology
from medfab_network._layout import Layout
from unit.gateway import official_bytes
from unit.gateway.official_cases import TransactionCase

pytestmark = pytest.mark.integration

CHANNEL, CHAINCODE, PEER = "alone", "resilience", "peer0.hospital"
NO_RECONNECT = GatewayOptions(reconnect=Reconnect(give_up_after=0))


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    topology = on_free_ports(
        parse_topology(
            {
                "ordering": {"orderers": 1},
                "organizations": [{"name": "hospital", "msp_id": "HospitalMSP"}],
                "channels": [{"name": CHANNEL, "organizations": ["hospital"]}],
                "chaincodes": [
                    {
                        "name": CHAINCODE,
                        "channel": CHANNEL,
                        "version": "1.0",
                        "contract": "resilience_contract:Resilience",
                    }
                ],
            }
        )
    )
    directory = tmp_path_factory.mktemp("features") / "net"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        async with Network(directory, topology).running() as network:
            yield network


@pytest.fixture
def admin(network: Network) -> WalletEntry:
    return FileSystemWallet(network.wallet("hospital")).get("admin")


@pytest.fixture
def endpoint(network: Network) -> Endpoint:
    return ConnectionProfile.load(network.connection_profile("hospital")).endpoint_for("hospital")


@pytest.fixture
async def gateway(endpoint: Endpoint, admin: WalletEntry) -> AsyncIterator[AsyncGateway]:
    async with AsyncGateway.connect(endpoint, admin.identity, admin.signer()) as gateway:
        yield gateway


async def test_a_supplied_channel_is_left_open(endpoint: Endpoint, admin: WalletEntry) -> None:
    async with endpoint.open_channel() as channel:
        for _ in range(2):
            async with AsyncGateway.connect(channel, admin.identity, admin.signer()) as gateway:
                contract = gateway.network(CHANNEL).contract(CHAINCODE)
                assert await contract.evaluate("Read", "nobody") == b"0"


async def test_deadlines(endpoint: Endpoint, admin: WalletEntry, gateway: AsyncGateway) -> None:
    """Of one call, and of a gateway; the peer itself would wait for ever."""
    channel = gateway.network(CHANNEL)
    with pytest.raises(CommitStatusError) as caught:
        await channel.commit("5e" * 32).status(timeout=1)
    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert caught.value.transaction_id == "5e" * 32
    options = GatewayOptions(commit_status_timeout=3)
    async with AsyncGateway.connect(
        endpoint, admin.identity, admin.signer(), options=options
    ) as hasty:
        with pytest.raises(CommitStatusError) as caught:
            await hasty.network(CHANNEL).commit("5e" * 32).status()
    assert "within 3 s" in str(caught.value)


async def test_which_hashes_the_network_takes(endpoint: Endpoint, admin: WalletEntry) -> None:
    """Every MSP of ours has SHA2-256, as Fabric's default is."""
    taken = {}
    for hash in Hash:
        if hash is Hash.NONE:
            continue  # an ECDSA key signs a digest
        async with AsyncGateway.connect(
            endpoint, admin.identity, admin.signer(), hash=hash
        ) as gateway:
            try:
                await gateway.network(CHANNEL).contract(CHAINCODE).evaluate("Read", "nobody")
                taken[hash] = True
            except EvaluateError:
                taken[hash] = False
    assert {hash for hash, is_taken in taken.items() if is_taken} == {Hash.SHA256}


async def test_an_ed25519_identity_signs_the_message_itself(
    network: Network, endpoint: Endpoint
) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    identity = certify(Layout(network.directory).ca("hospital"), key.public_key())
    async with AsyncGateway.connect(endpoint, identity, private_key_signer(key)) as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)
        assert await contract.submit("Increment", "ed25519") == b"1"
        async with gateway.network(CHANNEL).block_events(0) as blocks:
            assert (await anext(blocks)).number == 0


def certify(ca: Path, key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey) -> Identity:
    """A client's certificate, by the key of the hospital's authority."""
    issuer = x509.load_pem_x509_certificate((ca / "ca-cert.pem").read_bytes())
    name = [
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "client"),
        x509.NameAttribute(NameOID.COMMON_NAME, "ed25519"),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(name))
        .issuer_name(issuer.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .sign(_key_of(ca, issuer), hashes.SHA256())
    )
    return Identity("HospitalMSP", certificate.public_bytes(serialization.Encoding.PEM))


async def test_block_streams_deliver_the_block_of_a_checkpointed_transaction_again(
    gateway: AsyncGateway,
) -> None:
    channel = gateway.network(CHANNEL)
    submitted = await channel.contract(CHAINCODE).submit_async("Put", secrets.token_hex(8))
    number = (await submitted.commit.status()).block_number
    checkpointer = InMemoryCheckpointer()
    checkpointer.checkpoint_transaction(number, submitted.transaction_id)
    assert checkpointer.load() == Checkpoint(
        block_number=number, transaction_id=submitted.transaction_id
    )
    async with (
        asyncio.timeout(60),
        channel.block_events(checkpoint=checkpointer.load()) as blocks,
    ):
        assert (await anext(blocks)).number == number


async def test_a_signature_is_never_made_again(endpoint: Endpoint, admin: WalletEntry) -> None:
    """The gateway's own signer is another key's: what it signed would be refused."""
    stranger = private_key_signer(ec.generate_private_key(ec.SECP256R1()))
    sign = admin.signer()
    async with AsyncGateway.connect(endpoint, admin.identity, stranger) as gateway:
        offline = gateway.offline
        proposal = gateway.network(CHANNEL).contract(CHAINCODE).proposal("Read", "nobody")
        with pytest.raises(EvaluateError):
            await proposal.evaluate()
        proposal = gateway.network(CHANNEL).contract(CHAINCODE).proposal("Read", "nobody")
        signed = offline.proposal(proposal.bytes, sign(proposal.digest))
        assert await signed.evaluate() == b"0"
        assert await offline.proposal(signed.bytes).evaluate() == b"0"


@pytest.mark.parametrize("client", ["node", "go"])
async def test_their_bytes_in_our_hands(
    endpoint: Endpoint, admin: WalletEntry, client: str
) -> None:
    """A proposal that an official client made, signed by its owner, and submitted by ours."""
    key = secrets.token_hex(8)
    case = TransactionCase(
        channel=CHANNEL, chaincode=CHAINCODE, function="Put", args=(key.encode(),)
    )
    async with official_bytes.recorder() as server:
        made = await official_bytes.run(
            client, server, admin.identity, transactions=[case.as_input()]
        )
    theirs = made["transactions"][0]["proposal"]
    sign = admin.signer()
    async with AsyncGateway.connect(endpoint, admin.identity) as gateway:
        proposal = gateway.offline.proposal(theirs["bytes"], sign(theirs["digest"]))
        transaction = await proposal.endorse()
        assert transaction.result.decode() == proposal.transaction_id
        commit = await gateway.offline.transaction(
            transaction.bytes, sign(transaction.digest)
        ).submit()
        status = await gateway.offline.commit(commit.bytes, sign(commit.digest)).status()
    assert (status.code, status.transaction_id) == ("VALID", proposal.transaction_id)


async def test_errors_of_each_step_have_the_transaction(
    endpoint: Endpoint, admin: WalletEntry, gateway: AsyncGateway
) -> None:
    contract = gateway.network(CHANNEL).contract(CHAINCODE)
    proposal = contract.proposal("NoSuchFunction")
    with pytest.raises(EndorseError) as endorse:
        await proposal.endorse()
    assert endorse.value.transaction_id == proposal.transaction_id
    assert endorse.value.details[0].msp_id == "HospitalMSP"

    # An envelope with a signature of somebody else: the orderer refuses it.
    transaction = await contract.proposal("Put", secrets.token_hex(8)).endorse()
    stranger = private_key_signer(ec.generate_private_key(ec.SECP256R1()))
    forged = gateway.offline.transaction(transaction.bytes, stranger(transaction.digest))
    with pytest.raises(SubmitError) as submit:
        await forged.submit()
    assert submit.value.code is grpc.StatusCode.ABORTED
    assert submit.value.transaction_id == transaction.transaction_id
    assert "status=FORBIDDEN" in str(submit.value)

    options = GatewayOptions(commit_status_timeout=0.001)
    async with AsyncGateway.connect(
        endpoint, admin.identity, admin.signer(), options=options
    ) as hasty:
        with pytest.raises(CommitStatusError) as unknown:
            await hasty.network(CHANNEL).contract(CHAINCODE).submit("Put", secrets.token_hex(8))
    assert unknown.value.transaction_id
    assert unknown.value.result == unknown.value.transaction_id.encode()
    status = await gateway.network(CHANNEL).commit(unknown.value.transaction_id).status()
    assert status.successful  # it was only the answer that came too late


async def test_a_conflict_is_a_commit_error_and_no_grpc_error(gateway: AsyncGateway) -> None:
    contract, key = gateway.network(CHANNEL).contract(CHAINCODE), secrets.token_hex(8)
    for _ in range(20):
        outcomes = await asyncio.gather(
            *(contract.submit("Increment", key) for _ in range(8)), return_exceptions=True
        )
        conflicts = [one for one in outcomes if isinstance(one, CommitError)]
        if conflicts:
            break
    assert conflicts
    for error in conflicts:
        assert not isinstance(error, GatewayError)
        assert error.code == "MVCC_READ_CONFLICT"
        assert len(error.transaction_id) == 64


# -- with a peer that has other settings ------------------------------------------------------


@pytest.fixture
async def strict_peer(network: Network) -> AsyncIterator[Path]:
    """The peer asks clients for certificates, and allows a ping each second; the folder with a
    certificate that it takes."""
    tls = Layout(network.directory).tls("hospital", PEER)
    settings = {
        "CORE_PEER_TLS_CLIENTAUTHREQUIRED": "true",
        "CORE_PEER_TLS_CLIENTROOTCAS_FILES": str(tls / "ca.pem"),
        "CORE_PEER_KEEPALIVE_MININTERVAL": "1s",
    }
    with started_anew(network, settings):
        yield tls
    await network.up()


@contextmanager
def started_anew(network: Network, settings: dict[str, str]) -> Iterator[None]:
    """The peer's process, ended and started as it was, but for some of its environment."""
    pid = network.processes()[PEER]
    process = Path(f"/proc/{pid}")
    command = process.joinpath("cmdline").read_text().split("\0")[:-1]
    entries = process.joinpath("environ").read_text().split("\0")[:-1]
    environment = dict(entry.split("=", 1) for entry in entries)
    folder = process.joinpath("cwd").readlink()
    os.kill(pid, signal.SIGKILL)
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as again:
        try:
            yield
        finally:
            again.kill()


async def until_it_answers(gateway: AsyncGateway) -> None:
    async with asyncio.timeout(120):
        while True:
            try:
                await gateway.network(CHANNEL).contract(CHAINCODE).evaluate("Read", "nobody")
                return
            except GatewayError:
                await asyncio.sleep(0.2)


async def test_mutual_tls_and_pings(
    strict_peer: Path, endpoint: Endpoint, admin: WalletEntry
) -> None:
    mutual = replace(
        endpoint,
        client_certificate=(strict_peer / "cert.pem").read_bytes(),
        client_key=(strict_peer / "key.pem").read_bytes(),
        keepalive=1.5,
    )
    async with AsyncGateway.connect(mutual, admin.identity, admin.signer()) as gateway:
        await until_it_answers(gateway)
        channel = gateway.network(CHANNEL)
        async with asyncio.timeout(60), channel.block_events(0) as blocks:
            assert (await anext(blocks)).number == 0  # with the certificate's hash, by itself

    async with AsyncGateway.connect(endpoint, admin.identity, admin.signer()) as gateway:
        with pytest.raises(ConnectionFailedError):
            await gateway.network(CHANNEL).contract(CHAINCODE).evaluate("Read", "nobody")

    # A channel of one's own: who binds the request to another certificate is refused.
    right = mutual.client_certificate_hash
    refused = set()
    async with mutual.open_channel() as supplied:
        for hash in (None, bytes(32), right):
            gateway = AsyncGateway.connect(
                supplied, admin.identity, admin.signer(), tls_certificate_hash=hash
            )
            async with (
                asyncio.timeout(60),
                gateway,
                gateway.network(CHANNEL).block_events(0) as blocks,
            ):
                try:
                    assert (await anext(blocks)).number == 0
                except DeliverError:
                    refused.add(hash)
    assert refused == {None, bytes(32)}

    # The same stream after 8 s in which nothing but pings was sent: this peer allows them.
    async with (
        asyncio.timeout(120),
        AsyncGateway.connect(
            mutual, admin.identity, admin.signer(), options=NO_RECONNECT
        ) as gateway,
        gateway.network(CHANNEL).block_events() as blocks,
    ):
        following = asyncio.create_task(anext(blocks))
        await asyncio.sleep(8)  # idle, which is what is tested
        assert not following.done()
        await gateway.network(CHANNEL).contract(CHAINCODE).submit("Put", secrets.token_hex(8))
        assert (await following).transactions


async def test_a_peer_hangs_up_on_who_pings_too_often(
    endpoint: Endpoint, admin: WalletEntry
) -> None:
    """Peers allow a ping each 60 s; `Endpoint.keepalive` is 120 s."""
    often = replace(endpoint, keepalive=1.0)
    async with AsyncGateway.connect(
        often, admin.identity, admin.signer(), options=NO_RECONNECT
    ) as gateway:
        await until_it_answers(gateway)
        async with asyncio.timeout(120), gateway.network(CHANNEL).block_events(0) as blocks:
            with pytest.raises(DeliverError, match="too_many_pings"):
                async for _ in blocks:
                    pass
