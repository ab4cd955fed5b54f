"""Fabric's connection profile (version 1): where the nodes of a network are.

    profile = ConnectionProfile.load(".medfab/organizations/hospital/connection.json")
    endpoint = profile.endpoint_for("hospital")

JSON or YAML. `${NAME}` in any text stands for that environment variable; certificates are in the
file (`pem`) or beside it (`path`, relative to the file).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from medfab_gateway.endpoint import Endpoint
from medfab_gateway.errors import EndpointError, ProfileError


@dataclass(frozen=True, kw_only=True)
class CertificateAuthorityProfile:
    """Where a Fabric CA is."""

    url: str
    """`https://host:port`"""

    ca_name: str | None
    """Which of the CAs of that server; None: its default."""

    tls_root_certificates: bytes | None = field(repr=False)
    """The CA certificates that the server's TLS certificate must chain to, PEM. None: the public
    ones."""


class ConnectionProfile:
    """A connection profile that has been read. Its errors (`ProfileError`) name the place."""

    def __init__(self, content: Mapping[str, Any], *, source: Path) -> None:
        """content: the parsed profile. source: the file, for errors and relative paths."""
        self._root = _Node(content, source=source, path="")

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

    def endpoint_for(self, organization: str) -> Endpoint:
        """The organisation's first peer."""
        peers = self._organization(organization).child("peers").texts()
        return self.peer_endpoint(peers[0])

    def peer_endpoint(self, peer: str) -> Endpoint:
        """A peer, by its name in the profile."""
        node = self._root.child("peers").child(peer)
        url = node.child("url")
        parts = urlsplit(url.text())
        if parts.scheme not in ("grpcs", "grpc"):
            raise url.error("must begin with grpcs://")
        insecure = parts.scheme == "grpc"
        options = node.optional("grpcOptions")
        server_name = None
        for key in ("ssl-target-name-override", "hostnameOverride"):
            override = options.optional(key) if options else None
            if override:
                server_name = override.text()
                break
        try:
            return Endpoint(
                parts.netloc,
                tls_root_certificates=None if insecure else _tls_root_certificates(node),
                server_name=None if insecure else server_name,
                insecure=insecure,
            )
        except EndpointError as error:
            raise url.error(f"cannot be used: {error}") from error

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

    def _organization(self, name: str) -> _Node:
        return self._root.child("organizations").child(name)


class _Node:
    """A value in the file that knows its place, e.g. `peers.peer0.url`."""

    def __init__(self, value: Any, *, source: Path, path: str) -> None:
        self._value = value
        self._source = source
        self._path = path

    def error(self, problem: str) -> ProfileError:
        return ProfileError(f"Connection profile {self._source}: {self._path} {problem}.")

    def optional(self, key: str) -> _Node | None:
        """The value under `key`; None where there is none, or an empty one."""
        value = self._mapping().get(key)
        if value in (None, "", [], {}):
            return None
        path = f"{self._path}.{key}" if self._path else key
        return _Node(value, source=self._source, path=path)

    def child(self, key: str) -> _Node:
        found = self.optional(key)
        if found is None:
            path = f"{self._path}.{key}" if self._path else key
            known = ", ".join(str(name) for name in self._mapping())
            raise ProfileError(
                f"Connection profile {self._source}: {path} is missing"
                + (f"; {self._path or 'the file'} has: {known}." if known else ".")
            )
        return found

    def keys(self) -> tuple[str, ...]:
        return tuple(str(key) for key in self._mapping())

    def text(self) -> str:
        if not isinstance(self._value, str):
            raise self.error("must be text")
        return _VARIABLE.sub(self._environment_value, self._value)

    def texts(self) -> tuple[str, ...]:
        """A list of texts; a single text counts as one."""
        values = self._value if isinstance(self._value, list) else [self._value]
        return tuple(
            _Node(value, source=self._source, path=f"{self._path}[{index}]").text()
            for index, value in enumerate(values)
        )

    def file(self) -> bytes:
        """The content of the file that the text names."""
        path = self._source.parent / self.text()
        try:
            return path.read_bytes()
        except OSError as error:
            raise self.error(f"names a file that cannot be read: {error}") from error

    def _mapping(self) -> Mapping[str, Any]:
        if not isinstance(self._value, dict):
            raise self.error("must be an object of settings")
        return self._value

    def _environment_value(self, match: re.Match[str]) -> str:
        value = os.environ.get(match[1])
        if value is None:
            raise self.error(f"needs the environment variable {match[1]}, which is not set")
        return value


_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _tls_root_certificates(node: _Node) -> bytes | None:
    certificates = node.optional("tlsCACerts")
    if certificates is None:
        return None
    pem = certificates.optional("pem")
    content = "\n".join(pem.texts()).encode() if pem else certificates.child("path").file()
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise certificates.error("holds no certificate in PEM form")
    return content


def _parse_yaml(text: str) -> Any:
    import yaml  # here, because few programs read YAML and importing it takes time

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
