"""A real fabric-ca-server with TLS, by itself; and fabric-ca-client to compare with."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from medfab_gateway.ca import (
    AsyncCertificateAuthority,
    CertificateAuthority,
    Credential,
)
from medfab_gateway.identity import private_key_signer
from medfab_network._binaries import Binaries

ADMIN_SECRET = "the-admins-secret"
CA_NAME = "ca-hospital"


@dataclass(frozen=True)
class FabricCaClient:
    """The official client, in a folder of its own."""

    program: Path
    home: Path
    url: str
    tls_root: Path

    def __call__(self, *arguments: str, fails: bool = False) -> str:
        """What it prints; its log where it is to fail."""
        done = subprocess.run(
            [
                self.program,
                *arguments,
                f"--caname={CA_NAME}",
                f"--tls.certfiles={self.tls_root}",
                f"--home={self.home}",
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode != 0) is fails, done.stderr
        return done.stderr if fails else done.stdout

    def enroll(self, enrollment_id: str, secret: str) -> None:
        """Whom it acts for from now on."""
        address = self.url.removeprefix("https://")
        self("enroll", f"--url=https://{enrollment_id}:{secret}@{address}")

    def act_for(self, credential_certificate: bytes, private_key: bytes) -> None:
        """Let it act for an identity that was enrolled by ours."""
        msp = self.home / "msp"
        for name, content in (
            ("signcerts/cert.pem", credential_certificate),
            ("keystore/key_sk", private_key),
        ):
            (msp / name).parent.mkdir(parents=True, exist_ok=True)
            (msp / name).write_bytes(content)
        (self.home / "fabric-ca-client-config.yaml").write_text(f"url: {self.url}\n")

    def credential(self) -> Credential:
        """Its identity, for ours."""
        [key] = (self.home / "msp" / "keystore").iterdir()
        return Credential(
            certificate=(self.home / "msp" / "signcerts" / "cert.pem").read_bytes(),
            signer=private_key_signer(key.read_bytes()),
        )


@dataclass(frozen=True)
class Server:
    url: str
    tls_root: bytes
    home: Path

    def client(self, **options: object) -> AsyncCertificateAuthority:
        arguments = {"ca_name": CA_NAME, "tls_root_certificates": self.tls_root, **options}
        return AsyncCertificateAuthority(self.url, **arguments)  # type: ignore[arg-type]

    def blocking_client(self) -> CertificateAuthority:
        return CertificateAuthority(self.url, ca_name=CA_NAME, tls_root_certificates=self.tls_root)

    def fabric_ca_client(self, binaries: Binaries, home: Path) -> FabricCaClient:
        return FabricCaClient(
            binaries["fabric-ca-client"], home, self.url, self.home / "ca-cert.pem"
        )


@contextmanager
def ca_server(binaries: Binaries, home: Path, *flags: str) -> Iterator[Server]:
    """Started for the block, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        str(binaries["fabric-ca-server"]),
        "start",
        f"--home={home}",
        "--address=127.0.0.1",
        f"--port={port}",
        f"--boot=admin:{ADMIN_SECRET}",
        f"--ca.name={CA_NAME}",
        "--tls.enabled",
        "--csr.hosts=localhost,127.0.0.1",
        *flags,
    ]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        _wait_for_port(process, port, home / "log")
        yield Server(f"https://localhost:{port}", (home / "ca-cert.pem").read_bytes(), home)
    finally:
        process.terminate()
        process.wait(10)


def _wait_for_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"fabric-ca-server did not start:\n{log.read_text()[-2000:]}")
