"""Fabric's own `configtxgen` makes the same channels of our two descriptions of them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
import yaml
from fabric_protos.common import common_pb2, configtx_pb2

from medfab_network import load_topology
from medfab_network._binaries import ensure_binaries
from medfab_network._configtx import configtx
from medfab_network._layout import Layout
from medfab_network._nodes import NODE_OUS
from medfab_network._progress import Silent

pytestmark = pytest.mark.integration

HAND_WRITTEN = Path(__file__).parents[2] / "configtx.yaml"
TOPOLOGY = load_topology(None)


@pytest.fixture(scope="module")
async def configtxgen() -> Path:
    return (await ensure_binaries(Silent()))["configtxgen"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `up` enrols of the default consortium, as far as channel configurations embed it."""
    folder = tmp_path_factory.mktemp("configtx")
    layout = Layout(folder / ".medfab")
    for organization in TOPOLOGY.all_organizations():
        authority = trustme.CA(organization_name=organization.name)
        msp = layout.msp(organization.name)
        for name in ("cacerts", "tlscacerts"):
            (msp / name).mkdir(parents=True)
            authority.cert_pem.write_to_path(msp / name / "ca.pem")
        (msp / "config.yaml").write_text(NODE_OUS)
        for orderer in organization.orderers:
            tls = layout.tls(organization.name, orderer.name)
            tls.mkdir(parents=True)
            issued = authority.issue_cert(orderer.name, "127.0.0.1")
            issued.cert_chain_pems[0].write_to_path(tls / "cert.pem")
    shutil.copy(HAND_WRITTEN, folder / "configtx.yaml")
    (folder / "rendered").mkdir()
    (folder / "rendered" / "configtx.yaml").write_text(yaml.safe_dump(configtx(TOPOLOGY, layout)))
    return folder


def genesis(program: Path, config_path: Path, channel: str) -> bytes:
    block = config_path / f"{channel}.block"
    arguments = ["-profile", channel, "-channelID", channel, "-outputBlock", str(block)]
    run = subprocess.run(
        [program, "-configPath", str(config_path), *arguments],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert run.returncode == 0, run.stderr
    return block.read_bytes()


def leaves(block: bytes) -> dict[str, object]:
    """Path in the channel's configuration → the message there: values, policies, versions."""
    decoded = common_pb2.Block.FromString(block)
    envelope = common_pb2.Envelope.FromString(decoded.data.data[0])
    payload = common_pb2.Payload.FromString(envelope.payload)
    config = configtx_pb2.ConfigEnvelope.FromString(payload.data).config
    return dict(_below("", config.channel_group))


def _below(path: str, group: configtx_pb2.ConfigGroup) -> Iterator[tuple[str, object]]:
    yield f"{path}/mod_policy", (group.version, group.mod_policy)
    for name, value in group.values.items():
        yield f"{path}/{name}", value
    for name, policy in group.policies.items():
        yield f"{path}/policies/{name}", policy
    for name, below in group.groups.items():
        yield from _below(f"{path}/{name}", below)


@pytest.mark.parametrize("channel", [channel.name for channel in TOPOLOGY.channels])
def test_the_hand_written_file_says_the_same(configtxgen: Path, folder: Path, channel: str) -> None:
    by_hand = leaves(genesis(configtxgen, folder, channel))
    rendered = leaves(genesis(configtxgen, folder / "rendered", channel))
    assert sorted(by_hand) == sorted(rendered)
    assert {path for path, message in by_hand.items() if message != rendered[path]} == set()
    members = {TOPOLOGY.organization(o).msp_id for o in TOPOLOGY.channel(channel).organizations}
    assert {path.split("/")[2] for path in rendered if path.endswith("/AnchorPeers")} == members
    assert "/Orderer/OrdererMSP/Endpoints" in rendered
    assert not any(path.endswith("/OrdererAddresses") for path in rendered)


def test_a_profile_for_each_channel_and_no_more() -> None:
    by_hand = yaml.safe_load(HAND_WRITTEN.read_text())
    assert sorted(by_hand["Profiles"]) == sorted(channel.name for channel in TOPOLOGY.channels)


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("BatchTimeout: 250ms", "BatchTimeout: 251ms", "/Orderer/BatchTimeout"),
        ("MAJORITY Endorsement", "ANY Endorsement", "/Application/policies/Endorsement"),
        ("Port: 17042", "Port: 17043", "/Application/HospitalMSP/AnchorPeers"),
        ("OR('ClinicMSP.admin')", "OR('ClinicMSP.peer')", "/Application/ClinicMSP/policies/Admins"),
    ],
)
def test_the_comparison_sees_a_difference(
    configtxgen: Path, folder: Path, tmp_path: Path, old: str, new: str, path: str
) -> None:
    text = HAND_WRITTEN.read_text().replace(".medfab/", f"{folder}/.medfab/")
    assert old in text
    (tmp_path / "configtx.yaml").write_text(text.replace(old, new))
    changed = leaves(genesis(configtxgen, tmp_path, "care"))
    rendered = leaves(genesis(configtxgen, folder / "rendered", "care"))
    assert path in {place for place, message in changed.items() if message != rendered[place]}
