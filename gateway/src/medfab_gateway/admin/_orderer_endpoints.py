"""Where a channel's orderers are, by its configuration. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from medfab_gateway.admin._channel_config import ChannelConfig
from medfab_gateway.channel_config import MspConfig
from medfab_gateway.endpoint import Endpoint


def orderer_endpoints(config: ChannelConfig) -> tuple[Endpoint, ...]:
    """The orderers that the configuration lists for clients, each trusted as it says."""
    channel = config.typed.channel
    if "Orderer" not in channel.groups:
        return ()
    found: list[Endpoint] = []
    everyones_roots: list[bytes] = []
    for group in channel.groups["Orderer"].groups.values():
        msp = group.values["MSP"].content if "MSP" in group.values else None
        if not isinstance(msp, MspConfig):
            continue
        roots = (*msp.tls_root_certificates, *msp.tls_intermediate_certificates)
        everyones_roots += roots
        addresses = group.values["Endpoints"].content if "Endpoints" in group.values else ()
        if isinstance(addresses, tuple):
            found += [_endpoint(str(each), roots, msp.msp_id) for each in addresses]
    if not found and "OrdererAddresses" in channel.values:  # before Fabric's capability V3_0
        addresses = channel.values["OrdererAddresses"].content
        if isinstance(addresses, tuple):
            found = [_endpoint(str(each), tuple(everyones_roots), None) for each in addresses]
    return tuple(found)


def reached_at(endpoint: Endpoint, addresses: Mapping[str, str]) -> Endpoint:
    """The same node by the address that it has for us, with the certificate that it has for all."""
    address = addresses.get(endpoint.address)
    if address is None:
        return endpoint
    name = endpoint.server_name or endpoint.address.rpartition(":")[0]
    return replace(endpoint, address=address, server_name=name)


def _endpoint(address: str, roots: tuple[bytes, ...], msp_id: str | None) -> Endpoint:
    return Endpoint(
        address,
        tls_root_certificates=b"\n".join(roots),
        insecure=False,
        msp_id=msp_id,
    )
