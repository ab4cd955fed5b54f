"""Real blocks: as JSON they equal what configtxlator makes of them, and as objects they tell what
happened. Genesis, lifecycle, records with private collections, an update of the configuration,
and transactions that the peers found invalid."""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from fabric_protos.common import common_pb2, configtx_pb2, configuration_pb2
from fabric_protos.orderer import ab_pb2_grpc
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.orderer.smartbft import configuration_pb2 as smartbft_pb2
from fabric_protos.peer import configuration_pb2 as peer_pb2

from integration.conftest import Consortium
from integration.test_ehr import CHANNEL, People, blocks_of, people
from medfab_gateway import Block, BlockTransaction, block_json, decode_block
from medfab_gateway._messages.headers import build_header
from medfab_gateway.channel_config import (
    AnchorPeer,
    ConfigGroup,
    ConsensusType,
    ImplicitMetaPolicy,
    MspConfig,
    MspRole,
    SignatureRule,
)
from medfab_network._access import Access
from medfab_network._binaries import Binaries
from medfab_network._layout import Layout

__all__ = ["people"]  # the fixture

pytestmark = pytest.mark.integration


@pytest.fixture
async def blocks(consortium: Consortium, people: People) -> list[Block]:
    await people.permit("laboratory")
    await people.practitioner.request_access(
        people.pseudonym, purpose="TREAT", categories=["laboratory"]
    )
    await conflict(consortium, people)
    await move_anchor_peer(consortium)
    return await blocks_of(consortium)


async def conflict(consortium: Consortium, people: People) -> None:
    """Two endorsed revocations of one consent: the second one is invalid."""
    consent = await people.permit("imaging")
    await consortium.level(CHANNEL)
    contract = people.patient._ehr._contract
    organizations = [people.consortium.msp_id(name) for name in ("hospital", "clinic")]
    both = [
        await contract.proposal(
            "RevokeConsent", consent.consent_id, endorsing_organizations=organizations
        ).endorse()
        for _ in range(2)
    ]
    codes = [(await (await each.submit()).status()).code for each in both]
    assert codes == ["VALID", "MVCC_READ_CONFLICT"]


async def move_anchor_peer(consortium: Consortium) -> None:
    """clinic's administrator gives its anchor peer another name."""
    network = consortium.running_network
    access = Access(Layout(network.directory))
    admin = access.entry("clinic", "admin")
    (old, *_) = reversed([b for b in await blocks_of(consortium) if b.transactions[0].config])
    payload = common_pb2.Payload.FromString(
        common_pb2.Envelope.FromString(old.transactions[0].envelope).payload
    )
    current = configtx_pb2.ConfigEnvelope.FromString(payload.data).config.channel_group
    group = current.groups["Application"].groups["ClinicMSP"]
    update = configtx_pb2.ConfigUpdate(channel_id=CHANNEL)
    for part in (update.read_set, update.write_set):
        part.version = current.version
        application = part.groups["Application"]
        application.version = current.groups["Application"].version
        application.groups["ClinicMSP"].version = group.version
    changed = update.write_set.groups["Application"].groups["ClinicMSP"].values["AnchorPeers"]
    changed.version = group.values["AnchorPeers"].version + 1
    changed.mod_policy = "Admins"
    port = network.topology.organization("clinic").peers[0].port
    anchors = peer_pb2.AnchorPeers()
    anchors.anchor_peers.add(host="localhost", port=port)
    changed.value = anchors.SerializeToString()

    def header() -> Any:
        return build_header(
            header_type=common_pb2.CONFIG_UPDATE,
            channel_id=CHANNEL,
            creator=admin.identity.serialized,
            timestamp_ns=time.time_ns(),
            nonce=b"n" * 24,
        )

    def sign(message: bytes) -> bytes:
        return admin.signer()(admin.identity.default_hash().digest(message))

    envelope = configtx_pb2.ConfigUpdateEnvelope(config_update=update.SerializeToString())
    signed_by = header().signature_header
    envelope.signatures.add(
        signature_header=signed_by, signature=sign(signed_by + envelope.config_update)
    )
    payload = common_pb2.Payload(
        header=header(), data=envelope.SerializeToString()
    ).SerializeToString()
    message = common_pb2.Envelope(payload=payload, signature=sign(payload))
    height = len(await blocks_of(consortium))
    endpoint = access.endpoint(network.topology.ordering.orderers[0])
    async with endpoint.open_channel() as channel:
        stub: Any = ab_pb2_grpc.AtomicBroadcastStub(channel)
        call: grpc.aio.StreamStreamCall[Any, Any] = stub.Broadcast()
        await call.write(message)
        answer: Any = await call.read()
        assert answer.status == common_pb2.SUCCESS, answer.info
        await call.done_writing()
    deadline = time.monotonic() + 60
    while len(await blocks_of(consortium)) == height:
        assert time.monotonic() < deadline


def by_configtxlator(binaries: Binaries, raw: bytes, folder: Path) -> Any:
    (folder / "block.pb").write_bytes(raw)
    run = subprocess.run(
        [
            binaries["configtxlator"],
            *("proto_decode", "--type", "common.Block", "--input", folder / "block.pb"),
        ],
        capture_output=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr.decode()
    return json.loads(run.stdout)


async def test_blocks_as_json_and_as_objects(
    blocks: list[Block], binaries: Binaries, tmp_path: Path
) -> None:
    for block in blocks:
        assert block_json(block.raw) == by_configtxlator(binaries, block.raw, tmp_path)
    for before, block in itertools.pairwise(blocks):
        assert block.previous_hash == before.hash
    for block in blocks[1:]:
        assert block.metadata.undecoded is None
        assert len(block.metadata.commit_hash or b"") == 32
        (signature,) = block.metadata.signatures
        assert signature.signer is not None
        assert signature.signer.msp_id == "OrdererMSP"
    transactions = [each for block in blocks for each in block.transactions]
    assert [each.undecoded for each in transactions] == [None] * len(transactions)
    check_genesis(blocks[0])
    check_calls(transactions)
    check_update(transactions)


def check_genesis(block: Block) -> None:
    (transaction,) = block.transactions
    assert (transaction.type, transaction.config_update) == ("CONFIG", None)
    assert transaction.config is not None
    assert transaction.config.sequence == 0
    channel = transaction.config.channel
    assert channel.values["HashingAlgorithm"].content == "SHA256"
    assert channel.policies["Admins"].policy == ImplicitMetaPolicy(
        rule="MAJORITY", sub_policy="Admins"
    )
    orderer = channel.groups["Orderer"]
    consensus = orderer.values["ConsensusType"].content
    assert isinstance(consensus, ConsensusType)
    assert (consensus.type, consensus.state) == ("etcdraft", "STATE_NORMAL")
    assert consensus.options["election_tick"] == 10
    (consenter,) = consensus.consenters
    assert consenter.server_tls_certificate.startswith(b"-----BEGIN CERTIFICATE-----")
    assert orderer.groups["OrdererMSP"].values["Endpoints"].content
    application = channel.groups["Application"]
    assert set(application.groups) == {"HospitalMSP", "ClinicMSP", "RegulatorMSP"}
    assert application.values["Capabilities"].content == ("V2_5",)
    acls = application.values["ACLs"].content
    assert isinstance(acls, dict)
    assert acls["event/Block"] == "/Channel/Application/Admins"
    check_organization(application.groups["ClinicMSP"])


def check_organization(group: ConfigGroup) -> None:
    msp = group.values["MSP"].content
    assert isinstance(msp, MspConfig)
    assert msp.msp_id == "ClinicMSP"
    assert msp.root_certificates[0].startswith(b"-----BEGIN CERTIFICATE-----")
    assert msp.node_units == {each: each for each in ("client", "peer", "admin", "orderer")}
    assert group.policies["Admins"].policy == SignatureRule(
        required=1, of=(MspRole(msp_id="ClinicMSP", role="ADMIN"),)
    )


def check_calls(transactions: list[BlockTransaction]) -> None:
    calls = [each for each in transactions if each.type == "ENDORSER_TRANSACTION"]
    functions = {(each.chaincode_name, each.args[0]) for each in calls}
    assert ("_lifecycle", b"CommitChaincodeDefinition") in functions
    assert ("ehr", b"RegisterPatient") in functions
    conflicts = [each for each in calls if each.validation_code == "MVCC_READ_CONFLICT"]
    assert [each.args[0] for each in conflicts][-1] == b"RevokeConsent"
    grant = next(each for each in calls if each.args[0] == b"GrantConsent")
    assert {endorser.msp_id for endorser in grant.endorsers} >= {"HospitalMSP"}
    assert all(len(endorser.certificate_id) == 64 for endorser in grant.endorsers)
    private = [c for each in grant.read_write_sets for c in each.collections if c.writes]
    assert [len(write.key_hash) for c in private for write in c.writes]


def check_update(transactions: list[BlockTransaction]) -> None:
    changed = [each for each in transactions if each.type == "CONFIG"][-1]
    assert changed.config is not None
    assert changed.config.sequence >= 1
    assert changed.config_update is not None
    assert [signer.msp_id for signer in changed.config_update.signers] == ["ClinicMSP"]
    for channel in (changed.config.channel, changed.config_update.write_set):
        clinic = channel.groups["Application"].groups["ClinicMSP"]
        anchors = clinic.values["AnchorPeers"].content
        assert isinstance(anchors, tuple)
        (anchor,) = anchors
        assert isinstance(anchor, AnchorPeer)
        assert anchor.host == "localhost"


async def test_a_configuration_of_bft(
    consortium: Consortium, binaries: Binaries, tmp_path: Path
) -> None:
    """The genesis block of the network, with BFT's values in the place of Raft's."""
    genesis = common_pb2.Block.FromString((await blocks_of(consortium))[0].raw)
    envelope = common_pb2.Envelope.FromString(genesis.data.data[0])
    payload = common_pb2.Payload.FromString(envelope.payload)
    config = configtx_pb2.ConfigEnvelope.FromString(payload.data)
    values = config.config.channel_group.groups["Orderer"].values
    options = smartbft_pb2.Options(request_batch_max_count=100, leader_rotation=2)
    values["ConsensusType"].value = orderer_pb2.ConsensusType(
        type="BFT", metadata=options.SerializeToString(), state=1
    ).SerializeToString()
    orderers = configuration_pb2.Orderers()
    orderers.consenter_mapping.add(id=3, host="o3", port=7050, msp_id="OrdererMSP", identity=b"c")
    values["Orderers"].value = orderers.SerializeToString()
    payload.data = config.SerializeToString()
    envelope.payload = payload.SerializeToString()
    genesis.data.data[0] = envelope.SerializeToString()
    raw = genesis.SerializeToString()
    assert block_json(raw) == by_configtxlator(binaries, raw, tmp_path)

    decoded = decode_block(raw).transactions[0].config
    assert decoded is not None
    group = decoded.channel.groups["Orderer"]
    consensus, consenters = (group.values[name].content for name in ("ConsensusType", "Orderers"))
    assert isinstance(consensus, ConsensusType)
    assert (consensus.type, consensus.state) == ("BFT", "STATE_MAINTENANCE")
    assert consensus.options["request_batch_max_count"] == 100
    assert consensus.options["leader_rotation"] == "ROTATION_ON"
    assert isinstance(consenters, tuple)
    (consenter,) = consenters
    assert (consenter.id, consenter.host) == (3, "o3")  # type: ignore[union-attr]
