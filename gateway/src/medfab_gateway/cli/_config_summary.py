"""What people want to know of a channel's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medfab_gateway.admin import ChannelConfig


def setting(config: ChannelConfig, group: str, value: str, attribute: str | None = None) -> Any:
    """One value below a group of the channel; None where there is none."""
    groups = config.typed.channel.groups
    if group not in groups or value not in groups[group].values:
        return None
    content = groups[group].values[value].content
    return content if attribute is None else getattr(content, attribute, None)


def members(config: ChannelConfig) -> list[dict[str, Any]]:
    """The organisations with peers, sorted by MSP id."""
    rows = []
    groups = config.typed.channel.groups
    sections = [name for name in ("Application", "Orderer") if name in groups]
    for section in sections:
        for name, group in groups[section].groups.items():
            msp = group.values["MSP"].content if "MSP" in group.values else None
            anchors = group.values["AnchorPeers"].content if "AnchorPeers" in group.values else ()
            endpoints = group.values["Endpoints"].content if "Endpoints" in group.values else ()
            roots = getattr(msp, "root_certificates", ())
            rows.append(
                {
                    "msp_id": getattr(msp, "msp_id", name),
                    "role": {"Application": "member", "Orderer": "orderers"}[section],
                    "anchor_peers": [f"{each.host}:{each.port}" for each in anchors],  # type: ignore[union-attr]
                    "endpoints": list(endpoints),  # type: ignore[arg-type]
                    "root_sha256": [_fingerprint(pem) for pem in roots],
                    "revocation_lists": len(getattr(msp, "revocation_lists", ())),
                }
            )
    return sorted(rows, key=lambda row: (str(row["role"]), str(row["msp_id"])))


def _fingerprint(pem: bytes) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex(":")
