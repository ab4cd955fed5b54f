"""The connection profile: read back by the gateway, as any Fabric client would."""

from __future__ import annotations

from pathlib import Path

import trustme

from medfab_gateway.profile import ConnectionProfile
from medfab_network._layout import Layout
from medfab_network._profiles import write_connection_profile
from medfab_network.topology import load_topology


def test_the_gateway_reads_what_the_network_writes(tmp_path: Path) -> None:
    topology, layout = load_topology(None), Layout(tmp_path)
    clinic = topology.organization("clinic")
    root, server = trustme.CA().cert_pem.bytes(), trustme.CA().cert_pem.bytes()
    for path, content in (
        (layout.tls_ca_certificate("clinic"), root),
        (layout.ca_server_certificate("clinic"), server),
    ):
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    write_connection_profile(clinic, topology, layout)

    profile = ConnectionProfile.load(layout.connection_profile("clinic"))
    assert profile.client_organization == "clinic"
    assert profile.msp_id("clinic") == "ClinicMSP"
    endpoint = profile.endpoint_for("clinic")
    assert endpoint.address == clinic.peers[0].address
    assert endpoint.server_name == "peer0.clinic"
    assert endpoint.tls_root_certificates is not None
    assert endpoint.tls_root_certificates.strip() == root.strip()
    (name,) = profile.certificate_authority_names("clinic")
    assert name == clinic.ca.name
    authority = profile.certificate_authority(name)
    assert authority.url == f"https://127.0.0.1:{clinic.ca.port}"
    assert authority.tls_root_certificates is not None
    assert authority.tls_root_certificates.strip() == server.strip()
    assert "PRIVATE" not in layout.connection_profile("clinic").read_text()


def test_orderers_in_containers_are_reached_at_what_they_publish(tmp_path: Path) -> None:
    topology, layout = load_topology(None).with_containers(), Layout(tmp_path)
    for path in (layout.tls_ca_certificate("clinic"), layout.ca_server_certificate("clinic")):
        path.parent.mkdir(parents=True)
        path.write_bytes(trustme.CA().cert_pem.bytes())
    write_connection_profile(topology.organization("clinic"), topology, layout)
    profile = ConnectionProfile.load(layout.connection_profile("clinic"))
    assert profile.orderer_addresses == {
        orderer.address: f"127.0.0.1:{orderer.port}" for orderer in topology.ordering.orderers
    }
