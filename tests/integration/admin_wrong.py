"""Every command of administration, for trying each wrong; and identities that may do nothing."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integration.admin_help import CHAINCODE, Admin
from medfab_gateway import Identity
from medfab_gateway.wallet import FileSystemWallet
from medfab_network._layout import Layout
from unit.gateway.made_config import AUTHORITIES, definition


def commands(admin: Admin, folder: Path) -> list[tuple[str, ...]]:
    """Each command that asks a node, with arguments that would do something."""
    folder.mkdir(exist_ok=True)

    def file(name: str) -> str:
        return str(folder / name)

    admin("block", "fetch", "0", "--out", file("block"))
    admin("channel", "edit", "acl", "event/Block", "--out", file("update.pb"))
    admin("chaincode", "package", f"{CHAINCODE}_9.0", "--out", file("package.tgz"))
    document = admin.json("channel", "config")
    batch = document["channel_group"]["groups"]["Orderer"]["values"]["BatchTimeout"]
    batch["value"]["timeout"] = "9s"
    Path(file("config.json")).write_text(json.dumps(document))
    Path(file("org.json")).write_text(definition("C").to_json())
    Path(file("tls.pem")).write_bytes(AUTHORITIES["C"].pem)
    # Of the right form, and signed by nobody of the organisation: no peer would take it.
    Path(file("crl.pem")).write_bytes(AUTHORITIES["C"].revocation_list(7))
    [package] = admin.json("chaincode", "installed")
    transaction = admin.json("block", "show", "1")["transactions"][0]["transaction_id"]
    orderer = admin.network.topology.ordering.orderers[0].address
    terms = (CHAINCODE, "--version", "9.0")
    edits = [
        ("batch", "--timeout", "3s"),
        ("acl", "event/Block"),
        ("anchor", "HospitalMSP"),
        ("add-org", file("org.json")),
        ("remove-org", "ClinicMSP", "--yes"),
        ("add-orderer", "x.test:1", "OrdererMSP", "--tls-certificate", file("tls.pem")),
        ("remove-orderer", orderer, "--yes"),
        ("crl", "HospitalMSP", file("crl.pem")),
        ("json", file("config.json")),
    ]
    return [
        ("channel", "list"),
        ("channel", "join", file("block")),
        ("channel", "info"),
        ("channel", "config"),
        ("channel", "peers"),
        *(("channel", "edit", *each) for each in edits),
        ("channel", "update", "show", file("update.pb")),
        ("channel", "update", "submit", file("update.pb")),
        ("chaincode", "install", file("package.tgz")),
        ("chaincode", "installed"),
        ("chaincode", "fetch", package["package_id"], "--out", file("fetched")),
        ("chaincode", "approve", *terms),
        ("chaincode", "readiness", *terms),
        ("chaincode", "commit", *terms),
        ("chaincode", "list"),
        ("chaincode", "query", CHAINCODE),
        ("chaincode", "endorsers", CHAINCODE),
        ("org", "list"),
        ("block", "fetch", "0", "--out", file("fetched")),
        ("block", "show"),
        ("block", "transaction", transaction),
    ]


@dataclass(frozen=True)
class Strangers:
    """Labels in the hospital's wallet, of identities that may do nothing."""

    expired: str = "expired"
    """An administrator of the hospital whose certificate has expired."""
    stranger: str = "stranger"
    """Somebody whose certificate no organisation has issued, and who says to be one of them."""


def put_strangers(admin: Admin) -> Strangers:
    """Make them, as the hospital's authority would."""
    strangers = Strangers()
    layout = Layout(admin.network.directory)
    wallet = FileSystemWallet(admin.network.wallet("hospital"))
    root = x509.load_pem_x509_certificate(layout.ca_certificate("hospital").read_bytes())
    [key_file] = [
        path
        for path in (layout.ca("hospital") / "msp/keystore").glob("*_sk")
        if _key(path).public_key() == root.public_key()
    ]
    _put(wallet, strangers.expired, _key(key_file), root.subject, expired=True)
    own = ec.generate_private_key(ec.SECP256R1())
    _put(wallet, strangers.stranger, own, root.subject, expired=False)
    return strangers


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _put(
    wallet: FileSystemWallet,
    label: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    *,
    expired: bool,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(
            x509.Name(
                [
                    x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "admin"),
                    x509.NameAttribute(NameOID.COMMON_NAME, label),
                ]
            )
        )
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(now + datetime.timedelta(days=-1 if expired else 365))
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False
        )
        .sign(issuer_key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    wallet.put(label, Identity("HospitalMSP", pem), private)
