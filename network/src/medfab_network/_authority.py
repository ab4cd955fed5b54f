"""The certificate authorities of an organisation: one server with two authorities.

`ca.ORG` issues enrolment certificates to nodes and people; `tlsca.ORG` issues TLS certificates, to
nodes alone. Were it one authority, everybody enrolled with it could ask for a TLS certificate in
the name of a peer.
"""

from __future__ import annotations

from typing import Any

import yaml

from medfab_network._binaries import FABRIC_CA_VERSION, Binaries
from medfab_network._certificates import self_signed
from medfab_network._files import write_atomically
from medfab_network._layout import Layout
from medfab_network._nodes import Start
from medfab_network._place import place_of
from medfab_network.topology import HOST, Node

REGISTRAR = "registrar"
"""The bootstrap identity of both authorities."""

_CONFIG = "fabric-ca-server-config.yaml"
_YEAR = "8760h"


def tls_authority_name(organization: str) -> str:
    """Name of the organisation's TLS authority, within the server that has both."""
    return f"tlsca.{organization}"


def ca_start(node: Node, binaries: Binaries, layout: Layout, registrar_secret: str) -> Start:
    """A Fabric CA server with roots of its own, and a TLS certificate that vouches for itself.

    Clients pin that certificate: left to itself, the server would issue one from `ca.ORG`, and then
    anybody enrolled there could pass for the server.
    The secret of the bootstrap identities is in the configuration files alone (0600), never in a
    command line, where every user of the machine could read it.
    """
    home = layout.ca(node.organization)
    tls_home = layout.tls_ca(node.organization)
    for folder in (home, tls_home):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    certificate = layout.ca_server_certificate(node.organization)
    key = certificate.with_name("key.pem")
    if not certificate.exists():
        certificate_pem, key_pem = self_signed(node.name, hosts=("localhost", HOST, node.name))
        write_atomically(key, key_pem, 0o600)
        write_atomically(certificate, certificate_pem)
    place = place_of(node, layout)
    tls = place.folder / certificate.parent.relative_to(home)
    tls_authority = _authority(
        tls_authority_name(node.organization), node.organization, registrar_secret
    )
    tls_authority["signing"]["profiles"] = {
        "tls": {
            "usage": [
                "signing",
                "key encipherment",
                "server auth",
                "client auth",
                "key agreement",
            ],
            "expiry": _YEAR,
        }
    }
    server = {
        **_authority(node.name, node.organization, registrar_secret),
        "cafiles": [str(place.folder / tls_home.relative_to(home) / _CONFIG)],
        "address": node.listens_on,
        "port": node.port,
        "tls": {
            "enabled": True,
            "certfile": str(tls / certificate.name),
            "keyfile": str(tls / key.name),
        },
        "operations": {  # health and version; the server insists on this endpoint
            "listenAddress": f"{node.listens_on}:{node.operations_port}",
            "tls": {
                "enabled": True,
                "cert": {"file": str(tls / certificate.name)},
                "key": {"file": str(tls / key.name)},
            },
        },
        "metrics": {"provider": "disabled"},
    }
    write_atomically(tls_home / _CONFIG, yaml.safe_dump(tls_authority), 0o600)
    write_atomically(home / _CONFIG, yaml.safe_dump(server), 0o600)
    return Start(
        command=[str(binaries["fabric-ca-server"]), "start", "--home", str(place.folder)],
        folder=home,
    )


def _authority(name: str, organization: str, registrar_secret: str) -> dict[str, Any]:
    return {
        "version": FABRIC_CA_VERSION,
        "ca": {"name": name, "chainfile": "ca-chain.pem"},
        "crl": {"expiry": "24h"},
        "registry": {
            "maxenrollments": -1,
            "identities": [
                {
                    "name": REGISTRAR,
                    "pass": registrar_secret,
                    "type": "client",
                    "affiliation": "",
                    "attrs": {
                        "hf.Registrar.Roles": "*",
                        "hf.Registrar.DelegateRoles": "*",
                        "hf.Registrar.Attributes": "*",
                        "hf.Revoker": True,
                        "hf.GenCRL": True,
                        "hf.AffiliationMgr": True,
                    },
                }
            ],
        },
        "db": {"type": "sqlite3", "datasource": "fabric-ca-server.db"},
        "affiliations": {organization: []},
        "signing": {"default": {"usage": ["digital signature"], "expiry": _YEAR}, "profiles": {}},
        "csr": {
            "cn": name,
            "keyrequest": {"algo": "ecdsa", "size": 256},
            "names": [{"C": "US", "O": organization}],
            "ca": {"expiry": "131400h", "pathlength": 0},
        },
        "bccsp": {
            "default": "SW",
            "sw": {
                "hash": "SHA2",
                "security": 256,
                "filekeystore": {"keystore": "msp/keystore"},
            },
        },
    }
