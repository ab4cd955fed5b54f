"""Certificates that have expired: of clients and of each kind of node."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from faults.ends import nodes_of
from faults.load import CHAINCODE, CHANNEL, OPTIONS, kind_of
from faults.plan import Fault
from faults.site import Site
from medfab_gateway import AsyncContract, AsyncGateway, GatewayError, Identity
from medfab_gateway.admin import AsyncOrdererAdmin
from medfab_gateway.errors import MedfabError
from medfab_network.topology import HOST, Node

FAMILY = "Certificates that have expired"
SECONDS = 4.0
"""For so long a node is there with an expired certificate."""
RENEWED = "a new certificate; started again"
ENROLLED = "a new certificate"


def faults() -> Iterator[Fault]:
    yield Fault(FAMILY, "client's certificate", "expired", _client)
    yield Fault(FAMILY, "orderer administrator's TLS certificate", "expired", _orderer_admin)
    for target in (
        "peer of the clients",
        "peer of another organisation",
        "orderer follower",
        "chaincode of the clients' organisation",
        "certificate authority",
    ):
        node = partial(_node, target=target)
        yield Fault(FAMILY, f"TLS certificate of {target}", "expired", node)


async def _client(site: Site) -> str:
    entry = site.network._access.entry("hospital", "admin")
    identity = Identity(
        msp_id=entry.identity.msp_id,
        certificate=expired(entry.identity.certificate, site, "hospital", tls=False),
    )
    endpoint = site.network._access.endpoint(site.node("peer0.hospital"))
    async with AsyncGateway.connect(endpoint, identity, entry.signer(), options=OPTIONS) as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)
        await _refused(site, "evaluate", lambda: contract.evaluate("Has", "key-0"))
        await _refused(site, "submit", lambda: contract.submit("Put", "expired"))
        await _refused(site, "blocks", lambda: _one_block(gateway))
    return ENROLLED


async def _one_block(gateway: AsyncGateway) -> None:
    async with gateway.network(CHANNEL).block_events(0) as blocks:
        async for _ in blocks:
            return


async def _orderer_admin(site: Site) -> str:
    ordering = site.network.topology.ordering
    tls = site.network._layout.tls(ordering.name, "admin")
    async with AsyncOrdererAdmin(
        f"https://{HOST}:{ordering.orderers[0].admin_port}",
        tls_root_certificates=(tls / "ca.pem").read_bytes(),
        client_certificate=expired((tls / "cert.pem").read_bytes(), site, ordering.name, tls=True),
        client_key=(tls / "key.pem").read_bytes(),
    ) as admin:
        await _refused(site, "orderer's channels", admin.channels)
    return ENROLLED


async def _node(site: Site, *, target: str) -> str:
    """A node that is started with a TLS certificate that expired a minute ago, and with a good one
    after a while."""
    (name,) = await nodes_of(site, target)
    node = site.node(name)
    layout = site.network._layout
    file = (
        layout.ca_server_certificate(node.organization)
        if node.kind == "ca"
        else layout.tls(node.organization, name) / "cert.pem"
    )
    good = file.read_bytes()
    await site.end([name])
    try:
        file.write_bytes(expired(good, site, node.organization, tls=True, own=node.kind == "ca"))
        evidence = site.evidence("has expired")
        await site.start([name], healthy=False)
        await asyncio.sleep(SECONDS)
        if node.kind == "peer":
            await _refused(site, "evaluate at it", lambda: _evaluate_at(site, node))
        await evidence.seen(site.load.samples, enough=lambda: _told(site))
    finally:
        file.write_bytes(good)
        await site.end([name])
        await site.start([name])
    return RENEWED


def _told(site: Site) -> bool:
    return any("has expired" in text for text in site.load.samples.values())


async def _evaluate_at(site: Site, node: Node) -> bytes:
    entry = site.network._access.entry(node.organization, "admin")
    endpoint = site.network._access.endpoint(node)
    async with AsyncGateway.connect(
        endpoint, entry.identity, entry.signer(), options=OPTIONS
    ) as gateway:
        contract: AsyncContract = gateway.network(CHANNEL).contract(CHAINCODE)
        return await contract.evaluate("Has", "key-0")


async def _refused(site: Site, what: str, call: Callable[[], Awaitable[object]]) -> None:
    try:
        await call()
    except MedfabError as error:
        kind = kind_of(error) if isinstance(error, GatewayError) else type(error).__name__
        site.load.told(f"{what}: {kind}", error)
    else:
        raise AssertionError(f"{what} works with an expired certificate")


def expired(
    pem: bytes | str, site: Site, organization: str, *, tls: bool, own: bool = False
) -> bytes:
    """The same certificate over the same key, but that it expired a minute ago; PEM.

    It begins when its issuer's does: Fabric judges the chain of an expired certificate as of its
    beginning. own: it vouches for itself, as a CA server's does.
    """
    layout = site.network._layout
    content = pem.encode() if isinstance(pem, str) else pem
    certificate = x509.load_pem_x509_certificate(content)
    home = layout.tls_ca(organization) if tls else layout.ca(organization)
    key = (
        _private_key(layout.ca_server_certificate(organization).with_name("key.pem"))
        if own
        else _issuers_key(home)
    )
    issuer = certificate if own else _certificate(home)
    builder = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(certificate.issuer)
        .public_key(certificate.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issuer.not_valid_before_utc + timedelta(seconds=1))
        .not_valid_after(datetime.now(UTC) - timedelta(minutes=1))
    )
    for extension in certificate.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _issuers_key(home: Path) -> ec.EllipticCurvePrivateKey:
    """Of the authority's key store, the one that its certificate is over."""
    authority = _certificate(home)
    for file in (home / "msp" / "keystore").iterdir():
        if file.name.endswith("_sk"):
            key = _private_key(file)
            if key.public_key() == authority.public_key():
                return key
    raise AssertionError(f"{home} has no key of its certificate")


def _certificate(home: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((home / "ca-cert.pem").read_bytes())


def _private_key(file: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key
