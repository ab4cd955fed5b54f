"""An organisation in containers is lost with its volumes, and comes back from its backup.

What comes back is as with processes (tests/integration/test_rotation.py); here it is about volumes.
"""

from __future__ import annotations

import asyncio
import io
import secrets
import shutil
import tarfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from containers.test_container_faults import _is_well
from containers.test_containers import containers_of, medfab
from integration.network_help import CHAINCODE, CHANNEL, MEDFAB, is_registered, register_patient
from medfab_gateway import FileSystemWallet
from medfab_gateway.ca import AuthenticationFailedError, Credential
from medfab_gateway.ehr import AsyncPatient, AsyncProvider, Filing, FilingKey, example_bundle
from medfab_gateway.errors import EvaluateError
from medfab_network import Network, User
from medfab_network._access import Access
from medfab_network._archive import Manifest, verified
from medfab_network._containers import Containers, node_user
from medfab_network._sealed import Secret
from medfab_network.errors import DirectoryError, EngineError

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.integration
OWN = "_implicit_org_HospitalMSP"


async def refused(*arguments: str) -> str:
    """What a command says that must not succeed."""
    process = await asyncio.create_subprocess_exec(
        MEDFAB, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode
    return errors.decode()


async def enrol(network: Network, name: str, kind: str) -> str:
    """Returns the person's pseudonym."""
    pseudonym = secrets.token_hex(16)
    attributes = {"medfab.role": kind, f"medfab.{kind}": pseudonym}
    await network.enrol_user("hospital", User(name=name, attributes=attributes))
    return pseudonym


async def file_records(network: Network, patient: str, pseudonym: str) -> None:
    """Health records: private data that the hospital alone has."""
    async with network.gateway("hospital", patient) as gateway:
        await AsyncPatient(gateway.network(CHANNEL).contract(CHAINCODE)).register()
    async with network.gateway("hospital", "filer") as gateway:
        provider = AsyncProvider(
            gateway.network(CHANNEL).contract(CHAINCODE),
            msp_id="HospitalMSP",
            filing_key=FilingKey(secrets.token_bytes(32)),
        )
        await provider.file_bundle(pseudonym, example_bundle())


async def filings(network: Network, patient: str) -> tuple[Filing, ...]:
    async with network.gateway("hospital", patient) as gateway:
        contract = AsyncPatient(gateway.network(CHANNEL).contract(CHAINCODE))
        return await contract.filings("HospitalMSP")


def manifest(archive: Path, key: Path) -> Manifest:
    return verified(archive, Secret.from_files(key, None))


@pytest.fixture
async def elsewhere(tmp_path: Path) -> AsyncIterator[Path]:
    """An empty directory; what comes into it is deleted, volumes too."""
    yield tmp_path / "elsewhere"
    await Network(tmp_path / "elsewhere").clean()


async def test_an_organisation_comes_back(
    engine: DockerClient, network: Network, elsewhere: Path, tmp_path: Path
) -> None:
    here = ("--dir", str(network.directory))
    key, archive = tmp_path / "backup.key", tmp_path / "hospital.backup"
    key.touch(0o600)
    key.write_bytes(secrets.token_bytes(32))
    sealed = ("--key-file", str(key))
    people = {name: await enrol(network, name, "patient") for name in ("early", "late", "lee")}
    await enrol(network, "filer", "practitioner")
    lee = FileSystemWallet(network.wallet("hospital")).get("lee")
    await file_records(network, "early", people["early"])

    backup = ("network", "backup", "--org", "hospital")
    printed = await medfab(*backup, "--to", str(archive), *sealed, *here)
    assert "peer0.hospital was down for" in printed
    ledger = [n for n in manifest(archive, key).files if "/peer0.hospital/data/" in n]
    assert any("/ledgersData/chains/chains/" in name for name in ledger)

    await file_records(network, "late", people["late"])
    options = ("--org", "hospital", "--channel", CHANNEL, "--yes")
    await medfab("ca", "revoke", "lee", *options, *here)

    own = [n for n in network.topology.nodes() if n.organization == "hospital"]
    for node in own:
        await asyncio.to_thread(containers_of(engine, network)[node.name].remove, force=True)
    folder = network._layout.organization("hospital")
    shutil.rmtree(folder)
    others = await register_patient(network, "clinic")

    restore = ("network", "restore", str(archive), *sealed)
    said = await refused(*restore, *here)  # the volume is there yet
    assert "docker volume rm" in said
    volume = said.split("`docker volume rm ")[1].split("`")[0]
    engine.volumes.get(volume).remove()
    printed = await medfab(*restore, *here)
    assert f"wrote to {OWN} of {CHAINCODE} on {CHANNEL}; nobody else has" in printed
    assert "revoked again: 1 certificates; may enrol no more: lee." in printed
    assert "a restore replaces nothing" in await refused(*restore, *here)

    await _is_well(network)
    assert await is_registered(network, others, "clinic")
    assert await is_registered(network, "late", "hospital")
    assert len(await filings(network, "early")) == 1
    with pytest.raises(EvaluateError):
        await filings(network, "late")
    assert await is_registered(network, await register_patient(network))
    hospital = network.topology.organization("hospital")
    async with Access(network._layout).certificate_authority(hospital) as authority:
        with pytest.raises(AuthenticationFailedError):
            await authority.reenroll(
                Credential(certificate=lee.identity.certificate, signer=lee.signer())
            )

    # Of another machine only the directory is another here. What is there then is what was saved.
    there = ("--dir", str(elsewhere))
    assert "no orderer runs here" in await refused(*restore, *there)
    printed = await medfab(*restore, "--files-only", *there)
    assert "Nothing was started" in printed
    again = tmp_path / "again.backup"
    await medfab(*backup, "--to", str(again), *sealed, *there)
    first, second = manifest(archive, key).files, manifest(again, key).files
    assert {n for n in first if not n.endswith(".db")} == {n for n in second if n[-3:] != ".db"}
    assert {n: first[n] for n in ledger} == {n: second[n] for n in ledger}


def put(name: str, content: bytes) -> tuple[tarfile.TarInfo, io.BytesIO]:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o640
    return entry, io.BytesIO(content)


@pytest.fixture
def containers(network: Network, tmp_path: Path) -> Iterator[Containers]:
    """Of another directory, in which none runs."""
    containers = Containers(tmp_path, network.topology)
    yield containers
    containers.remove()


async def test_a_volume_is_filled_whole_or_not_at_all(
    engine: DockerClient, network: Network, containers: Containers, tmp_path: Path
) -> None:
    """Two peers; what goes wrong with the second leaves nothing of the first."""
    first, second = (network.topology.organization(n).peers[0] for n in ("hospital", "clinic"))
    large = secrets.token_bytes(1 << 20) * 20

    def left() -> list[str]:
        project = containers.project
        found = [*engine.volumes.list(), *engine.containers.list(all=True)]
        return sorted(each.name for each in found if each.name.startswith(project))

    def fill(last: tuple[str, bytes] | None) -> None:
        with containers.new_data({first: tmp_path, second: tmp_path}) as put_data:
            put_data(first, *put("chains/a", large))
            put_data(first, *put("chains/index/b", b""))
            put_data(second, *put("c", large))
            if last is None:
                raise RuntimeError("half way")
            put_data(second, *put(*last))

    with pytest.raises(RuntimeError, match="half way"):
        fill(None)
    assert left() == []
    with pytest.raises(EngineError, match="the Docker engine says"):
        fill(("d" * 300, b"a name that no file system takes"))
    assert left() == []
    containers.check_no_data([first, second])
    fill(("d", b""))
    assert len(left()) == 2
    with pytest.raises(DirectoryError, match="docker volume rm"):
        containers.check_no_data([first, second])
    for node, names in ((first, {"chains/a", "chains/index/b"}), (second, {"c", "d"})):
        found = {entry.name: (entry, file.read()) for entry, file in containers.data_files(node)}
        assert set(found) == names
        assert {(e.uid, e.mode) for e, _ in found.values()} == {(_own_uid(), 0o640)}
        assert large in [content for _, content in found.values()]
    files = containers.data_files(second)
    next(files)
    files.close()  # who stops reading leaves nothing that holds on to the volume
    await containers.forget(first)
    await containers.forget(second)
    assert left() == []


def _own_uid() -> int:
    return int(node_user().split(":")[0])
