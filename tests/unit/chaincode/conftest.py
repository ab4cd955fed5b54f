"""Certificates and a running chaincode server."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
import trustme

from medfab_chaincode import Contract, ServerSettings
from medfab_chaincode._server import ChaincodeServer

A_YEAR_AGO = datetime.now(UTC) - timedelta(days=365)
CHAINCODE_ID = "test:0123456789abcdef"


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """One CA for the server, one for the clients, one that nobody trusts."""

    key_file: Path
    certificate_file: Path
    client_ca_file: Path
    server_ca_file: Path
    server_ca: bytes
    client: trustme.LeafCert
    expired: trustme.LeafCert
    """Of the trusted CA, until a year ago."""
    stranger: trustme.LeafCert

    def settings(self, **changes: object) -> ServerSettings:
        """Complete settings for a free port on loopback, with `changes` on top."""
        values: dict[str, object] = {
            "address": "127.0.0.1:0",
            "chaincode_id": CHAINCODE_ID,
            "tls_key_file": self.key_file,
            "tls_certificate_file": self.certificate_file,
            "client_ca_certificate_file": self.client_ca_file,
            "drain_seconds": 2.0,
        }
        return ServerSettings(**(values | changes))  # type: ignore[arg-type]

    def credentials(self, leaf: trustme.LeafCert | None = None) -> grpc.ChannelCredentials:
        """A client's credentials: the trusted client's, unless `leaf` is another one's."""
        leaf = leaf or self.client
        return grpc.ssl_channel_credentials(
            self.server_ca,
            private_key=leaf.private_key_pem.bytes(),
            certificate_chain=leaf.cert_chain_pems[0].bytes(),
        )


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("tls")
    server_ca, client_ca, other_ca = trustme.CA(), trustme.CA(), trustme.CA()
    server = server_ca.issue_cert("localhost", "127.0.0.1")
    server.private_key_pem.write_to_path(str(folder / "server.key"))
    (folder / "server.pem").write_bytes(b"".join(pem.bytes() for pem in server.cert_chain_pems))
    server_ca.cert_pem.write_to_path(str(folder / "server-ca.pem"))
    client_ca.cert_pem.write_to_path(str(folder / "client-ca.pem"))
    return Certificates(
        key_file=folder / "server.key",
        certificate_file=folder / "server.pem",
        client_ca_file=folder / "client-ca.pem",
        server_ca_file=folder / "server-ca.pem",
        server_ca=server_ca.cert_pem.bytes(),
        client=client_ca.issue_cert("peer0.example"),
        expired=client_ca.issue_cert("peer0.example", not_after=A_YEAR_AGO),
        stranger=other_ca.issue_cert("peer0.example"),
    )


Serving = Callable[..., AbstractAsyncContextManager[str]]


@pytest.fixture
def serving(certificates: Certificates) -> Serving:
    """`async with serving(Contract(), setting=…) as address`."""

    @asynccontextmanager
    async def start(*contracts: Contract, **changes: object) -> AsyncIterator[str]:
        server = ChaincodeServer(contracts, certificates.settings(**changes))
        address = await server.start()
        try:
            yield address
        finally:
            await server.stop()

    return start
