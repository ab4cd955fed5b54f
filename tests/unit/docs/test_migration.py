"""docs/migrate-from-fabric-sdk-py.md: every call of fabric-sdk-py, and ours that exist.

fabric_sdk_py.json beside this file lists the public functions and methods of fabric-sdk-py 1.0.0.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import medfab_gateway
from medfab_gateway import ConnectionProfile, admin, ca, hsm
from pages import ROOT

PAGE = (ROOT / "docs" / "migrate-from-fabric-sdk-py.md").read_text("utf-8")
THEIRS: dict[str, dict[str, list[str]]] = json.loads(
    Path(__file__).with_name("fabric_sdk_py.json").read_text()
)
TABLES = {
    "hfc.fabric.client": "`hfc.fabric.client.Client`",
    "hfc.fabric.channel": "`hfc.fabric.channel`",
    "hfc.fabric_ca": "`hfc.fabric_ca`",
    "hfc.fabric_network": "`hfc.fabric_network`",
    "hfc.fabric": "Peers, orderers, organisations, users, blocks",
}


def rows(module: str) -> list[tuple[set[str], str]]:
    """The table of a module: the names in the first column, and the second."""
    prefix = next(prefix for prefix in TABLES if module.startswith(prefix))
    section = PAGE.split(f"### {TABLES[prefix]}\n")[1].split("\n### ")[0].split("\n## ")[0]
    found = re.findall(r"^\| (`.*?) \| (.*) \|$", section, re.MULTILINE)
    return [(set(re.findall(r"`([\w.]+)", first)), second) for first, second in found]


@pytest.mark.parametrize("module", THEIRS)
def test_every_call_of_theirs_is_on_the_page(module: str) -> None:
    table = rows(module)
    for owner, names in THEIRS[module].items():
        for name in names:
            places = [theirs for theirs, _ in table if name in theirs]
            assert places, f"{module}: {owner or 'function'} {name}"


def test_there_are_as_many_as_in_the_package() -> None:
    assert sum(len(names) for each in THEIRS.values() for names in each.values()) == 201


def test_all_of_ours_exist() -> None:
    packages = (medfab_gateway, admin, ca, hsm)
    named = set(
        re.findall(r"`(?:medfab_gateway\.\w+\.)?([A-Z]\w+)(?:\.(\w+))?`", PAGE.split("## Every")[1])
    )
    theirs = {name for each in THEIRS.values() for name in each}
    for name, member in sorted(named - {("Async", "")}):
        if name in theirs and not member:
            continue
        owner = next(
            (getattr(package, name) for package in packages if hasattr(package, name)), None
        )
        if owner is None and (name in {"CAs", "CAService", "CAClient"} or not member):
            assert any(name in names for each in THEIRS.values() for names in each.values()), name
            continue
        assert owner is not None, name
        assert not member or hasattr(owner, member), f"{name}.{member}"


def test_a_profile_of_theirs(tmp_path: Path) -> None:
    """In the form of its documentation's network.json, with mutual TLS."""
    for name in ("ca.pem", "client.pem", "client.key"):
        (tmp_path / name).write_text(f"-----BEGIN CERTIFICATE-----\n{name}\n")
    node = {
        "url": "localhost:7051",
        "grpcOptions": {
            "grpc.ssl_target_name_override": "peer0.org1.example.com",
            "grpc.http2.keepalive_time": 15,
        },
        "tlsCACerts": {"path": "ca.pem"},
        "clientKey": {"path": "client.key"},
        "clientCert": {"path": "client.pem"},
    }
    profile = {
        "name": "sample-network",
        "version": "0.1",
        "client": {
            "organization": "Org1",
            "credentialStore": {"path": "hfc-kvs", "cryptoStore": {"path": "hfc-cvs"}},
        },
        "organizations": {
            "org1.example.com": {
                "mspid": "Org1MSP",
                "peers": ["peer0.org1.example.com"],
                "certificateAuthorities": ["ca-org1"],
                "users": {"Admin": {"cert": "admin.pem", "private_key": "admin.key"}},
            }
        },
        "orderers": {"orderer.example.com": node},
        "peers": {"peer0.org1.example.com": node},
        "certificateAuthorities": {
            "ca-org1": {
                "url": "https://localhost:7054",
                "grpcOptions": {"verify": True},
                "tlsCACerts": {"path": "ca.pem"},
                "registrar": [{"enrollId": "admin", "enrollSecret": "adminpw"}],
            }
        },
    }
    file = tmp_path / "network.json"
    file.write_text(json.dumps(profile))
    loaded = ConnectionProfile.load(file)
    assert loaded.msp_id("org1.example.com") == "Org1MSP"
    assert loaded.client_organization == "Org1"
    endpoint = loaded.endpoint_for("org1.example.com")
    assert endpoint.address == "localhost:7051"
    assert endpoint.server_name == "peer0.org1.example.com"
    assert endpoint.msp_id == "Org1MSP"
    assert endpoint.tls_root_certificates is not None
    assert b"ca.pem" in endpoint.tls_root_certificates
    assert endpoint.client_certificate is not None
    assert b"client.pem" in endpoint.client_certificate
    assert endpoint.client_key is not None
    assert b"client.key" in endpoint.client_key
    authority = loaded.certificate_authority("ca-org1")
    assert authority.url == "https://localhost:7054"
