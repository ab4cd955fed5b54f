"""What a compose file offers beside the nodes, by Compose's profiles: to watch, and to consume.

Their files are written by `_profile_files`; Compose starts them, `down` and `clean` end them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medfab_network._services import USER, Image
from medfab_network.topology import HOST, Topology

EXTRA_IMAGES: Mapping[str, Image] = {
    "prometheus": Image(variable="MEDFAB_PROMETHEUS_IMAGE", default="prom/prometheus:v3.5.0"),
    "grafana": Image(variable="MEDFAB_GRAFANA_IMAGE", default="grafana/grafana:12.1.0"),
    "postgres": Image(variable="MEDFAB_POSTGRES_IMAGE", default="postgres:17"),
    "consumer": Image(variable="MEDFAB_CONSUMER_IMAGE", default="medfab/consumer:latest"),
}
"""By service."""
OWN_NAMES: Mapping[str, str] = {
    "prometheus": "medfab/prometheus:latest",
    "postgres": "medfab/postgres:latest",
}
"""Those that we make of Debian's packages for who cannot pull. Debian has no Grafana."""
DATA_FOLDERS: Mapping[str, str] = {
    "prometheus": "/prometheus",
    "grafana": "/var/lib/grafana",
    "postgres": "/var/lib/postgresql/data",
}
"""Where each has its volume."""
MONITORING = "/etc/medfab/monitoring"
NODE_TLS = "/etc/medfab/tls"
CONSUMER = "/etc/medfab/consumer"
DATABASE = "medfab"
_DIRECTORY = "${MEDFAB_DIR:-./.medfab}"
METRICS_PORT = 9464
WATCHED = ("orderer", "peer")
"""Kinds of node that have metrics."""


def profile_services(topology: Topology) -> dict[str, Any]:
    """The services, each with its profile."""
    tls = [
        f"{_DIRECTORY}/organizations/{node.organization}/nodes/{node.name}/tls:{NODE_TLS}/{node.name}:ro"
        for node in topology.nodes()
        if node.kind in WATCHED
    ]
    monitoring = f"{_DIRECTORY}/monitoring"
    consumer = f"{_DIRECTORY}/consumer"
    return {
        "prometheus": _service(
            "prometheus",
            "observability",
            port=9090,
            command=[
                f"--config.file={MONITORING}/prometheus.yml",
                f"--storage.tsdb.path={DATA_FOLDERS['prometheus']}",
            ],
            # In the official image a group of that number may write.
            more={"entrypoint": ["prometheus"], "group_add": ["65534"]},
            binds=[f"{monitoring}/prometheus.yml:{MONITORING}/prometheus.yml:ro", *tls],
        ),
        "grafana": _service(
            "grafana",
            "observability",
            port=3000,
            binds=[
                f"{monitoring}/grafana:/etc/grafana/provisioning:ro",
                f"{monitoring}/dashboards:{MONITORING}/dashboards:ro",
            ],
            # Its own user's group is root's, as whom it may write.
            more={"group_add": ["0"]},
            environment={
                "GF_AUTH_ANONYMOUS_ENABLED": "true",  # its port is published on loopback alone
                "GF_ANALYTICS_REPORTING_ENABLED": "false",
                "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            },
        ),
        "postgres": _service(
            "postgres",
            "consumer",
            port=5432,
            binds=[f"{consumer}/postgres-password:/run/secrets/postgres-password:ro"],
            more={
                "entrypoint": ["docker-entrypoint.sh"],
                "shm_size": "128mb",
                "tmpfs": ["/tmp", "/var/run/postgresql"],  # noqa: S108 - the container's own
            },
            command=["postgres"],
            environment={
                "POSTGRES_USER": DATABASE,
                "POSTGRES_DB": DATABASE,
                "POSTGRES_PASSWORD_FILE": "/run/secrets/postgres-password",
                "PGDATA": f"{DATA_FOLDERS['postgres']}/cluster",
            },
        ),
        "consumer": _service(
            "consumer",
            "consumer",
            port=METRICS_PORT,
            command=["medfab", "events", "run", f"{CONSUMER}/consumers.toml"],
            binds=[f"{consumer}/{name}:{CONSUMER}/{name}:ro" for name in CONSUMER_FILES],
            environment={"PGPASSFILE": f"{CONSUMER}/pgpass"},
        ),
    }


CONSUMER_FILES = ("consumers.toml", "connection.json", "pgpass", "wallet")


def profile_volumes() -> dict[str, Any]:
    return {f"{name}.data": {} for name in DATA_FOLDERS}


def _service(
    name: str,
    profile: str,
    *,
    port: int,
    binds: list[str],
    command: list[str] | None = None,
    environment: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    image = EXTRA_IMAGES[name]
    volumes = list(binds)
    if name in DATA_FOLDERS:
        volumes.append(f"{name}.data:{DATA_FOLDERS[name]}")
    return {
        "image": f"${{{image.variable}:-{image.default}}}",
        "profiles": [profile],
        "hostname": name,
        "user": f"${{MEDFAB_USER:-{USER}:{USER}}}",
        **({"command": command} if command else {}),
        **({"environment": dict(environment)} if environment else {}),
        "volumes": volumes,
        "ports": [f"{HOST}:${{MEDFAB_{name.upper()}_PORT:-{port}}}:{port}"],
        "init": True,
        "read_only": True,
        "tmpfs": ["/tmp"],  # noqa: S108 - the container's own
        "cap_drop": ["ALL"],
        "restart": "unless-stopped",
        **(more or {}),
    }
