"""Fabric's connection profile (version 1): where the nodes of a network are.

    profile = ConnectionProfile.load(".medfab/organizations/hospital/connection.json")
    gateway = AsyncGateway.connect(profile, identity, signer)

JSON or YAML. `${NAME}` in any text stands for that environment variable; certificates are in the
file (`pem`) or beside it (`path`, relative to the file). A client certificate for mutual TLS is
where the official Go SDK has it: `client.tlsCerts.client.{cert,key}`; or where fabric-sdk-py has
it, at each peer: `clientCert`, `clientKey`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from medfab_gateway._profile_node import ProfileNode
from medfab_gateway.endpoint import Endpoint
from medfab_gateway.errors import EndpointError, ProfileError

# Of the official SDKs (both), and of fabric-sdk-py.
_SERVER_NAMES = ("ssl-target-name-override", "hostnameOverride", "grpc.ssl_target_name_override")


@dataclass(frozen=True, kw_only=True)
class CertificateAuthorityProfile:
    """Where a Fabric CA is.

    ::

        for name in profile.certificate_authority_names("hospital"):
            authority = profile.certificate_authority(name)
            print(authority.url, authority.ca_name)
    """

    url: str
    """`https://host:port`"""

    ca_name: str | None
    """Which of the CAs of that server; None: its default."""

    tls_root_certificates: bytes | None = field(repr=False)
    """The CA certificates that the server's TLS certificate must chain to, PEM. None: the public
    ones."""


class ConnectionProfile:
    """A connection profile that has been read. Its errors (`ProfileError`) name the place.

    ::

        profile = ConnectionProfile.load(".medfab/organizations/hospital/connection.json")
        async with AsyncGateway.connect(profile, identity, signer) as gateway:
            contract = gateway.network("care").contract("assets")
            answer = await contract.evaluate("ReadAsset", "asset-1")
    """

    def __init__(self, content: Mapping[str, Any], *, source: Path) -> None:
        """content: the parsed profile. source: the file, for errors and relative paths."""
        self._root = ProfileNode(content, source=source, path="")

    @classmethod
    def load(cls, path: str | Path) -> ConnectionProfile:
        """Reads a `.json` file, or a YAML file by any other name. Raises `ProfileError`."""
        source = Path(path)
        try:
            text = source.read_text(encoding="utf-8")
            content = json.loads(text) if source.suffix == ".json" else _parse_yaml(text)
        except FileNotFoundError as error:
            raise ProfileError(
                f"There is no connection profile {source}. Is the network up?"
            ) from error
        except (OSError, ValueError) as error:
            raise ProfileError(
                f"The connection profile {source} cannot be read: {error}"
            ) from error
        if not isinstance(content, dict):
            raise ProfileError(f"The connection profile {source} is not an object of settings.")
        return cls(content, source=source)

    @property
    def organizations(self) -> tuple[str, ...]:
        """The names of the organisations, in the order of the file."""
        return self._root.child("organizations").keys()

    @property
    def client_organization(self) -> str | None:
        """The organisation whose profile this is (`client.organization`); None: not said."""
        client = self._root.optional("client")
        name = client.optional("organization") if client else None
        return name.text() if name else None

    def msp_id(self, organization: str) -> str:
        """The MSP id of an organisation."""
        return self._organization(organization).child("mspid").text()

    def organization_of(self, msp_id: str) -> str:
        """The organisation with that MSP id."""
        known = {self.msp_id(name): name for name in self.organizations}
        if msp_id not in known:
            raise self._root.child("organizations").error(
                f"has no organisation with the MSP id {msp_id}; it has {', '.join(known)}"
            )
        return known[msp_id]

    def endpoint_for(self, organization: str) -> Endpoint:
        """The organisation's first peer."""
        return self.endpoints_for(organization)[0]

    def endpoints_for(self, organization: str) -> tuple[Endpoint, ...]:
        """The organisation's peers, in the order of the file; at least one."""
        return tuple(self.peer_endpoint(peer) for peer in self.peer_names(organization))

    def peer_names(self, organization: str) -> tuple[str, ...]:
        """The organisation's peers, by their names in the profile."""
        return self._organization(organization).child("peers").texts()

    def peer_endpoint(self, peer: str) -> Endpoint:
        """A peer, by its name in the profile."""
        node = self._root.child("peers").child(peer)
        url = node.child("url")
        address, insecure = _address(url)
        server_name = _server_name(node)
        certificate, private_key = (None, None) if insecure else self._client_certificate(node)
        try:
            return Endpoint(
                address,
                tls_root_certificates=None if insecure else _tls_root_certificates(node),
                server_name=None if insecure else server_name,
                client_certificate=certificate,
                client_key=private_key,
                insecure=insecure,
                msp_id=self._msp_id_of(peer),
            )
        except EndpointError as error:
            raise url.error(f"cannot be used: {error}") from error

    @property
    def orderer_addresses(self) -> dict[str, str]:
        """Where orderers are reached from here that are called otherwise in their certificates.

        `name:port` → `host:port`, as `AsyncChannelAdmin(orderers=…)` takes it: nodes in containers,
        whose names nobody else knows, are published at addresses of their engine's machine.
        """
        section = self._root.optional("orderers")
        found: dict[str, str] = {}
        if section is None:
            return found
        for key in section.keys():  # noqa: SIM118 - of a ProfileNode
            node = section.child(key)
            address, _ = _address(node.child("url"))
            name = _server_name(node)
            if name is not None:
                found[f"{name}:{address.rpartition(':')[2]}"] = address
        return found

    def certificate_authority_names(self, organization: str) -> tuple[str, ...]:
        """The CAs of an organisation, by their names in the profile; may be none."""
        names = self._organization(organization).optional("certificateAuthorities")
        return names.texts() if names else ()

    def certificate_authority(self, name: str) -> CertificateAuthorityProfile:
        """A CA, by its name in the profile."""
        node = self._root.child("certificateAuthorities").child(name)
        url = node.child("url")
        if urlsplit(url.text()).scheme not in ("https", "http"):
            raise url.error("must begin with https://")
        ca_name = node.optional("caName")
        return CertificateAuthorityProfile(
            url=url.text(),
            ca_name=ca_name.text() if ca_name else None,
            tls_root_certificates=_tls_root_certificates(node),
        )

    def _client_certificate(self, peer: ProfileNode) -> tuple[bytes | None, bytes | None]:
        own = peer.optional("clientCert")
        if own is not None:
            return own.pem(), peer.child("clientKey").pem()
        node: ProfileNode | None = self._root
        for key in ("client", "tlsCerts", "client"):
            node = node.optional(key) if node else None
        if node is None:
            return None, None
        return node.child("cert").pem(), node.child("key").pem()

    def _msp_id_of(self, peer: str) -> str | None:
        for name in self.organizations:
            peers = self._organization(name).optional("peers")
            if peers and peer in peers.texts():
                return self.msp_id(name)
        return None

    def _organization(self, name: str) -> ProfileNode:
        return self._root.child("organizations").child(name)


def _address(url: ProfileNode) -> tuple[str, bool]:
    """`host:port`, and whether it is without TLS."""
    text = url.text()
    parts = urlsplit(text if "://" in text else f"grpcs://{text}")
    if parts.scheme not in ("grpcs", "grpc"):
        raise url.error("must begin with grpcs://")
    return parts.netloc, parts.scheme == "grpc"


def _server_name(node: ProfileNode) -> str | None:
    """What the certificate of a node says, where that is not its address."""
    options = node.optional("grpcOptions")
    for key in _SERVER_NAMES:
        override = options.optional(key) if options else None
        if override:
            return override.text()
    return None


def _tls_root_certificates(node: ProfileNode) -> bytes | None:
    certificates = node.optional("tlsCACerts")
    if certificates is None:
        return None
    content = certificates.pem()
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise certificates.error("holds no certificate in PEM form")
    return content


def _parse_yaml(text: str) -> Any:
    import yaml  # here, because few programs read YAML and importing it takes time

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
