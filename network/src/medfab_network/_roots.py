"""Root certificates of an organisation's authorities: the first, and those that follow it.

`ca-cert.pem` is what the authority issues with. While a new root takes over, `ca-chain.pem` beside
it has both: whom the authority itself takes for its own, and what everybody else trusts.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from medfab_network._files import write_atomically

_VALID = timedelta(days=5475)
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


def certificates(path: Path) -> list[bytes]:
    """Each certificate of a PEM file; none where there is no file."""
    return _PEM.findall(path.read_bytes()) if path.exists() else []


def trusted(authority: Path) -> list[bytes]:
    """The roots that count, of the authority in this folder; the issuing one first."""
    chain = certificates(authority / "ca-chain.pem")
    return chain or certificates(authority / "ca-cert.pem")


def root_files(folder: str, roots: list[bytes]) -> dict[str, tuple[bytes | str, int]]:
    """Files of an MSP folder, by relative path: Fabric reads the first certificate of each."""
    names = ("ca.pem", *(f"ca-{number}.pem" for number in range(2, len(roots) + 1)))
    return {f"{folder}/{name}": (pem, 0o644) for name, pem in zip(names, roots, strict=True)}


def write_roots(msp: Path, folder: str, roots: list[bytes]) -> None:
    """Make the certificates in `msp/folder` these, and no others."""
    wanted = root_files(folder, roots)
    for name, (pem, mode) in wanted.items():
        write_atomically(msp / name, pem, mode)
    for path in (msp / folder).iterdir():
        if f"{folder}/{path.name}" not in wanted:
            path.unlink()


def make_successor(authority: Path) -> None:
    """A new root for the authority in this folder, as `next-root.pem`; its key in the keystore.

    Subject and terms are those of the present one. Does nothing where it is there.
    """
    target = authority / "next-root.pem"
    if target.exists():
        return
    old = x509.load_pem_x509_certificate((authority / "ca-cert.pem").read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _VALID)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # Fabric CA finds the key by what its crypto library (BCCSP) calls it.
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    name = f"{hashlib.sha256(point).hexdigest()}_sk"
    write_atomically(authority / "msp" / "keystore" / name, pem, 0o600)
    write_atomically(target, certificate.public_bytes(serialization.Encoding.PEM))


def trust_both(authority: Path) -> None:
    """The new root counts beside the old one, which still issues."""
    [old] = certificates(authority / "ca-cert.pem")
    [new] = certificates(authority / "next-root.pem")
    write_atomically(authority / "ca-chain.pem", old + new)


def issue_with_successor(authority: Path) -> None:
    """From its next start on, the authority issues with the new root."""
    new = (authority / "next-root.pem").read_bytes()
    [old] = [pem for pem in certificates(authority / "ca-chain.pem") if pem != new]
    write_atomically(authority / "ca-chain.pem", new + old)
    write_atomically(authority / "ca-cert.pem", new)


def retire_predecessor(authority: Path) -> None:
    """The new root alone counts."""
    (authority / "ca-chain.pem").unlink(missing_ok=True)
    (authority / "next-root.pem").unlink(missing_ok=True)
