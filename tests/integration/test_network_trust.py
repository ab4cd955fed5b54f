"""Who is whom: what a certificate of an organisation's member is good for, and what not."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from integration.conftest import Consortium
from medfab_gateway.ca import AuthenticationFailedError, Credential
from medfab_network._access import Access
from medfab_network._enrolment import registrar_secret
from medfab_network._layout import Layout
from medfab_network.topology import HOST

pytestmark = pytest.mark.integration

_HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


async def test_a_member_gets_no_tls_certificate_in_a_peers_name(consortium: Consortium) -> None:
    network = consortium.running_network
    layout = Layout(network.directory)
    access = Access(layout)
    hospital = network.topology.organization("hospital")
    registrar = access.entry("hospital", "registrar")
    secret = "secret-of-mallory"
    async with access.certificate_authority(hospital) as ca:
        await ca.register(
            Credential(certificate=registrar.identity.certificate, signer=registrar.signer()),
            "mallory",
            secret=secret,
        )
        # Fabric CA brings a profile of that name by itself. Nobody takes its issuer for TLS.
        issued = await ca.enroll("mallory", secret, profile="tls", hosts=["peer0.hospital"])
    root = x509.load_pem_x509_certificate(layout.tls_ca_certificate("hospital").read_bytes())
    with pytest.raises((InvalidSignature, ValueError)):
        x509.load_pem_x509_certificate(issued.certificate).verify_directly_issued_by(root)
    async with access.tls_certificate_authority(hospital) as tls_ca:
        with pytest.raises(AuthenticationFailedError):
            await tls_ca.enroll("mallory", secret, profile="tls", hosts=["peer0.hospital"])


async def test_a_members_certificate_opens_no_chaincode(
    consortium: Consortium, tmp_path: Path
) -> None:
    network = consortium.running_network
    node = next(n for n in network.topology.nodes() if n.name == "ehr.hospital")
    layout = Layout(network.directory)
    root = layout.tls_ca_certificate("hospital")
    entry = Access(layout).entry("hospital", "admin")
    member = tmp_path / "member.pem"
    assert entry.private_key_pem is not None
    member.write_bytes(entry.identity.certificate + b"\n" + entry.private_key_pem)
    own_tls = layout.tls("hospital", "peer0.hospital")

    assert answers(node.port, node.name, root, own_tls / "cert.pem", own_tls / "key.pem")
    assert not answers(node.port, node.name, root, member, member)
    assert not answers(node.port, node.name, root, None, None)


def answers(port: int, name: str, root: Path, certificate: Path | None, key: Path | None) -> bool:
    """Whether the server goes on after the handshake: TLS 1.3 refuses a client only after it."""
    context = ssl.create_default_context(cafile=str(root))
    context.set_alpn_protocols(["h2"])
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    with (
        socket.create_connection((HOST, port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=name) as connection,
    ):
        connection.sendall(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")
        )
        try:
            return len(connection.recv(9)) > 0
        except ssl.SSLError:
            return False


def test_the_registrars_secret_is_not_in_a_wallet(consortium: Consortium) -> None:
    network = consortium.running_network
    secret = registrar_secret(Layout(network.directory), "hospital")
    files = [path for path in Path(network.wallet("hospital")).rglob("*") if path.is_file()]
    assert len(files) > 2
    for file in files:
        assert secret.encode() not in file.read_bytes()
