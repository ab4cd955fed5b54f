"""The names that the docstrings' examples find: what their reader takes for granted."""

from __future__ import annotations

import collections
import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import medfab_gateway
from integration.examples_network import Live, filing_key
from medfab_gateway import (
    AsyncGateway,
    AsyncInMemoryCheckpointer,
    ConnectionProfile,
    FileSystemWallet,
    Gateway,
    InMemoryCheckpointer,
    admin,
    ca,
    ehr,
    telemetry,
)
from medfab_network._access import Access
from medfab_network._deploy import package as package_of
from medfab_network._enrolment import registrar_secret
from medfab_network._layout import Layout


@dataclass
class Asset:
    id: str
    ward: str


class Enough(Exception):
    """Ends an example that would go on for as long as there are events."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who runs an example, and what its `network` and its `contract` are."""

    organization: str = "hospital"
    user: str = "practitioner"
    channel: str = "care"
    chaincode: str = "assets"


def general_names(live: Live, gateway: AsyncGateway | Gateway, caller: Caller) -> dict[str, Any]:
    """What a reader of the docstrings takes for granted; in the form of the gateway."""
    entry = FileSystemWallet(live.network.wallet("hospital")).get("practitioner")
    profile = ConnectionProfile.load(live.network.connection_profile("hospital"))
    network = gateway.network(caller.channel)
    is_async = isinstance(gateway, AsyncGateway)
    signer = entry.signer()
    return {
        **{
            name: getattr(package, name)
            for package in (medfab_gateway, admin, ca, ehr, telemetry)
            for name in package.__all__
        },
        "__name__": "example",
        "Asset": Asset,
        "Path": Path,
        "UTC": UTC,
        "block": live.block,
        "ca_pem": profile.endpoint_for("hospital").tls_root_certificates,
        "checkpointer": AsyncInMemoryCheckpointer() if is_async else InMemoryCheckpointer(),
        "collections": collections,
        "contextlib": contextlib,
        "contract": network.contract(caller.chaincode),
        "datetime": datetime,
        "elsewhere": lambda data: signer(gateway.offline.proposal(data).digest),
        "endpoint": profile.endpoint_for("hospital"),
        "gateway": gateway,
        "handle": Handler().handle_async if is_async else Handler().handle,
        "identity": entry.identity,
        "key": filing_key(),
        "message": b"a message",
        "network": network,
        "patient": live.pseudonym,
        "private_key_pem": entry.private_key_pem,
        "profile": profile,
        "report": b"nothing found",
        "service": SimpleNamespace(sign=signer),
        "signer": signer,
        "timedelta": timedelta,
        "transaction_id": live.transaction_id,
        "wallet": FileSystemWallet(live.network.wallet("hospital")),
    }


class Handler:
    """The program's own work on an event; after two there is `Enough`."""

    def __init__(self) -> None:
        self._handled = 0

    def handle(self, event: object) -> None:
        self._handled += 1
        if self._handled == 2:
            raise Enough

    async def handle_async(self, event: object) -> None:
        self.handle(event)


def special_names(live: Live, documented: type) -> dict[str, Any]:
    """For the packages beside the gateway's."""
    if documented.__module__.startswith(admin.__name__):
        names = names_of_administration(live)
        if documented is admin.AsyncOrderer:
            orderer = live.network.topology.ordering.orderers[0]
            names["endpoint"] = Access(Layout(live.network.directory)).endpoint(orderer)
        return names
    if documented.__module__.startswith(ca.__name__):
        return names_of_authority(live)
    return {}


def names_of_administration(live: Live) -> dict[str, Any]:
    """For an administrator of the hospital, and of its orderer."""
    layout = Layout(live.network.directory)
    entry = Access(layout).entry("hospital", "admin")
    package = package_of(live.network.topology.chaincodes[0])
    orderer = live.network.topology.ordering.orderers[0]
    tls = layout.tls(orderer.organization, "admin")
    return {
        "identity": entry.identity,
        "signer": entry.signer(),
        "genesis_block": layout.channel_block("care").read_bytes(),
        "package": package,
        "package_id": admin.package_id(package),
        "url": f"https://localhost:{orderer.admin_port}",
        "pem": (tls / "ca.pem").read_bytes(),
        "certificate": (tls / "cert.pem").read_bytes(),
        "key": (tls / "key.pem").read_bytes(),
    }


def names_of_authority(live: Live) -> dict[str, Any]:
    layout = Layout(live.network.directory)
    authority = live.network.topology.organization("hospital").ca
    registrar = FileSystemWallet(layout.wallet("hospital")).get("registrar")
    return {
        "url": f"https://localhost:{authority.port}",
        "pem": layout.ca_server_certificate("hospital").read_bytes(),
        "secret": registrar_secret(layout, "hospital"),
        "ca_certificate": layout.ca_certificate("hospital").read_bytes(),
        "registrar": ca.Credential(
            certificate=registrar.identity.certificate, signer=registrar.signer()
        ),
    }
