"""One network through its days: stopped, killed in parts, upgraded, looked at from outside."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from integration.network_help import (
    CHANNEL,
    MEDFAB,
    consortium,
    is_registered,
    mentions,
    of_version,
    processes_of,
    register_patient,
)
from medfab_gateway.admin import AsyncLifecycle
from medfab_network import Network, NodeFailedError, PortInUseError

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """Up at the beginning of every test, and left up by it."""
    network = Network(tmp_path_factory.mktemp("life") / "net", consortium())
    try:
        await network.up()
        yield network
    finally:
        await network.clean()
    assert mentions(network.directory) == []


@pytest.fixture(scope="module")
async def patient(network: Network) -> str:
    """Registered by the first transaction of all."""
    return await register_patient(network)


def names(network: Network) -> list[str]:
    return sorted(node.name for node in network.topology.nodes())


def check_everything_once(network: Network) -> None:
    assert [process.node for process in processes_of(network.directory)] == names(network)


def command(network: Network, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [MEDFAB, "network", *arguments, "--dir", str(network.directory)],
        capture_output=True,
        text=True,
        timeout=30,
    )


# --- as it stands --------------------------------------------------------------------------


async def test_a_second_up_starts_nothing(network: Network, patient: str) -> None:
    before = network.processes()
    began = time.monotonic()
    report = await Network(network.directory).up()
    assert report.started == []
    assert time.monotonic() - began < 5
    assert network.processes() == before
    check_everything_once(network)
    assert await is_registered(network, patient)


def test_status_of_a_healthy_network(network: Network, patient: str) -> None:
    result = command(network, "status", "--json")
    assert result.returncode == 0, result.stderr
    nodes = {row["node"]: row for row in json.loads(result.stdout)}
    assert sorted(nodes) == names(network)
    assert {row["health"] for row in nodes.values()} == {"healthy"}
    heights = [nodes[n]["ledger_heights"][CHANNEL] for n in nodes if n.startswith(("peer", "ord"))]
    assert len(set(heights)) == 1
    assert heights[0] >= 4  # genesis, approvals, commit, patient


def test_nobody_else_can_read_a_key_or_a_ledger(network: Network) -> None:
    assert network.directory.stat().st_mode & 0o777 == 0o700
    keys = 0
    for path in network.directory.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        relative = path.relative_to(network.directory)
        secret = b"PRIVATE KEY" in content or "data" in relative.parts
        secret |= path.name in {"registrar-secret", "IssuerSecretKey", "fabric-ca-server.db"}
        secret |= path.suffix == ".id" or path.parent.name == "keystore"
        keys += b"PRIVATE KEY" in content
        if secret:
            assert path.stat().st_mode & 0o077 == 0, relative
        elif path.stat().st_mode & 0o077:
            assert path.stat().st_mode & 0o022 == 0, relative
    assert keys > 20
    for wallet in network.directory.glob("organizations/*/wallet"):
        assert wallet.stat().st_mode & 0o777 == 0o700


def test_no_secret_is_in_a_command_line_an_environment_or_a_log(network: Network) -> None:
    secrets = [
        path.read_bytes() for path in network.directory.glob("organizations/*/ca/registrar-secret")
    ]
    assert len(secrets) == 3
    secrets.append(b"PRIVATE KEY")
    for process in processes_of(network.directory):
        for place in (process.command_line, process.environment):
            assert not any(secret in place for secret in secrets), process.node
    for log in network.logs.iterdir():
        text = log.read_bytes()
        assert text
        assert not any(secret in text for secret in secrets), log.name


def plaintext_answer(port: int, question: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.settimeout(0.3)
        try:
            connection.sendall(question)
            return connection.recv(4096)
        except (TimeoutError, ConnectionResetError, BrokenPipeError):
            return b""


HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
HTTP1 = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_every_port_is_of_the_topology_on_loopback_and_speaks_tls_alone(network: Network) -> None:
    nodes = {node.name: node for node in network.topology.nodes()}
    for process in processes_of(network.directory):
        node = nodes[process.node]
        assert process.listening() == {("127.0.0.1", port) for port in node.ports}
        ca = network.directory / "organizations" / node.organization / "ca"
        for port in node.ports:
            for question in (HTTP1, HTTP2):
                answer = plaintext_answer(port, question)
                refused = b"HTTP request to an HTTPS server" in answer
                tls_alert = answer[:1] == b"\x15"
                assert answer == b"" or refused or tls_alert, (process.node, port, answer)
            root = ca / ("server/cert.pem" if node.kind == "ca" else "tls/ca-cert.pem")
            context = ssl.create_default_context(cafile=str(root))
            if port == node.chaincode_port:
                # The peer makes this certificate itself, for chaincode that it would launch.
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            context.set_alpn_protocols(["h2", "http/1.1"])
            with (
                socket.create_connection(("127.0.0.1", port), timeout=5) as raw,
                context.wrap_socket(raw, server_hostname="127.0.0.1") as secure,
            ):
                assert secure.version() in {"TLSv1.2", "TLSv1.3"}


# --- stopped, killed, and started again ------------------------------------------------------


async def test_down_and_up_keep_the_ledger(network: Network, patient: str) -> None:
    height = await network.ledger_height("clinic", CHANNEL)
    assert sorted(await network.down()) == names(network)
    assert processes_of(network.directory) == []
    assert await network.down() == []
    report = await network.up()
    assert sorted(report.started) == names(network)
    assert await network.ledger_height("clinic", CHANNEL) == height
    assert await is_registered(network, patient)
    await register_patient(network)


@pytest.mark.parametrize("victim", ["peer0.clinic", "orderer0.orderer", "ehr.clinic"])
async def test_up_brings_back_what_was_killed(network: Network, patient: str, victim: str) -> None:
    others = network.processes()
    pid = others.pop(victim)
    os.kill(pid, signal.SIGKILL)
    while victim in network.processes():
        time.sleep(0.02)

    result = command(network, "status", "--json")
    assert result.returncode == 1
    stopped = [row for row in json.loads(result.stdout) if row["health"] != "healthy"]
    assert [(row["node"], row["health"], row["pid"]) for row in stopped] == [
        (victim, "stopped", None)
    ]

    report = await network.up()
    assert report.started == [victim]
    after = network.processes()
    assert after.pop(victim) != pid
    assert after == others
    assert await is_registered(network, patient)
    assert await is_registered(network, await register_patient(network))


async def test_a_taken_port_is_named_and_nothing_is_left_running(network: Network) -> None:
    await network.down()
    peer = network.topology.organization("clinic").peers[0]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", peer.ports[-1]))
        other.listen()
        with pytest.raises(PortInUseError, match=rf"port {peer.ports[-1]}.*peer0\.clinic"):
            await network.up()
        result = command(network, "up")
        assert result.returncode == 6
        assert str(peer.ports[-1]) in result.stderr
        assert processes_of(network.directory) == []
    await network.up()


async def test_a_node_that_dies_at_its_start_tells_why(network: Network, patient: str) -> None:
    await network.down()
    key = network.directory.joinpath(
        "organizations", "clinic", "nodes", "peer0.clinic", "msp", "keystore", "key.pem"
    )
    content = key.read_bytes()
    key.write_bytes(b"")
    try:
        with pytest.raises(NodeFailedError) as caught:
            await network.up()
    finally:
        key.write_bytes(content)
    assert caught.value.node == "peer0.clinic"
    assert "ended with exit code" in str(caught.value)
    assert "KeyMaterial not found" in caught.value.log_tail
    assert processes_of(network.directory) == []
    await network.up()
    assert await is_registered(network, patient)


async def test_a_killed_authority_comes_back_with_its_users(network: Network) -> None:
    os.kill(network.processes()["ca.hospital"], signal.SIGKILL)
    while "ca.hospital" in network.processes():
        time.sleep(0.02)
    assert (await network.up()).started == ["ca.hospital"]
    await register_patient(network)


# --- another version of the chaincode ---------------------------------------------------------


async def test_an_upgrade_keeps_the_ledger_and_touches_no_other_node(
    network: Network, patient: str
) -> None:
    before = network.processes()
    upgraded = Network(network.directory, of_version(network.topology, "1.1"))
    report = await upgraded.up()
    assert sorted(report.started) == ["ehr.clinic", "ehr.hospital"]
    after = upgraded.processes()
    assert {name for name in after if after[name] != before[name]} == set(report.started)
    check_everything_once(upgraded)
    async with upgraded.gateway("clinic") as gateway:
        committed = await AsyncLifecycle(gateway.network(CHANNEL)).committed("ehr")
    assert committed is not None
    assert (committed.version, committed.sequence) == ("1.1", 2)
    assert await is_registered(upgraded, patient)
    assert await is_registered(upgraded, await register_patient(upgraded))
    assert (await Network(network.directory).up()).started == []
    assert Path(network.directory / "topology.yaml").read_text().count("'1.1'") == 1
