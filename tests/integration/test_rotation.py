"""Certificates of every kind are replaced on a network under load, and no call fails.

Then an organisation loses all that it has, and comes back from its backup: the same network serves
both, in the order in which the tests stand here.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from integration.network_help import MEDFAB
from integration.rotation_help import (
    CHAINCODE,
    CHANNEL,
    Load,
    connect,
    load,
    topology,
    valid_once,
)
from medfab_gateway import AsyncGateway, FileSystemWallet
from medfab_gateway.admin import AsyncChannelAdmin, ChannelConfig
from medfab_gateway.ca import AuthenticationFailedError, Credential, RevocationList
from medfab_gateway.errors import EvaluateError, GatewayError
from medfab_gateway.wallet import WalletEntry
from medfab_network import Network, User
from medfab_network._access import Access
from medfab_network._presented import presented
from medfab_network._rotation import Kind
from medfab_network._rotation_pairs import Pair, serial_of
from medfab_network.errors import NetworkError
from medfab_network.topology import Node
from pages import blocks, ran

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        network = Network(tmp_path_factory.mktemp("rotation") / "net", topology())
        try:
            await network.up()
            yield network
        finally:
            await network.clean()


def nodes(network: Network, organization: str) -> list[Node]:
    return [
        node
        for node in network.topology.nodes()
        if node.organization == organization and node.kind != "ca"
    ]


async def shown(network: Network, organization: str) -> dict[str, int]:
    """Serial number of what each node shows, by address: where it serves, and for operations."""
    found = {}
    for node in nodes(network, organization):
        for port in (node.port, node.operations_port, node.admin_port):
            if port is not None:
                pem = await presented(node, port)
                assert pem is not None, node
                found[f"{node.name}:{port}"] = serial_of(pem)
    return found


def identities(network: Network, organization: str) -> dict[str, int]:
    return {
        node.name: Pair.sign(network._layout, organization, node.name).serial
        for node in nodes(network, organization)
        if node.kind != "chaincode"
    }


async def config(network: Network) -> ChannelConfig:
    lab = network.topology.organization("lab")
    access = Access(network._layout)
    entry = access.entry("lab", "admin")
    endpoint = access.endpoint(lab.peers[0])
    async with AsyncChannelAdmin(endpoint, entry.identity, entry.signer()) as channels:
        return await channels.config(CHANNEL)


async def consenters(network: Network) -> set[int]:
    """Serial numbers of the TLS certificates by which the channel knows its orderers."""
    text = json.dumps((await config(network)).to_json())
    found = set()
    for node in network.topology.ordering.orderers:
        pem = Pair.tls(network._layout, node.organization, node.name).certificate.read_bytes()
        if b64encode(pem).decode() in text:
            found.add(serial_of(pem))
    return found


def nothing_failed(seen: Load) -> None:
    assert seen.failures == []
    assert seen.reads
    assert seen.acknowledged


async def test_tls_certificates_of_peers_and_chaincodes(network: Network) -> None:
    before = await shown(network, "hospital")
    async with load(network, "tls") as seen:
        report = await network.rotate("hospital", Kind.TLS)
    nothing_failed(seen)
    after = await shown(network, "hospital")
    assert set(before) == set(after)
    assert not set(before.values()) & set(after.values())
    assert [row["node"] for row in report.replaced] == [
        "peer0.hospital",
        "peer1.hospital",
        "recovery.hospital",
    ]
    await valid_once(network, "clinic", seen)


async def test_identities_of_peers(network: Network) -> None:
    before, tls = identities(network, "hospital"), await shown(network, "hospital")
    async with load(network, "sign") as seen:
        await network.rotate("hospital", Kind.SIGN)
        # The new identity endorses: the last transactions carry it.
        async with connect(network) as gateway:
            height = await network.ledger_height("hospital", CHANNEL)
    nothing_failed(seen)
    after = identities(network, "hospital")
    assert not set(before.values()) & set(after.values())
    assert await shown(network, "hospital") == tls
    endorsers = set[int]()
    async with (
        connect(network, "lab") as gateway,
        gateway.network(CHANNEL).block_events(height - 1) as blocks,
        load(network, "endorsed"),
    ):
        async for block in blocks:
            for transaction in block.transactions:
                endorsers |= {
                    serial_of(each.certificate)
                    for each in transaction.endorsers
                    if each.msp_id == "HospitalMSP"
                }
            if endorsers & set(after.values()):
                break
    assert not endorsers & set(before.values())


async def test_tls_certificates_of_orderers(network: Network) -> None:
    """Cut off after the first orderer by Ctrl-C, and again by `kill -9`; then it goes on."""
    before, known = await shown(network, "orderer"), await consenters(network)
    assert len(known) == 3
    command = [str(MEDFAB), "network", "rotate", "--kind", "tls", "--org", "orderer"]
    command += ["--dir", str(network.directory), "--json"]
    journal = network._layout.rotation("orderer")
    async with load(network, "orderers") as seen:
        for number, (done, how) in enumerate(((1, signal.SIGINT), (2, signal.SIGKILL))):
            cut_off = await asyncio.create_subprocess_exec(
                *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            while cut_off.returncode is None and len(_done(journal)) < done:
                await asyncio.sleep(0.02)
            cut_off.send_signal(how)
            await cut_off.communicate()
            assert cut_off.returncode in (130, -9), number
        with pytest.raises(NetworkError, match="another rotation has not ended"):
            await network.rotate("orderer", Kind.SIGN)
        last = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        printed, errors = await last.communicate()
        assert last.returncode == 0, errors.decode()
    nothing_failed(seen)
    assert {row["kind"] for row in json.loads(printed)["replaced"]} == {"tls"}
    assert not journal.exists()
    after = await shown(network, "orderer")
    assert not set(before.values()) & set(after.values())
    now = await consenters(network)
    assert len(now) == 3
    assert not now & known
    await valid_once(network, "clinic", seen)


def _done(journal: Path) -> list[str]:
    try:
        return [step for step in json.loads(journal.read_text())["done"] if ":" not in step]
    except (OSError, ValueError):
        return []


async def test_identities_of_orderers(network: Network) -> None:
    before = identities(network, "orderer")
    async with load(network, "orderers-sign") as seen:
        await network.rotate("orderer", Kind.SIGN)
    nothing_failed(seen)
    assert not set(before.values()) & set(identities(network, "orderer").values())


async def test_a_new_root(network: Network) -> None:
    """Both are trusted, everybody moves, and what the old one has issued is refused."""
    old_root_pem = network._layout.ca_certificate("hospital").read_bytes()
    old_tls_root = network._layout.tls_ca_certificate("hospital").read_bytes()
    old_admin = FileSystemWallet(network.wallet("hospital")).get("admin")
    async with load(network, "trust") as seen:
        report = await network.rotate("hospital", Kind.ROOT)
    assert report.step == "trust"
    nothing_failed(seen)
    async with load(network, "renew") as seen:  # with a profile that has both
        report = await network.rotate("hospital", Kind.ROOT)
    assert (report.step, report.identities) == ("renew", ["admin", "registrar"])
    nothing_failed(seen)
    assert await works(network, old_admin)
    async with load(network, "retire") as seen:  # with a certificate of the new one
        report = await network.rotate("hospital", Kind.ROOT)
    assert report.step == "retire"
    nothing_failed(seen)
    await valid_once(network, "clinic", seen)

    text = json.dumps((await config(network)).to_json())
    for pem in (old_root_pem, old_tls_root):
        assert b64encode(pem).decode() not in text
    for path in network._layout.organization("hospital").rglob("*.pem"):
        if "keystore" not in path.parts:
            assert path.read_bytes() not in (old_root_pem, old_tls_root), path
    assert not await works(network, old_admin)
    member = network.topology.organization("hospital")
    async with Access(network._layout).certificate_authority(member) as authority:
        with pytest.raises(AuthenticationFailedError):
            await authority.reenroll(
                Credential(certificate=old_admin.identity.certificate, signer=old_admin.signer())
            )


async def works(network: Network, entry: WalletEntry) -> bool:
    """Whether the clinic's peer accepts a call of the identity."""
    clinic = network.topology.organization("clinic")
    endpoint = Access(network._layout).endpoint(clinic.peers[0])
    async with AsyncGateway.connect(endpoint, entry.identity, entry.signer()) as gateway:
        try:
            await gateway.network(CHANNEL).contract(CHAINCODE).evaluate("Read", "none")
        except GatewayError:
            return False
    return True


# --- the loss of everything -------------------------------------------------------------------

OWN = "_implicit_org_HospitalMSP"
PAGE = "docs/disaster-recovery.md"


async def keep(network: Network, collection: str, name: str) -> None:
    async with connect(network) as gateway:
        members = ["HospitalMSP"] if collection == OWN else ["HospitalMSP", "LabMSP"]
        await (
            gateway.network(CHANNEL)
            .contract(CHAINCODE)
            .submit(
                "Keep",
                collection,
                name,
                transient={"secret": f"secret of {name}".encode()},
                endorsing_organizations=members,
            )
        )


async def show(network: Network, peer: Node, collection: str, name: str) -> bytes:
    """What this very peer has; nothing where it has the hash alone."""
    access = Access(network._layout)
    entry = access.entry("hospital", "admin")
    endpoint = access.endpoint(peer)
    async with AsyncGateway.connect(endpoint, entry.identity, entry.signer()) as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)
        try:
            return await contract.evaluate(
                "Show", collection, name, target_organizations=["HospitalMSP"]
            )
        except EvaluateError as error:
            if "the contract failed" not in str(error):  # at what its peer cannot give it
                raise
            return b""


async def shell(network: Network, folder: Path, script: str) -> tuple[int, str, str]:
    """Run a page's block, on this network: exit code and what was printed; the load goes on."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-e", "-c", script),
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{MEDFAB.parent}:{os.environ['PATH']}",
            "MEDFAB_DIR": str(network.directory),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    printed, errors = await process.communicate()
    return process.returncode or 0, printed.decode(), errors.decode()


async def commit_hashes(network: Network) -> dict[str, bytes | None]:
    """What each peer's state came to with the newest block that all have; it covers all before."""
    access = Access(network._layout)
    peers = [peer for member in network.topology.organizations for peer in member.peers]
    heights = []
    for peer in peers:
        async with access.peer_admin(peer) as admin:
            heights.append((await admin.chain_info(CHANNEL)).height)
    found = {}
    for peer in peers:
        async with access.peer_admin(peer) as admin:
            block = await admin.block_by_number(CHANNEL, min(heights) - 1)
            found[peer.name] = block.metadata.commit_hash
    return found


async def test_a_whole_organisation_is_lost(network: Network, tmp_path: Path) -> None:
    """Its directory and processes are gone; the others go on; it comes back from its backup.

    With the commands of the page, docs/disaster-recovery.md.
    """
    back_up, bring_back = (block.text for block in blocks(PAGE) if not block.is_output)
    hospital = network.topology.organization("hospital")
    folder = network._layout.organization("hospital")
    archive = tmp_path / "hospital.backup"
    await network.enrol_user("hospital", User(name="lee"))
    lee = FileSystemWallet(network.wallet("hospital")).get("lee")
    await keep(network, "shared", "before")
    await keep(network, OWN, "before")

    async with load(network, "backup") as backed_up:
        code, printed, errors = await shell(network, tmp_path, back_up)
        assert code == 0, errors
    nothing_failed(backed_up)  # with two peers, one after the other
    assert "peer0.hospital was down for" in printed
    assert "peer1.hospital was down for" in printed
    assert archive.stat().st_mode & 0o777 == 0o600
    assert b"secret of before" not in archive.read_bytes()

    await keep(network, "shared", "after")
    await keep(network, OWN, "after")
    code, _, errors = await shell(
        network, tmp_path, "medfab ca revoke lee --org hospital --channel care --yes"
    )
    assert code == 0, errors
    async with load(network, "last") as acknowledged:
        pass

    running = network.processes()
    for node in network.topology.nodes():
        if node.organization == "hospital":
            os.kill(running[node.name], signal.SIGKILL)
    shutil.rmtree(folder)

    async with load(network, "without", "clinic") as without:
        content = archive.read_bytes()
        archive.write_bytes(content[:-100])
        code, _, errors = await shell(network, tmp_path, bring_back)
        archive.write_bytes(content)
        assert code == 1
        assert "cut off or changed" in errors
        others = [path.name for path in folder.parent.iterdir()]
        assert sorted(others) == ["clinic", "lab", "orderer"]
        code, printed, errors = await shell(network, tmp_path, bring_back)
        assert code == 0, errors
    nothing_failed(without)
    ran(PAGE, back_up, bring_back)
    print(printed)

    for seen in (backed_up, acknowledged, without):
        await valid_once(network, "hospital", seen)
    async with load(network, "again") as again:
        pass
    nothing_failed(again)
    assert len(set((await commit_hashes(network)).values())) == 1

    for peer in hospital.peers:  # what others have as well came back; what nobody has is named
        assert await show(network, peer, "shared", "before") == b"secret of before"
        assert await show(network, peer, "shared", "after") == b"secret of after"
        assert await show(network, peer, OWN, "before") == b"secret of before"
        assert await show(network, peer, OWN, "after") != b"secret of after"
    assert f"Lost: 1 transactions after the backup wrote to {OWN} of {CHAINCODE}" in printed

    # The backup knew nothing of the revocation; the restored authority does.
    assert "revoked again: 1 certificates; may enrol no more: lee." in printed
    code, _, errors = await shell(
        network, tmp_path, "medfab ca crl make --org hospital --file hospital.crl"
    )
    assert code == 0, errors
    revocations = RevocationList((tmp_path / "hospital.crl").read_bytes())
    assert lee.identity.x509.serial_number in revocations
    await network.enrol_user("hospital", User(name="new"))  # it issues
    async with Access(network._layout).certificate_authority(hospital) as authority:
        with pytest.raises(AuthenticationFailedError):
            await authority.reenroll(
                Credential(certificate=lee.identity.certificate, signer=lee.signer())
            )

    await the_files_alone(network, tmp_path)


async def the_files_alone(network: Network, folder: Path) -> None:
    """On another machine, of which only the disk is another here: an empty folder."""
    command = "medfab network restore hospital.backup --key-file backup.key --dir elsewhere"
    code, _, errors = await shell(network, folder, command)
    assert code == 4, errors
    assert "no orderer runs here" in errors
    assert "--files-only" in errors
    assert not (folder / "elsewhere" / "topology.yaml").exists()  # else `up` would make a network
    code, printed, errors = await shell(network, folder, f"{command} --files-only")
    assert code == 0, errors
    assert "Nothing was started" in printed
    elsewhere = Network(folder / "elsewhere")
    assert elsewhere.processes() == {}
    wallet = FileSystemWallet(elsewhere.wallet("hospital"))
    assert wallet.get("lee").signer()(b"0" * 32)
    for peer in network.topology.organization("hospital").peers:
        for ours, theirs in zip(
            *(
                sorted((each._layout.node("hospital", peer.name)).rglob("*.pem"))
                for each in (network, elsewhere)
            ),
            strict=True,
        ):
            assert ours.read_bytes() == theirs.read_bytes(), theirs
    code, _, errors = await shell(network, folder, f"{command} --files-only")
    assert code == 6, errors
    assert "a restore replaces nothing" in errors
