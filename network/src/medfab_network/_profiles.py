"""Fabric's v1 connection profile of an organisation: how any Fabric client finds the network."""

from __future__ import annotations

import json
from typing import Any

from medfab_network._files import write_atomically
from medfab_network._layout import Layout
from medfab_network.topology import Organization, Topology


def write_connection_profile(
    organization: Organization, topology: Topology, layout: Layout
) -> None:
    """Write `connection.json` with the organisation's peers, its CA, and where orderers are."""
    document = connection_profile(organization, topology, layout)
    write_atomically(
        layout.connection_profile(organization.name), json.dumps(document, indent=2) + "\n"
    )


def connection_profile(
    organization: Organization, topology: Topology, layout: Layout, *, inside: bool = False
) -> dict[str, Any]:
    """The document; certificates are embedded, so that the file can travel alone.

    inside: for who runs beside the nodes, and dials them as they do each other.
    """
    ca = organization.ca
    ca_server = layout.ca_server_certificate(organization.name).read_text()
    tls_root = layout.tls_ca_certificate(organization.name).read_text()
    return {
        "name": f"{topology.name}-{organization.name}",
        "version": "1.0.0",
        "client": {"organization": organization.name},
        "organizations": {
            organization.name: {
                "mspid": organization.msp_id,
                "peers": [peer.name for peer in organization.peers],
                "certificateAuthorities": [organization.ca.name],
            }
        },
        "peers": {
            peer.name: {
                "url": f"grpcs://{peer.address if inside else peer.published}",
                "tlsCACerts": {"pem": tls_root},
                "grpcOptions": {"ssl-target-name-override": peer.name},
            }
            for peer in organization.peers
        },
        # Whom to trust there, the channel's configuration says.
        "orderers": {
            orderer.name: {
                "url": f"grpcs://{orderer.address if inside else orderer.published}",
                "grpcOptions": {"ssl-target-name-override": orderer.name},
            }
            for orderer in topology.ordering.orderers
        },
        "certificateAuthorities": {
            organization.ca.name: {
                "url": f"https://{ca.address if inside else ca.published}",
                "caName": organization.ca.name,
                "tlsCACerts": {"pem": [ca_server]},
                "httpOptions": {"verify": True},
            }
        },
    }
