"""The ways to connect, besides a single endpoint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medfab_gateway import (
    AsyncGateway,
    ConnectionProfile,
    Endpoint,
    FileSystemWallet,
    Gateway,
    IdentityNotFoundError,
    ProfileError,
    private_key_signer,
)
from unit.gateway.fake_gateway import FakeGateway, make_identity, serve
from unit.gateway.forms import Connect

IDENTITY, KEY = make_identity("HospitalMSP")


def write_profile(path: Path, endpoints: Sequence[Endpoint]) -> None:
    peers: dict[str, Any] = {}
    for number, endpoint in enumerate(endpoints):
        pem = endpoint.tls_root_certificates
        peers[f"peer{number}"] = {
            "url": f"grpcs://{endpoint.address}",
            "tlsCACerts": {"pem": pem.decode() if pem else ""},
        }
    profile = {
        "version": "1.0.0",
        "organizations": {
            "clinic": {"mspid": "ClinicMSP", "peers": ["peer0"]},
            "hospital": {"mspid": "HospitalMSP", "peers": [*peers]},
        },
        "peers": peers,
    }
    path.write_text(json.dumps(profile))


async def test_a_profile_stands_for_the_peers_of_the_identity(
    tmp_path: Path, connect: Connect
) -> None:
    fake = FakeGateway()
    async with serve(fake) as endpoint:
        nobody = replace(endpoint, address="localhost:1")
        write_profile(tmp_path / "connection.json", [nobody, endpoint])
        profile = ConnectionProfile.load(tmp_path / "connection.json")
        async with connect(profile, IDENTITY, private_key_signer(KEY)) as gateway:
            assert await gateway.network("care").contract("ehr").evaluate("F") == b"result"
    stranger, _ = make_identity("OtherMSP")
    with pytest.raises(ProfileError, match="OtherMSP"):
        connect(profile, stranger)


async def test_a_network_directory(tmp_path: Path) -> None:
    folder = tmp_path / "organizations" / "hospital"
    folder.mkdir(parents=True)
    FileSystemWallet(folder / "wallet").put("practitioner", IDENTITY, KEY)
    fake = FakeGateway()
    async with serve(fake) as endpoint:
        write_profile(folder / "connection.json", [endpoint])
        async with AsyncGateway.connect_user(tmp_path, "hospital", "practitioner") as gateway:
            assert await gateway.network("care").contract("ehr").evaluate("F") == b"result"
    with Gateway.connect_user(tmp_path, "hospital", "practitioner") as blocking:
        assert blocking.identity == IDENTITY
    with pytest.raises(IdentityNotFoundError, match="It has: practitioner"):
        AsyncGateway.connect_user(tmp_path, "hospital", "nobody")
    with pytest.raises(ProfileError, match="Is the network up"):
        AsyncGateway.connect_user(tmp_path, "clinic", "practitioner")
