"""The files of Compose's profiles, in the network directory: `monitoring/` and `consumer/`."""

from __future__ import annotations

import json
import os
import re
import secrets
from pathlib import Path

import yaml

from medfab_gateway.wallet import FileSystemWallet, WalletEntry
from medfab_network._files import write_atomically
from medfab_network._layout import Layout
from medfab_network._operations import grafana_dashboard, prometheus_configuration
from medfab_network._profile_services import (
    CONSUMER,
    DATABASE,
    METRICS_PORT,
    MONITORING,
    NODE_TLS,
)
from medfab_network._profiles import connection_profile
from medfab_network._services import USER
from medfab_network.topology import Organization, Topology

CONSUMER_USER = "consumer"
"""Whom the consumer is in the ledger: a client without attributes, who reads blocks."""


def consuming_organization(topology: Topology) -> Organization:
    """Whose blocks the consumer of a consortium on one machine reads."""
    return topology.organization(topology.channels[0].organizations[0])


def write_monitoring(topology: Topology, layout: Layout) -> None:
    """What Prometheus and Grafana read in their containers."""
    folder = layout.root / "monitoring"
    source = {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "Prometheus",
                "type": "prometheus",
                "access": "proxy",
                "url": "http://prometheus:9090",
                "isDefault": True,
            }
        ],
    }
    provider = {
        "apiVersion": 1,
        "providers": [
            {"name": "medfab", "type": "file", "options": {"path": f"{MONITORING}/dashboards"}}
        ],
    }
    files = {
        "prometheus.yml": prometheus_configuration(topology, layout, in_container=NODE_TLS),
        "grafana/datasources/prometheus.yml": yaml.safe_dump(source, sort_keys=False),
        "grafana/dashboards/medfab.yml": yaml.safe_dump(provider, sort_keys=False),
        "dashboards/medfab.json": grafana_dashboard(),
    }
    for name, text in files.items():
        write_atomically(folder / name, text)
    _hand_over(folder)


def write_consumer(topology: Topology, layout: Layout, entry: WalletEntry) -> None:
    """What the consumer and its database read: its own key and no other."""
    organization = consuming_organization(topology)
    folder = layout.root / "consumer"
    password = folder / "postgres-password"
    if not password.exists():
        write_atomically(password, secrets.token_hex(16), 0o600)
    profile = connection_profile(organization, topology, layout, inside=True)
    files = {
        "consumers.toml": _consumers(topology, organization),
        "connection.json": json.dumps(profile, indent=2) + "\n",
        "pgpass": f"*:*:*:{DATABASE}:{password.read_text()}\n",
    }
    for name, text in files.items():
        write_atomically(folder / name, text, 0o600)
    wallet = FileSystemWallet(folder / "wallet")
    wallet.put(CONSUMER_USER, entry.identity, entry.private_key_pem)
    _hand_over(folder)


def _consumers(topology: Topology, organization: Organization) -> str:
    parts = [
        "# Made by `medfab network up --docker`; see docs/consumers.md for what else can be here.",
        "[gateway]",
        f'profile = "{CONSUMER}/connection.json"',
        f'wallet = "{CONSUMER}/wallet"',
        f'organization = "{organization.name}"',
        f'identity = "{CONSUMER_USER}"',
        "",
        "[service]",
        f'listen = "0.0.0.0:{METRICS_PORT}"',
    ]
    for channel in topology.channels_of(organization.name):
        parts += [
            "",
            "[[consumer]]",
            f'name = "explorer-{channel.name}"',
            f'channel = "{channel.name}"',
            f'database = "postgresql://{DATABASE}@postgres:5432/{DATABASE}"',
            f'schema = "{re.sub("[^a-z0-9]", "_", channel.name)}"',
            'projections = ["explorer"]',
        ]
    return "\n".join(parts) + "\n"


def _hand_over(folder: Path) -> None:
    """As root we would be the only one who can read what is in there."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, USER, USER, follow_symlinks=False)
