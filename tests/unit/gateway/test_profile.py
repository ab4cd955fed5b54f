from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from medfab_gateway import ConnectionProfile, ProfileError

PEM = trustme.CA().cert_pem.bytes().decode()


def make_profile() -> dict[str, Any]:
    return {
        "name": "care",
        "version": "1.0.0",
        "client": {"organization": "hospital"},
        "organizations": {
            "hospital": {
                "mspid": "HospitalMSP",
                "peers": ["peer0.hospital", "peer1.hospital"],
                "certificateAuthorities": ["ca.hospital"],
            },
            "clinic": {"mspid": "ClinicMSP", "peers": ["peer0.clinic"]},
        },
        "peers": {
            "peer0.hospital": {
                "url": "grpcs://localhost:7051",
                "tlsCACerts": {"pem": PEM},
                "grpcOptions": {
                    "ssl-target-name-override": "peer0.hospital.example",
                    "hostnameOverride": "peer0.hospital.example",
                },
            },
            "peer1.hospital": {"url": "grpc://localhost:7052"},
            "peer0.clinic": {
                "url": "grpcs://${CLINIC_HOST}:7051",
                "tlsCACerts": {"path": "tls/ca.pem"},
            },
        },
        "certificateAuthorities": {
            "ca.hospital": {
                "url": "https://localhost:7054",
                "caName": "ca-hospital",
                "tlsCACerts": {"pem": [PEM, PEM]},
            },
            "ca.public": {"url": "https://ca.example"},
        },
    }


def load(tmp_path: Path, content: Any = None, name: str = "connection.json") -> ConnectionProfile:
    content = make_profile() if content is None else content
    text = (
        json.dumps(content) if name.endswith(".json") else yaml.safe_dump(content, sort_keys=False)
    )
    (tmp_path / name).write_text(text)
    return ConnectionProfile.load(tmp_path / name)


@pytest.mark.parametrize("name", ["connection.json", "connection.yaml", "connection.yml"])
def test_endpoint(tmp_path: Path, name: str) -> None:
    profile = load(tmp_path, name=name)
    assert profile.organizations == ("hospital", "clinic")
    assert profile.client_organization == "hospital"
    assert profile.msp_id("hospital") == "HospitalMSP"
    endpoint = profile.endpoint_for("hospital")
    assert endpoint.address == "localhost:7051"
    assert endpoint.tls_root_certificates == PEM.encode()
    assert endpoint.server_name == "peer0.hospital.example"
    assert not endpoint.insecure


def test_environment_and_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls/ca.pem").write_text(PEM)
    profile = load(tmp_path)
    with pytest.raises(ProfileError, match=r"peers\.peer0\.clinic\.url needs .* CLINIC_HOST"):
        profile.endpoint_for("clinic")
    monkeypatch.setenv("CLINIC_HOST", "clinic.example")
    endpoint = profile.endpoint_for("clinic")
    assert endpoint.address == "clinic.example:7051"
    assert endpoint.tls_root_certificates == PEM.encode()
    assert endpoint.server_name is None


def test_plaintext_only_where_the_profile_says_so(tmp_path: Path) -> None:
    assert load(tmp_path).peer_endpoint("peer1.hospital").insecure


def test_certificate_authorities(tmp_path: Path) -> None:
    profile = load(tmp_path)
    assert profile.certificate_authority_names("hospital") == ("ca.hospital",)
    assert profile.certificate_authority_names("clinic") == ()
    authority = profile.certificate_authority("ca.hospital")
    assert (authority.url, authority.ca_name) == ("https://localhost:7054", "ca-hospital")
    assert authority.tls_root_certificates is not None
    assert authority.tls_root_certificates.count(b"BEGIN CERTIFICATE") == 2
    public = profile.certificate_authority("ca.public")
    assert (public.ca_name, public.tls_root_certificates) == (None, None)


def without(*path: str) -> dict[str, Any]:
    profile = make_profile()
    place = profile
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return profile


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (["organizations"], "organizations is missing"),
        (
            ["organizations", "hospital"],
            r"organizations\.hospital is missing; organizations has: clinic",
        ),
        (["organizations", "hospital", "peers"], r"organizations\.hospital\.peers is missing"),
        (["peers", "peer0.hospital"], r"peers\.peer0\.hospital is missing; peers has: peer1"),
        (["peers", "peer0.hospital", "url"], r"peers\.peer0\.hospital\.url is missing"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, path: list[str], words: str) -> None:
    profile = load(tmp_path, without(*path))
    with pytest.raises(ProfileError, match=rf"connection\.json: {words}"):
        profile.endpoint_for("hospital")


@pytest.mark.parametrize("path", [["tlsCACerts"], ["tlsCACerts", "pem"]])
def test_without_certificates_the_public_authorities_count(tmp_path: Path, path: list[str]) -> None:
    endpoint = load(tmp_path, without("peers", "peer0.hospital", *path)).endpoint_for("hospital")
    assert endpoint.tls_root_certificates is None
    assert not endpoint.insecure


@pytest.mark.parametrize(
    ("peer", "words"),
    [
        ("text", r"peers\.peer0\.hospital must be an object"),
        ({"url": 7051}, r"url must be text"),
        ({"url": "http://localhost:7051"}, r"url must begin with grpcs://"),
        ({"url": "grpcs://localhost"}, r"url cannot be used: .*host:port"),
        (
            {"url": "grpcs://localhost:1", "tlsCACerts": {"path": "none.pem"}},
            r"tlsCACerts\.path names a file that cannot be read",
        ),
        (
            {"url": "grpcs://localhost:1", "tlsCACerts": {"pem": "x"}},
            r"tlsCACerts holds no certificate",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, peer: Any, words: str) -> None:
    content = make_profile()
    content["peers"]["peer0.hospital"] = peer
    with pytest.raises(ProfileError, match=words):
        load(tmp_path, content).endpoint_for("hospital")


def test_files_that_are_no_profile(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="Is the network up"):
        ConnectionProfile.load(tmp_path / "none.json")
    for name, text in (("a.json", "{"), ("a.yaml", "a: [")):
        (tmp_path / name).write_text(text)
        with pytest.raises(ProfileError, match="cannot be read"):
            ConnectionProfile.load(tmp_path / name)
    with pytest.raises(ProfileError, match="not an object"):
        load(tmp_path, ["x"])


def test_all_peers_of_an_organisation(tmp_path: Path) -> None:
    profile = load(tmp_path)
    endpoints = profile.endpoints_for("hospital")
    assert [endpoint.address for endpoint in endpoints] == ["localhost:7051", "localhost:7052"]
    assert {endpoint.msp_id for endpoint in endpoints} == {"HospitalMSP"}
    assert profile.organization_of("ClinicMSP") == "clinic"
    with pytest.raises(ProfileError, match=r"no organisation with the MSP id XMSP; it has Hosp"):
        profile.organization_of("XMSP")


# As fabric-samples' test-network/organizations/ccp-template.yaml comes out for its first
# organisation, certificates apart.
TEST_NETWORK = """
---
name: test-network-org1
version: 1.0.0
client:
  organization: Org1
  connection:
    timeout:
      peer:
        endorser: '300'
organizations:
  Org1:
    mspid: Org1MSP
    peers:
    - peer0.org1.example.com
    certificateAuthorities:
    - ca.org1.example.com
peers:
  peer0.org1.example.com:
    url: grpcs://localhost:7051
    tlsCACerts:
      pem: |
          {pem}
    grpcOptions:
      ssl-target-name-override: peer0.org1.example.com
      hostnameOverride: peer0.org1.example.com
certificateAuthorities:
  ca.org1.example.com:
    url: https://localhost:7054
    caName: ca-org1
    tlsCACerts:
      pem:
        - |
          {pem}
    httpOptions:
      verify: false
"""


def test_the_profile_of_fabrics_test_network(tmp_path: Path) -> None:
    text = TEST_NETWORK.replace("{pem}", PEM.replace("\n", "\n          "))
    (tmp_path / "connection-org1.yaml").write_text(text)
    (tmp_path / "connection-org1.json").write_text(json.dumps(yaml.safe_load(text)))
    for name in ("connection-org1.yaml", "connection-org1.json"):
        profile = ConnectionProfile.load(tmp_path / name)
        [endpoint] = profile.endpoints_for(profile.organization_of("Org1MSP"))
        assert endpoint.address == "localhost:7051"
        assert endpoint.server_name == "peer0.org1.example.com"
        assert endpoint.tls_root_certificates == PEM.encode()
        assert profile.certificate_authority("ca.org1.example.com").ca_name == "ca-org1"


@pytest.mark.parametrize("place", ["pem", "path"])
def test_mutual_tls_as_the_go_sdk_writes_it(tmp_path: Path, place: str) -> None:
    certificate = trustme.CA().issue_cert("client.example")
    files = {
        "cert": certificate.cert_chain_pems[0].bytes(),
        "key": certificate.private_key_pem.bytes(),
    }
    content = make_profile()
    content["client"]["tlsCerts"] = {"systemCertPool": True, "client": {}}
    for name, pem in files.items():
        (tmp_path / name).write_bytes(pem)
        value = pem.decode() if place == "pem" else name
        content["client"]["tlsCerts"]["client"][name] = {place: value}
    endpoint, plaintext = load(tmp_path, content).endpoints_for("hospital")
    assert endpoint.client_certificate == files["cert"]
    assert endpoint.client_key == files["key"]
    assert endpoint.client_certificate_hash is not None
    assert plaintext.client_certificate is None


def test_an_address_without_a_scheme_is_tls(tmp_path: Path) -> None:
    content = make_profile()
    content["peers"]["peer0.hospital"]["url"] = "localhost:7051"
    endpoint = load(tmp_path, content).endpoint_for("hospital")
    assert endpoint.address == "localhost:7051"
    assert not endpoint.insecure


def test_orderers_by_the_names_in_their_certificates(tmp_path: Path) -> None:
    content = make_profile()
    assert load(tmp_path, content).orderer_addresses == {}
    content["orderers"] = {
        "orderer0": {
            "url": "grpcs://192.0.2.7:17050",
            "grpcOptions": {"ssl-target-name-override": "orderer0.example"},
        },
        "orderer1": {"url": "grpcs://orderer1.example:7050"},  # as it is called
    }
    found = load(tmp_path, content).orderer_addresses
    assert found == {"orderer0.example:17050": "192.0.2.7:17050"}
    content["orderers"]["orderer1"]["url"] = "http://orderer1.example"
    with pytest.raises(ProfileError, match=r"orderers\.orderer1\.url must begin with grpcs://"):
        _ = load(tmp_path, content).orderer_addresses
