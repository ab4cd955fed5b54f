"""Operating a running network: log levels, and what Prometheus and Grafana are given."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
import yaml

from integration.conftest import Consortium
from medfab_network import Network, TopologyError
from medfab_network._health import tls_context
from medfab_network.errors import NetworkError

pytestmark = pytest.mark.integration


@pytest.fixture
def network(consortium: Consortium) -> Network:
    return consortium.running_network


@pytest.mark.parametrize("node", ["peer0.clinic", "orderer0.orderer"])
async def test_log_levels_change_while_the_node_runs(network: Network, node: str) -> None:
    before = await network.log_level(node)
    assert "info" in before
    assert "gossip=debug" in await network.log_level(node, "gossip=debug:info")
    assert "gossip=debug" in await network.log_level(node)
    assert await network.log_level(node, before) == before


async def test_a_level_that_does_not_exist_is_refused(network: Network) -> None:
    before = await network.log_level("peer0.clinic")
    with pytest.raises(NetworkError, match=r"peer0\.clinic refuses 'loud'"):
        await network.log_level("peer0.clinic", "loud")
    assert await network.log_level("peer0.clinic") == before
    with pytest.raises(TopologyError, match=r"ca\.clinic has no log level"):
        await network.log_level("ca.clinic")


async def test_every_metric_of_the_dashboard_exists(network: Network) -> None:
    """Asked as Prometheus would: by what its configuration says, and by nothing else."""
    files = network.monitoring()
    found: set[str] = set()
    jobs = yaml.safe_load(files["prometheus.yml"])["scrape_configs"]
    nodes = {n.name for n in network.topology.nodes() if n.kind in ("peer", "orderer")}
    assert {job["job_name"] for job in jobs} == nodes
    for job in jobs:
        tls = job["tls_config"]
        context = tls_context(Path(tls["ca_file"]), client=Path(tls["cert_file"]).parent)
        assert Path(tls["key_file"]) == Path(tls["cert_file"]).with_name("key.pem")
        ((target,),) = [s["targets"] for s in job["static_configs"]]
        async with httpx.AsyncClient(verify=context, trust_env=False, timeout=30) as client:
            answer = await client.get(f"{job['scheme']}://{target}/metrics")
        assert answer.status_code == 200
        found |= set(re.findall(r"^# TYPE (\w+)", answer.text, re.MULTILINE))
    named: set[str] = set()
    for panel in json.loads(files["grafana-dashboard.json"])["panels"]:
        for target in panel["targets"]:
            named |= set(re.findall(r"\b[a-z]+_[a-z0-9_]+\b(?=[\[{ )]|$)", target["expr"]))
    named = {name.removesuffix("_bucket") for name in named} - {"histogram_quantile"}
    named -= {"validation_code"}
    assert len(named) >= 12
    # A counter of what has not happened yet is not there: nothing has failed in this network.
    assert named - found <= {"endorser_endorsement_failures"}


async def test_metrics_need_a_client_certificate(network: Network) -> None:
    """Of the organisation's own nodes; health may be asked by anybody."""
    job = yaml.safe_load(network.monitoring()["prometheus.yml"])["scrape_configs"][-1]
    context = tls_context(Path(job["tls_config"]["ca_file"]))
    target = job["static_configs"][0]["targets"][0]
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=30) as client:
        assert (await client.get(f"https://{target}/healthz")).status_code == 200
        with pytest.raises(httpx.HTTPError):
            (await client.get(f"https://{target}/metrics")).raise_for_status()
