"""Operating nodes that run: their log levels, and what Prometheus and Grafana need to watch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import yaml

from medfab_network._health import tls_context
from medfab_network._layout import Layout
from medfab_network.errors import NetworkError, NotRunningError, TopologyError
from medfab_network.topology import HOST, Node, Topology

_KINDS = ("orderer", "peer")
"""What has Fabric's operations endpoint with metrics and a log specification."""


async def log_level(node: Node, layout: Layout, specification: str | None) -> str:
    """The node's log specification, after setting it where one is given (until the node ends).

    specification: Fabric's own form, e.g. `orderer=debug:info`. Raises `TopologyError` for nodes
    that have none, `NotRunningError` without an answer, `NetworkError` where the node refuses it.
    """
    if node.kind not in _KINDS:
        raise TopologyError(f"{node.name} has no log level to change: peers and orderers have")
    tls = layout.tls(node.organization, node.name)
    context = tls_context(tls / "ca.pem", client=tls)
    url = f"https://{HOST}:{node.operations_port}/logspec"
    try:
        async with httpx.AsyncClient(verify=context, timeout=10, trust_env=False) as client:
            if specification is not None:
                answer = await client.put(url, json={"spec": specification})
                if answer.status_code != 204:
                    said = answer.json().get("error", answer.status_code)
                    raise NetworkError(f"{node.name} refuses {specification!r}: {said}")
            answer = await client.get(url)
    except (httpx.HTTPError, OSError) as error:
        raise NotRunningError(
            f"{node.name} does not answer; `medfab network status` shows what runs"
        ) from error
    return str(answer.json()["spec"])


def prometheus_configuration(
    topology: Topology, layout: Layout, *, in_container: str | None = None
) -> str:
    """`prometheus.yml`: one job for each peer and orderer, by TLS with its client certificate.

    Paths are those of this network directory, so Prometheus runs as who may read it. In a container
    beside the nodes they are below the folder that `in_container` names.
    """
    jobs = []
    for node in topology.nodes():
        if node.kind not in _KINDS:
            continue
        tls = layout.tls(node.organization, node.name)
        host = HOST
        if in_container is not None:
            tls, host = Path(in_container) / node.name, node.host
        jobs.append(
            {
                "job_name": node.name,
                "scheme": "https",
                "tls_config": {
                    "ca_file": str(tls / "ca.pem"),
                    "cert_file": str(tls / "cert.pem"),
                    "key_file": str(tls / "key.pem"),
                    "server_name": node.name,
                },
                "static_configs": [
                    {
                        "targets": [f"{host}:{node.operations_port}"],
                        "labels": {"organization": node.organization, "kind": node.kind},
                    }
                ],
            }
        )
    document = {"global": {"scrape_interval": "15s"}, "scrape_configs": jobs}
    return yaml.safe_dump(document, sort_keys=False)


_PANELS = (
    ("Blocks", "ledger_blockchain_height", "short"),
    (
        "Transactions per second, by validation code",
        "sum by (channel, validation_code) (rate(ledger_transaction_count[1m]))",
        "ops",
    ),
    ("Raft: is leader", "consensus_etcdraft_is_leader", "short"),
    (
        "Raft: leader changes in an hour",
        "increase(consensus_etcdraft_leader_changes[1h])",
        "short",
    ),
    (
        "Endorsement, 95th percentile",
        "histogram_quantile(0.95, sum by (le, job, chaincode) "
        "(rate(endorser_proposal_duration_bucket[5m])))",
        "s",
    ),
    (
        "Endorsements that failed, per second",
        "sum by (job, chaincode) (rate(endorser_endorsement_failures[5m]))",
        "ops",
    ),
    (
        "Commit of a block, 95th percentile",
        "histogram_quantile(0.95, sum by (le, job, channel) "
        "(rate(ledger_block_processing_time_bucket[5m])))",
        "s",
    ),
    (
        "Private data of a block, 95th percentile",
        "histogram_quantile(0.95, sum by (le, job) "
        "(rate(gossip_privdata_commit_block_duration_bucket[5m])))",
        "s",
    ),
    (
        "Gateway calls under way",
        'sum by (job) (grpc_server_unary_requests_received{service="gateway_Gateway"}) '
        '- sum by (job) (grpc_server_unary_requests_completed{service="gateway_Gateway"})',
        "short",
    ),
    (
        "Ordering: transactions per second, by status",
        "sum by (channel, status) (rate(broadcast_processed_count[1m]))",
        "ops",
    ),
    ("Memory", "process_resident_memory_bytes", "bytes"),
    ("CPUs", "rate(process_cpu_seconds_total[1m])", "short"),
)


def grafana_dashboard() -> str:
    """A dashboard to import into Grafana; its data source is asked for there."""
    panels: list[dict[str, Any]] = []
    for number, (title, expression, unit) in enumerate(_PANELS):
        panels.append(
            {
                "id": number + 1,
                "title": title,
                "type": "timeseries",
                "datasource": {"type": "prometheus", "uid": "${source}"},
                "gridPos": {"h": 8, "w": 12, "x": 12 * (number % 2), "y": 8 * (number // 2)},
                "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
                "targets": [{"expr": expression, "refId": "A"}],
            }
        )
    dashboard = {
        "uid": "medfab",
        "title": "medfab: a Fabric network",
        "schemaVersion": 39,
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "15s",
        "templating": {
            "list": [{"name": "source", "type": "datasource", "query": "prometheus"}],
        },
        "panels": panels,
    }
    return json.dumps(dashboard, indent=2) + "\n"
