"""docs/security.md's checklist, on a running network: what it says is so, is so."""

from __future__ import annotations

import re
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import yaml

from integration.conftest import Consortium
from medfab_network.topology import HOST, Node
from tls_probe import LEGACY, answers, every_suite, handshake, offer

pytestmark = pytest.mark.integration

FIT = {
    *("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    "ECDHE-ECDSA-CHACHA20-POLY1305",
}
"""Forward secrecy and authenticated encryption, all that TLS 1.2 has of them for our keys."""
KINDS = {"ca", "orderer", "peer", "chaincode"}
PRIVATE_KEY = b"PRIVATE KEY-----"


def one_of_each_kind(consortium: Consortium) -> dict[str, Node]:
    topology = consortium.running_network.topology
    found = {node.kind: node for node in reversed(list(topology.nodes()))}
    assert set(found) == KINDS
    return found


def client_of(consortium: Consortium, node: Node) -> tuple[str, str] | None:
    """The node's own TLS certificate and key, which its organisation's other nodes take."""
    folder = root(consortium) / "organizations" / node.organization / "nodes" / node.name / "tls"
    return (str(folder / "cert.pem"), str(folder / "key.pem")) if folder.is_dir() else None


def root(consortium: Consortium) -> Path:
    return consortium.running_network.directory


def files(consortium: Consortium) -> Iterator[Path]:
    for path in root(consortium).rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_every_port_takes_tls_1_2_and_1_3_with_fit_suites_alone(
    consortium: Consortium, kind: str
) -> None:
    node = one_of_each_kind(consortium)[kind]
    certificate = client_of(consortium, node)
    for port in node.ports:
        if kind == "peer" and port == node.chaincode_port:
            continue  # has an authority of its own; below
        offered = offer(port, certificate)
        assert offered.versions == {"TLSv1_2", "TLSv1_3"}, (node.name, port)
        assert offered.suites, (node.name, port)
        assert offered.suites <= FIT, (node.name, port)


async def test_the_peers_port_for_chaincode_takes_no_old_version(consortium: Consortium) -> None:
    port = one_of_each_kind(consortium)["peer"].chaincode_port
    assert port is not None
    for version in LEGACY:
        assert not handshake(port, version, "ALL:@SECLEVEL=0")
    assert handshake(port, ssl.TLSVersion.TLSv1_3, "ALL:@SECLEVEL=0")


def test_the_probe_offers_weak_suites_too() -> None:
    suites = every_suite()
    assert {"AES128-SHA", "ECDHE-ECDSA-AES128-SHA"} <= set(suites)
    assert len(suites) > 30


async def test_who_has_no_certificate_is_not_heard_where_it_is_mutual(
    consortium: Consortium,
) -> None:
    nodes = one_of_each_kind(consortium)
    admin_port, peers_port = nodes["orderer"].admin_port, nodes["peer"].chaincode_port
    assert admin_port is not None
    assert peers_port is not None
    for node, port in (
        (nodes["orderer"], admin_port),
        (nodes["chaincode"], nodes["chaincode"].port),
    ):
        assert not answers(port), node.name
        assert answers(port, client_of(consortium, node)), node.name
    assert not answers(peers_port)
    # Nor one of another organisation: each trusts its own authority alone.
    stranger = consortium.running_network.topology.organizations[-1]
    assert stranger.name != nodes["chaincode"].organization
    others = [
        node
        for node in consortium.running_network.topology.nodes()
        if node.kind == "peer" and node.organization == stranger.name
    ]
    assert not answers(nodes["chaincode"].port, client_of(consortium, others[0]))
    assert not answers(admin_port, client_of(consortium, others[0]))


async def test_operations_endpoints_tell_strangers_health_and_version_alone(
    consortium: Consortium,
) -> None:
    nodes = one_of_each_kind(consortium)
    async with httpx.AsyncClient(verify=_unverified(), trust_env=False, timeout=60) as client:
        for kind in ("peer", "orderer"):
            url = f"https://{HOST}:{nodes[kind].operations_port}"
            assert (await client.get(f"{url}/healthz")).status_code == 200
            for path in ("metrics", "logspec"):
                assert (await client.get(f"{url}/{path}")).status_code == 401, (kind, path)
            changed = await client.put(f"{url}/logspec", json={"spec": "debug"})
            assert changed.status_code == 401
        url = f"https://{HOST}:{nodes['ca'].operations_port}"
        assert (await client.get(f"{url}/metrics")).status_code in (401, 404)
        assert (await client.get(f"{url}/logspec")).status_code in (401, 404)


async def test_every_process_listens_on_the_ports_of_the_topology_alone(
    consortium: Consortium,
) -> None:
    network = consortium.running_network
    ports = {node.name: set(node.ports) for node in network.topology.nodes()}
    running = network.processes()
    assert set(running) == set(ports)
    for name, pid in running.items():
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        connections = [each for process in family for each in process.net_connections("inet")]
        listening = {each.laddr for each in connections if each.status == psutil.CONN_LISTEN}
        assert {address.ip for address in listening} == {HOST}, name
        assert {address.port for address in listening} == ports[name], name


async def test_every_private_key_is_readable_by_its_owner_alone(consortium: Consortium) -> None:
    assert stat.S_IMODE(root(consortium).stat().st_mode) == 0o700
    keys = [path for path in files(consortium) if PRIVATE_KEY in path.read_bytes()]
    # Of each authority two keys and its server's, of each node one for signing and one for TLS.
    assert len(keys) > 3 * 4 + 2 * 4
    for path in keys:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


async def test_no_secret_is_in_a_command_line_an_environment_or_a_log(
    consortium: Consortium,
) -> None:
    secrets: set[str] = set()
    for path in root(consortium).rglob("fabric-ca-server-config.yaml"):
        for identity in yaml.safe_load(path.read_text())["registry"]["identities"]:
            secrets.add(identity["pass"])
    assert secrets
    assert all(len(secret) >= 20 for secret in secrets)
    seen: list[tuple[str, str]] = []
    for name, pid in consortium.running_network.processes().items():
        process = psutil.Process(pid)
        seen.append((f"the command line of {name}", " ".join(process.cmdline())))
        seen.append((f"the environment of {name}", repr(process.environ())))
    for path in (root(consortium) / "logs").iterdir():
        seen.append((f"the log {path.name}", path.read_text(errors="replace")))
    for where, text in seen:
        assert not any(secret in text for secret in secrets), where
        assert PRIVATE_KEY.decode() not in text, where


async def test_logs_are_at_info_and_hold_no_call(consortium: Consortium) -> None:
    for path in (root(consortium) / "logs").iterdir():
        text = path.read_text(errors="replace")
        assert not re.search(r"\bDEBU\b", text), path


async def test_peers_limit_calls_keep_state_in_leveldb_and_start_no_container(
    consortium: Consortium,
) -> None:
    found = list(root(consortium).glob("organizations/*/nodes/*/core.yaml"))
    assert found
    for path in found:
        core = yaml.safe_load(path.read_text())
        limits = core["peer"]["limits"]["concurrency"]
        assert limits == {"endorserService": 2500, "deliverService": 2500, "gatewayService": 500}
        assert core["ledger"]["state"]["stateDatabase"] == "goleveldb"
        assert core["vm"]["endpoint"] == ""
        assert [each["name"] for each in core["chaincode"]["externalBuilders"]] == ["medfab_ccaas"]
        assert core["peer"]["profile"]["enabled"] is False


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
