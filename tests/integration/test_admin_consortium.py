"""Administration on a real network: what Fabric's programs say of the same, changes that several
organisations sign, an organisation that joins while transactions flow, orderers that come and go.

The tests are in an order: the network is theirs together, and it grows.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from integration.admin_help import CHAINCODE, CHANNEL, Admin, larger_topology, running_consortium
from integration.admin_wrong import commands, put_strangers
from medfab_gateway.admin import (
    AsyncLifecycle,
    ChannelConfig,
    ConfigEditor,
    ConfigUpdateRequest,
    OrganizationDefinition,
    UpdateConflictError,
    UpdateNotSignedError,
    package_id,
)
from medfab_network import Network
from medfab_network._binaries import Binaries
from medfab_network._configtx import configtx
from medfab_network._layout import Layout

pytestmark = pytest.mark.integration

SECONDS = 90  # to wait for something; far more than it takes


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    async with running_consortium(tmp_path_factory.mktemp("administration") / "net") as network:
        yield network


@pytest.fixture(scope="module")
def hospital(network: Network, binaries: Binaries) -> Admin:
    return Admin(network, "hospital", binaries)


@pytest.fixture(scope="module")
def clinic(network: Network, binaries: Binaries) -> Admin:
    return Admin(network, "clinic", binaries)


@pytest.fixture(scope="module")
def orderer(network: Network, binaries: Binaries) -> Admin:
    return Admin(network, "orderer", binaries)


# --- Fabric's programs agree --------------------------------------------------------------------


def test_configtxlator_reads_the_configuration_alike(hospital: Admin, tmp_path: Path) -> None:
    config, decoded = tmp_path / "config.pb", tmp_path / "config.json"
    ours = hospital.json("channel", "config", "--out", config)
    hospital.fabric(
        *("configtxlator", "proto_decode", "--type", "common.Config"),
        *("--input", config, "--output", decoded),
    )
    assert json.loads(decoded.read_text()) == ours


def test_peer_fetches_the_same_blocks(hospital: Admin, clinic: Admin, tmp_path: Path) -> None:
    for which in ("0", "config", "newest"):
        ours, theirs = tmp_path / f"ours-{which}", tmp_path / f"theirs-{which}"
        hospital("block", "fetch", which, "--out", ours)
        arguments = ("peer", "channel", "fetch", which, theirs, "-c", CHANNEL)
        hospital.fabric(*arguments, *hospital.ordering())
        assert data_of(ours) == data_of(theirs)
    root = Layout(hospital.network.directory).tls_ca_certificate("orderer")
    node = hospital.network.topology.ordering.orderers[1]
    for which in ("0", "config"):
        ours = tmp_path / f"orderer-{which}"
        clinic("block", "fetch", which, "--out", ours, "--orderer", node.address, "--tls-ca", root)
        assert data_of(ours) == data_of(tmp_path / f"theirs-{which}")


def data_of(file: Path) -> tuple[int, bytes]:
    """Number and hash of the contents: what peers add to a block when they validate it differs."""
    from medfab_gateway import decode_block

    block = decode_block(file.read_bytes())
    return block.number, block.data_hash


def test_peer_tells_the_same_of_the_ledger(hospital: Admin) -> None:
    text = hospital.fabric("peer", "channel", "getinfo", "-c", CHANNEL).decode()
    theirs = json.loads(text.partition(":")[2])
    import base64

    ours = hospital.json("channel", "info")
    assert ours["height"] == theirs["height"]
    for name, hash_of in (("current", "currentBlockHash"), ("previous", "previousBlockHash")):
        assert bytes.fromhex(ours[f"{name}_block_hash"]) == base64.b64decode(theirs[hash_of])
    listed = hospital.fabric("peer", "channel", "list").decode().split()
    assert listed[-1:] == [CHANNEL]
    assert [row["channel"] for row in hospital.json("channel", "list")] == [CHANNEL]


def test_a_block_by_number_hash_and_transaction(hospital: Admin) -> None:
    block = hospital.json("block", "show", "1")
    assert hospital.json("block", "show", "--hash", block["hash"]) == block
    transaction = block["transactions"][0]
    identifier = transaction["transaction_id"]
    assert hospital.json("block", "show", "--transaction", identifier) == block
    found = hospital.json("block", "transaction", identifier)
    assert (found["block"], found["code"]) == (1, "VALID")
    assert found["chaincode"] == "_lifecycle"


async def test_a_processed_transaction_is_the_blocks(hospital: Admin) -> None:
    from fabric_protos.peer import transaction_pb2

    async with hospital.peer() as peer:
        block = await peer.block_by_number(CHANNEL, 1)
        [first, *_] = block.transactions
        raw = await peer.processed_transaction(CHANNEL, first.transaction_id)
    processed = transaction_pb2.ProcessedTransaction.FromString(raw)
    assert processed.transactionEnvelope.SerializeToString() == first.envelope
    assert processed.validationCode == transaction_pb2.VALID


def test_peer_queries_the_same_definition(hospital: Admin) -> None:
    arguments = ("peer", "lifecycle", "chaincode", "querycommitted", "-C", CHANNEL)
    theirs = json.loads(hospital.fabric(*arguments, "-n", CHAINCODE, "--output", "json"))
    ours = hospital.json("chaincode", "query", CHAINCODE)
    assert (ours["version"], ours["sequence"]) == (theirs["version"], theirs["sequence"])
    assert ours["approved_by"] == sorted(n for n, yes in theirs["approvals"].items() if yes)
    arguments = ("peer", "lifecycle", "chaincode", "queryinstalled", "--output", "json")
    [installed] = json.loads(hospital.fabric(*arguments))["installed_chaincodes"]
    [row] = hospital.json("chaincode", "installed")
    assert row["package_id"] == installed["package_id"]


def test_an_installed_package_comes_back(hospital: Admin, tmp_path: Path) -> None:
    [row] = hospital.json("chaincode", "installed")
    ours = tmp_path / "ours.tgz"
    hospital("chaincode", "fetch", row["package_id"], "--out", ours)
    assert package_id(ours.read_bytes()) == row["package_id"]
    arguments = ("--package-id", row["package_id"], "--output-directory", tmp_path)
    hospital.fabric("peer", "lifecycle", "chaincode", "getinstalledpackage", *arguments)
    [theirs] = tmp_path.glob(f"{CHAINCODE}*.tar.gz")
    assert theirs.read_bytes() == ours.read_bytes()
    hospital("chaincode", "package", row["label"], "--out", tmp_path / "made.tgz")
    assert (
        hospital.json("chaincode", "id", tmp_path / "made.tgz")["package_id"] == row["package_id"]
    )
    hospital.fabric("peer", "lifecycle", "chaincode", "calculatepackageid", tmp_path / "made.tgz")


def test_discover_finds_the_same(hospital: Admin) -> None:
    root = Layout(hospital.network.directory).tls_ca_certificate("hospital")
    folder = hospital._msp_folder()
    address = hospital.network.topology.organization("hospital").peers[0].address

    def discover(query: str, *more: str) -> Any:
        return json.loads(
            hospital.fabric(
                *("discover", "--peerTLSCA", root),
                *("--userKey", folder / "keystore/key.pem"),
                *("--userCert", folder / "signcerts/cert.pem", "--MSP", "HospitalMSP"),
                *(query, "--channel", CHANNEL, "--server", address, *more),
            )
        )

    theirs = discover("peers")
    ours = hospital.json("channel", "peers")
    assert {(row["peer"], row["msp_id"]) for row in ours} == {
        (each["Endpoint"], each["MSPID"]) for each in theirs
    }
    [descriptor] = discover("endorsers", "--chaincode", CHAINCODE)
    found = hospital.json("chaincode", "endorsers", CHAINCODE)
    assert len(found["combinations"]) == len(descriptor["Layouts"])
    assert sum(found["combinations"][0].values()) == 2
    config = discover("config")
    members = {row["msp_id"] for row in hospital.json("org", "list")}
    assert members == set(config["msps"])


def test_osnadmin_lists_the_same(orderer: Admin) -> None:
    layout = Layout(orderer.network.directory)
    tls = layout.tls("orderer", "admin")
    url = f"localhost:{orderer.network.topology.ordering.orderers[0].admin_port}"
    ours = orderer.json("channel", "orderer", "list", *participation(orderer, 0))
    shown = orderer.fabric(
        *("osnadmin", "channel", "list", "-o", url, "--ca-file", tls / "ca.pem"),
        *("--client-cert", tls / "cert.pem", "--client-key", tls / "key.pem"),
    )
    theirs = json.loads(shown[shown.index(b"{") :])
    assert [row["channel"] for row in ours] == [each["name"] for each in theirs["channels"]]
    assert ours[0]["relation"] == "consenter"


def participation(admin: Admin, number: int) -> list[str]:
    tls = Layout(admin.network.directory).tls("orderer", "admin")
    port = admin.network.topology.ordering.orderers[number].admin_port
    return [
        *("--url", f"https://localhost:{port}", "--tls-ca", str(tls / "ca.pem")),
        *("--tls-certificate", str(tls / "cert.pem"), "--tls-key", str(tls / "key.pem")),
    ]


def test_configtxgen_makes_the_same_definition(
    hospital: Admin, binaries: Binaries, tmp_path: Path
) -> None:
    import yaml

    topology = hospital.network.topology
    layout = Layout(hospital.network.directory)
    profile = configtx(topology, layout)["Profiles"][CHANNEL]
    members = profile["Application"]["Organizations"]
    (tmp_path / "configtx.yaml").write_text(yaml.safe_dump({"Organizations": members}))
    printed = hospital.fabric(
        "configtxgen", "-printOrg", "HospitalMSP", "-configPath", tmp_path
    ).decode()
    out = tmp_path / "hospital.json"
    port = topology.organization("hospital").peers[0].port
    hospital("org", "definition", "--anchor", f"127.0.0.1:{port}", "--out", out)
    ours = OrganizationDefinition.from_json(out.read_text())
    theirs = OrganizationDefinition.from_json(printed)
    assert ours.fingerprints == theirs.fingerprints
    assert ours == OrganizationDefinition.from_json(ours.to_json())
    ours_json, theirs_json = (json.loads(each.to_json()) for each in (ours, theirs))
    ours_json["values"].pop("AnchorPeers")  # configtxgen prints none
    theirs_json["values"].pop("AnchorPeers", None)
    assert ours_json == theirs_json


# --- changes that several organisations sign ----------------------------------------------------


def test_half_signed_then_signed_with_fabrics_peer_between_ours(
    hospital: Admin, clinic: Admin, tmp_path: Path
) -> None:
    """Access rules need both organisations: one signature is ours, the other that of `peer`."""
    update = tmp_path / "update.pb"
    before = hospital.config()
    hospital("channel", "edit", "acl", "qscc/GetBlockByHash", "Readers", "--out", update)
    shown = clinic.json("channel", "update", "show", update)
    assert (shown["state"], shown["signed_by"]) == ("pending", ["HospitalMSP"])
    assert [each["path"] for each in shown["changes"]] == ["/Channel/Application/ACLs"]
    refused = clinic("channel", "update", "submit", update, code=3)
    assert "asks for the Admins of 2 organisations and has 1" in refused.stderr
    assert hospital.config() == before
    clinic.fabric("peer", "channel", "signconfigtx", "-f", update)
    signers = [each.msp_id for each in ConfigUpdateRequest.from_bytes(update.read_bytes()).signers]
    assert signers == ["HospitalMSP", "ClinicMSP"]
    done = hospital.json("channel", "update", "submit", update)
    assert done["changed"]
    assert acls(hospital.config())["qscc/GetBlockByHash"] == "Readers"
    assert not hospital.json("channel", "update", "submit", update)["changed"]
    assert hospital.json("channel", "update", "show", update)["state"] == "in force"


def acls(config: ChannelConfig) -> Any:
    return config.typed.channel.groups["Application"].values["ACLs"].content


def test_peer_submits_what_we_have_signed(hospital: Admin, clinic: Admin, tmp_path: Path) -> None:
    update = tmp_path / "update.pb"
    hospital("channel", "edit", "acl", "qscc/GetBlockByHash", "--out", update)
    clinic("channel", "update", "sign", update)
    arguments = ("peer", "channel", "update", "-f", update, "-c", CHANNEL)
    hospital.fabric(*arguments, *hospital.ordering())  # does not wait for the block
    for admin in (hospital, clinic):
        deadline = time.monotonic() + SECONDS
        while admin.json("channel", "update", "show", update)["state"] != "in force":
            assert time.monotonic() < deadline
            time.sleep(0.05)


async def test_an_overtaken_update_is_not_sent(hospital: Admin, clinic: Admin) -> None:
    async with hospital.channels() as first, clinic.channels() as second:
        config = await first.config(CHANNEL)
        late = ConfigEditor(config).set_acl("lscc/ChaincodeExists", "Writers").update()
        soon = ConfigEditor(config).set_acl("lscc/ChaincodeExists", "Admins").update()
        soon = await second.sign(await first.sign(soon))
        with pytest.raises(UpdateNotSignedError):
            await first.submit(late)
        assert await first.submit(soon)
        late = await second.sign(await first.sign(late))
        with pytest.raises(UpdateConflictError, match="has changed since the update was made"):
            await first.submit(late)


def test_the_batch_is_for_the_orderers_administrators(
    hospital: Admin, orderer: Admin, tmp_path: Path
) -> None:
    update = tmp_path / "update.pb"
    refused = hospital("channel", "edit", "batch", "--max-messages", "100", code=3)
    assert "organisations with orderers" in refused.stderr
    hospital("channel", "edit", "batch", "--max-messages", "100", "--out", update)
    orderer("channel", "update", "sign", update)
    assert hospital.json("channel", "update", "submit", update)["changed"]
    assert hospital.json("channel", "config")["channel_group"]["groups"]["Orderer"]["values"][
        "BatchSize"
    ]["value"]["max_message_count"] == (100)
    again = hospital("channel", "edit", "batch", "--max-messages", "100")
    assert "like this already" in again.stdout


def test_what_concerns_one_organisation_alone(hospital: Admin, clinic: Admin) -> None:
    port = hospital.network.topology.organization("hospital").peers[0].port
    address = f"127.0.0.1:{port}"
    assert hospital.json("channel", "edit", "anchor", "HospitalMSP", "h.test:1", address)["changed"]
    clinic("channel", "edit", "anchor", "HospitalMSP", address, code=3)
    hospital("channel", "edit", "anchor", "HospitalMSP", address)
    [row] = [r for r in hospital.json("org", "list") if r["msp_id"] == "HospitalMSP"]
    assert row["anchor_peers"] == [address]


def test_by_json(hospital: Admin, clinic: Admin, tmp_path: Path) -> None:
    file, update = tmp_path / "config.json", tmp_path / "update.pb"
    document = hospital.json("channel", "config")
    application = document["channel_group"]["groups"]["Application"]
    application["values"]["ACLs"]["value"]["acls"]["event/FilteredBlock"] = {"policy_ref": "Admins"}
    file.write_text(json.dumps(document))
    hospital("channel", "edit", "json", file, "--out", update)
    clinic("channel", "update", "sign", update)
    clinic("channel", "update", "submit", update)
    assert acls(hospital.config())["event/FilteredBlock"] == "Admins"
    hospital("channel", "edit", "acl", "event/FilteredBlock", "--out", update)
    clinic("channel", "update", "sign", update)
    clinic("channel", "update", "submit", update)


# --- tried wrong ---------------------------------------------------------------------------------


def test_every_command_tried_wrong_says_so_and_changes_nothing(
    hospital: Admin, tmp_path: Path
) -> None:
    """No network, no such organisation, no such identity, an expired certificate, a forged one, a
    node that is not there."""
    strangers = put_strangers(hospital)
    every = commands(hospital, tmp_path / "files")
    height = hospital.json("channel", "info")["height"]
    profile = json.loads(hospital.network.connection_profile("hospital").read_text())
    for peer in profile["peers"].values():
        peer["url"] = "grpcs://localhost:1"
    away = tmp_path / "away.json"
    away.write_text(json.dumps(profile))
    cases = {
        "no network": ({"MEDFAB_DIR": str(tmp_path / "nowhere")}, 4, "no network in"),
        "no organisation": ({"MEDFAB_ORG": "nobody"}, 4, "no organisation 'nobody'"),
        "no identity": ({"MEDFAB_IDENTITY": "nobody"}, 4, "nobody"),
        "expired": ({"MEDFAB_IDENTITY": strangers.expired}, 3, ""),
        "forged": ({"MEDFAB_IDENTITY": strangers.stranger}, 3, ""),
        "unreachable": ({"MEDFAB_PROFILE": str(away)}, 5, "localhost:1"),
    }
    wrong = []
    for case, (settings, code, words) in cases.items():
        for arguments in every:
            done = hospital(*arguments, settings=settings, code=None)
            lines = done.stderr.strip().splitlines()
            fine = done.code == code and words in done.stderr and done.stderr.startswith("Error: ")
            if not fine or done.stdout or len(lines) > 4:
                wrong.append((case, arguments, done))
    assert wrong == []
    assert hospital.json("channel", "info")["height"] == height


def test_bad_input_is_refused_before_any_node_is_asked(hospital: Admin, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('[{"name": "c", "policy": "OR(", "memberOnlyRaed": 1}]')
    (tmp_path / "no.json").write_text("{")
    bad, no = tmp_path / "bad.json", tmp_path / "no.json"
    terms = (CHAINCODE, "--version", "9.0")
    for arguments, words in (
        (("chaincode", "approve", *terms, "--policy", "OR('HospitalMSP.peer'"), "policy"),
        (("chaincode", "approve", *terms, "--policy", "OR('HospitalMSP.boss')"), "MSPID.role"),
        (("chaincode", "commit", *terms, "--collections", bad), "collection 'c': unknown"),
        (("chaincode", "approve", CHAINCODE, "--version", "a b"), "cannot be the version"),
        (("chaincode", "approve", *terms, "--collections", no), "no JSON"),
        (("chaincode", "package", "no/label", "--out", tmp_path / "x"), "cannot be the label"),
        (("chaincode", "id", no), "no chaincode package"),
        (("channel", "join", no), "no configuration block"),
        (("channel", "update", "sign", no), "no configuration update"),
        (("channel", "update", "submit", no), "no configuration update"),
        (("channel", "edit", "add-org", no), "no definition of an organisation"),
        (("channel", "edit", "anchor", "HospitalMSP", "somewhere"), "is not host:port"),
        (("channel", "edit", "batch", "--timeout", "soon"), "no duration"),
        (("channel", "edit", "acl", "event/Block", "Nobody"), "no policy 'Nobody'"),
        (("channel", "edit", "crl", "HospitalMSP", no), "no certificate revocation list"),
        (("channel", "edit", "json", no), "no configuration of a channel"),
        (("org", "show", no), "no definition of an organisation"),
        (("org", "definition", "--anchor", "x", "--out", tmp_path / "x"), "is not host:port"),
        (("block", "fetch", "first", "--out", tmp_path / "x"), "is no number"),
        (("block", "show", "--hash", "xyz"), "not hexadecimal"),
        (("block", "decode", no), "not a block"),
    ):
        done = hospital(*arguments, code=2)
        assert words in done.stderr, (arguments, done)
    assert not (tmp_path / "x").exists()


def test_what_is_not_there_is_not_found(hospital: Admin, tmp_path: Path) -> None:
    for arguments in (
        ("channel", "config", "--channel", "nowhere"),
        ("channel", "info", "--channel", "nowhere"),
        ("channel", "list", "--peer", "peer9.hospital"),
        ("chaincode", "query", "nothing"),
        ("chaincode", "approve", "nothing", "--in-force"),
        ("chaincode", "fetch", "nothing:00", "--out", tmp_path / "x"),
        ("block", "show", "100000"),
        ("block", "transaction", "00"),
        ("org", "definition", "--msp", tmp_path / "no", "--msp-id", "X", "--out", tmp_path / "x"),
    ):
        done = hospital(*arguments, code=4)
        assert done.stderr.startswith("Error: "), (arguments, done)


# --- an organisation joins while transactions flow ----------------------------------------------


@asynccontextmanager
async def submitters(network: Network) -> AsyncIterator[list[str]]:
    """Submit without a pause, in two organisations, until the end; the ids of what was committed.

    A failure is raised at the end.
    """
    done: list[str] = []
    stop = asyncio.Event()

    async def submit(organization: str, number: int) -> None:
        async with network.gateway(organization) as gateway:
            contract = gateway.network(CHANNEL).contract(CHAINCODE)
            for count in itertools.count():
                if stop.is_set():
                    return
                asset = f"{organization}-{number}-{count}"
                await contract.submit("MoveAsset", asset, "ward")
                done.append(asset)

    async with asyncio.TaskGroup() as group:
        for organization in ("hospital", "clinic"):
            for number in range(2):
                group.create_task(submit(organization, number))
        try:
            yield done
        finally:
            stop.set()


async def test_no_transaction_fails_while_an_organisation_joins(network: Network) -> None:
    before = network.processes()
    async with submitters(network) as done:
        await reached(lambda: len(done) >= 20)
        began = len(done)
        report = await network.add_organization("pharmacy2", larger_topology())
        during = len(done) - began
        after = len(done)
        await reached(lambda: len(done) >= after + 40)
    assert during > 20
    assert sorted(report.started) == ["assets.pharmacy2", "ca.pharmacy2", "peer0.pharmacy2"]
    assert before.items() <= network.processes().items()
    async with network.gateway("pharmacy2") as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)
        for asset in (done[0], done[-1]):
            assert json.loads(await contract.evaluate("ReadAsset", asset))["id"] == asset
        await contract.submit(
            "MoveAsset",
            "pharmacy2-0",
            "ward",
            endorsing_organizations=["Pharmacy2MSP", "ClinicMSP"],
        )
        lifecycle = AsyncLifecycle(gateway.network(CHANNEL))
        assert await lifecycle.approvals(CHAINCODE) == dict.fromkeys(
            ["ClinicMSP", "HospitalMSP", "Pharmacy2MSP"], True
        )


async def reached(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.05)


async def test_the_organisation_is_there_to_stay(network: Network) -> None:
    again = await network.add_organization("pharmacy2", larger_topology())
    assert again.started == []
    assert "pharmacy2" in {each.name for each in Network(network.directory).topology.organizations}
    assert {node.node.name for node in await network.status() if not node.healthy} == set()


def test_the_newcomer_can_be_put_out_again(
    hospital: Admin, clinic: Admin, network: Network, binaries: Binaries, tmp_path: Path
) -> None:
    update = tmp_path / "leave.pb"
    pharmacy = Admin(network, "pharmacy2", binaries)
    hospital("channel", "edit", "remove-org", "Pharmacy2MSP", code=2)  # nobody to ask
    hospital("channel", "edit", "remove-org", "Pharmacy2MSP", "--out", update)
    shown = clinic.json("channel", "update", "show", update)
    [change] = shown["changes"]
    assert (change["action"], change["path"]) == ("remove", "/Channel/Application/Pharmacy2MSP")
    clinic("channel", "update", "sign", update)
    clinic("channel", "update", "submit", update)
    members = {row["msp_id"] for row in hospital.json("org", "list")}
    assert "Pharmacy2MSP" not in members
    arguments = ("contract", "submit", CHAINCODE, "MoveAsset", "x", "y")
    refused = pharmacy(*arguments, code=3)
    assert "Error:" in refused.stderr


# --- orderers -----------------------------------------------------------------------------------


def test_an_orderer_goes_and_comes_back(
    hospital: Admin, orderer: Admin, network: Network, tmp_path: Path
) -> None:
    update, block = tmp_path / "update.pb", tmp_path / "config.block"
    node = network.topology.ordering.orderers[2]
    hospital("channel", "edit", "remove-orderer", node.address, "--out", update)
    orderer("channel", "update", "sign", update)
    hospital("channel", "update", "submit", update)
    orderer("channel", "orderer", "leave", CHANNEL, "--yes", *participation(orderer, 2))
    assert orderer.json("channel", "orderer", "list", *participation(orderer, 2)) == []
    hospital("contract", "submit", CHAINCODE, "MoveAsset", "with-two", "ward")

    certificate = Layout(network.directory).tls("orderer", node.name) / "cert.pem"
    hospital(
        *("channel", "edit", "add-orderer", node.address, "OrdererMSP"),
        *("--tls-certificate", certificate, "--out", update),
    )
    orderer("channel", "update", "sign", update)
    hospital("channel", "update", "submit", update)
    hospital("block", "fetch", "config", "--out", block)
    orderer("channel", "orderer", "join", block, *participation(orderer, 2))
    [row] = orderer.json("channel", "orderer", "list", *participation(orderer, 2))
    assert row["relation"] == "consenter"
    root = Layout(network.directory).tls_ca_certificate("orderer")
    answer = ("--out", tmp_path / "newest", "--orderer", node.address, "--tls-ca", root)
    deadline = time.monotonic() + SECONDS  # for a moment it says that there is no such channel
    while hospital("block", "fetch", "newest", *answer, code=None).code != 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    hospital("contract", "submit", CHAINCODE, "MoveAsset", "with-three", "ward")
