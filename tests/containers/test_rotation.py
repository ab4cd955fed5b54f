"""Certificates are replaced on a network in containers under load, and no call fails."""

from __future__ import annotations

import io
import json
import tarfile
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from containers.test_containers import containers_of, medfab
from integration import recovery_contract
from integration.rotation_help import CHAINCODE, load, topology, valid_once
from integration.test_rotation import config, consenters, identities, nothing_failed, shown, works
from medfab_gateway import FileSystemWallet
from medfab_network import Network
from medfab_network._profile_files import CONSUMER_USER
from medfab_network._rotation import Kind
from medfab_network._rotation_pairs import Pair, serial_of
from medfab_network._services import IMAGES

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def contract(engine: DockerClient) -> AsyncIterator[str]:
    """The chaincode's image, with the contract of the load in it."""
    await medfab("network", "images")
    source = Path(recovery_contract.__file__)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(source, source.name)
    container = engine.containers.create(IMAGES["chaincode"].default, "never run")
    try:
        container.put_archive("/opt/medfab/site", archive.getvalue())
        image = container.commit("medfab/chaincode", "recovery")
    finally:
        container.remove()
    yield image.tags[0]
    engine.images.remove(image.id, force=True)


@pytest.fixture(scope="module")
async def network(
    contract: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(IMAGES["chaincode"].variable, contract)
        network = Network(tmp_path_factory.mktemp("rotation") / "net", topology().with_containers())
        try:
            await network.up()
            yield network
        finally:
            await network.clean()


class CutOff(Exception):
    """What ends a rotation in the midst."""


def cut_off(pair: Pair) -> None:
    raise CutOff


async def test_orderers(
    engine: DockerClient, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off when a channel knows the new certificate alone; `up` puts it into place.

    Once the containers run on, as after a restart of the engine, and once they are gone, as after
    Compose's `down`. Then the rotation goes on.
    """
    before, known = await shown(network, "orderer"), await consenters(network)
    own = identities(network, "orderer")
    for gone in (False, True):
        with monkeypatch.context() as patch:
            patch.setattr(Pair, "replace", cut_off)
            with pytest.raises(CutOff):
                await network.rotate("orderer", Kind.NODE)
        ((node, certificate),) = [
            (node, pem)
            for node in network.topology.ordering.orderers
            if (pem := Pair.tls(network._layout, node.organization, node.name).staged) is not None
        ]
        if gone:
            await network.down()
            containers_of(engine, network)[node.name].remove()
        assert node.name in (await network.up()).started
        serials = {
            serial
            for address, serial in (await shown(network, "orderer")).items()
            if address.startswith(f"{node.name}:")
        }
        assert serials == {serial_of(certificate)}
        assert len(await consenters(network)) == 3

    async with load(network, "orderers") as seen:
        await network.rotate("orderer", Kind.NODE)
    nothing_failed(seen)
    await valid_once(network, "clinic", seen)
    assert not set(before.values()) & set((await shown(network, "orderer")).values())
    assert not set(own.values()) & set(identities(network, "orderer").values())
    now = await consenters(network)
    assert len(now) == 3
    assert not now & known
    assert not network._layout.rotation("orderer").exists()


async def test_a_new_root(network: Network) -> None:
    """Whatever an organisation has is replaced: its authority, peers, chaincode, and people."""
    layout, contract = network._layout, f"{CHAINCODE}.hospital"
    roots = [
        path("hospital").read_bytes() for path in (layout.ca_certificate, layout.tls_ca_certificate)
    ]
    before, own = await shown(network, "hospital"), identities(network, "hospital")
    wallet = FileSystemWallet(network.wallet("hospital"))
    admin, pids = wallet.get("admin"), network.processes()
    for step in ("trust", "renew", "retire"):
        async with load(network, step) as seen:
            report = await network.rotate("hospital", Kind.ROOT)
        assert report.step == step
        nothing_failed(seen)
        await valid_once(network, "clinic", seen)
        if step == "renew":
            assert report.identities == ["admin", CONSUMER_USER, "registrar"]
            assert not set(before.values()) & set((await shown(network, "hospital")).values())
            assert not set(own.values()) & set(identities(network, "hospital").values())
    # A contract in Python takes its new pair while it runs; the others were started again.
    same = {name for name, pid in network.processes().items() if pids[name] == pid}
    assert contract in same
    assert not same & {"ca.hospital", *own}

    assert not await works(network, admin)
    assert await works(network, wallet.get("admin"))
    channel = json.dumps((await config(network)).to_json())
    profile = (network.directory / "consumer" / "connection.json").read_text()
    for root in roots:
        assert b64encode(root).decode() not in channel
        assert json.dumps(root.decode()) not in profile
    consumer = FileSystemWallet(network.directory / "consumer" / "wallet").get(CONSUMER_USER)
    assert consumer.identity == wallet.get(CONSUMER_USER).identity
