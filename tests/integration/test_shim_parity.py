"""Every function of the stub against real peers with LevelDB."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2

from integration.conftest import on_free_ports
from medfab_gateway import AsyncContract
from medfab_gateway.errors import CommitError, EndorseError
from medfab_network import Network, parse_topology

pytestmark = pytest.mark.integration

HOSPITAL, CLINIC = "HospitalMSP", "ClinicMSP"
IMPLICIT = "_implicit_org_HospitalMSP"
BOTH = (HOSPITAL, CLINIC)


class Contracts:
    """The chaincodes, as the administrators of both organisations call them."""

    def __init__(self, network: Network, stack: AsyncExitStack) -> None:
        self._network = network
        self._stack = stack
        self.parity: AsyncContract
        """On the channel of both organisations, called by the hospital."""
        self.other: AsyncContract
        """On the same channel."""
        self.remote: AsyncContract
        """On a channel of the hospital alone."""

    async def open(self) -> None:
        gateway = await self._stack.enter_async_context(self._network.gateway("hospital"))
        shared = gateway.network("shared")
        self.parity = shared.contract("parity")
        self.other = shared.contract("other")
        self.remote = gateway.network("alone").contract("remote")


@pytest.fixture(scope="module")
async def contracts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Contracts]:
    organizations = ["hospital", "clinic"]
    chaincodes = [
        ("parity", "shared", "Parity"),
        ("other", "shared", "Other"),
        ("remote", "alone", "Other"),
    ]
    topology = on_free_ports(
        parse_topology(
            {
                "ordering": {"orderers": 1},
                "organizations": [
                    {"name": "hospital", "msp_id": HOSPITAL},
                    {"name": "clinic", "msp_id": CLINIC},
                ],
                "channels": [
                    {"name": "shared", "organizations": organizations},
                    {"name": "alone", "organizations": ["hospital"]},
                ],
                "chaincodes": [
                    {
                        "name": name,
                        "channel": channel,
                        "version": "1.0",
                        "contract": f"parity_contract:{contract}",
                    }
                    for name, channel, contract in chaincodes
                ],
            }
        )
    )
    directory = tmp_path_factory.mktemp("parity") / "net"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        async with Network(directory, topology).running() as network, AsyncExitStack() as stack:
            opened = Contracts(network, stack)
            await opened.open()
            yield opened


async def ask(contract: AsyncContract, name: str, *args: str) -> Any:
    """Evaluate at the hospital; the answer, which is JSON, or None where it is empty."""
    answer = await contract.evaluate(name, *args, target_organizations=[HOSPITAL])
    return json.loads(answer) if answer else None


async def test_history_is_whole_and_newest_first(contracts: Contracts) -> None:
    parity = contracts.parity
    assert await ask(parity, "History", "history") == []
    ids = []
    for name, *value in (("Put", "1"), ("Put", "2"), ("Delete",), ("Put", "3")):
        submitted = await parity.submit_async(name, "history", *value)
        assert (await submitted.commit.status()).successful
        ids.append(submitted.transaction_id)
    history = await ask(parity, "History", "history")
    assert [change[0] for change in history] == ids[::-1]
    assert [change[1] for change in history] == ["3", None, "2", "1"]
    assert [change[3] for change in history] == [False, True, False, False]
    times = [change[2] for change in history]
    assert times == sorted(times, reverse=True)


async def test_pages_join_to_the_whole_range(contracts: Contracts) -> None:
    parity = contracts.parity
    await parity.submit("Fill", "250")
    wanted = [f"fill{number:04}" for number in range(250)]
    found, bookmark, sizes = [], "", []
    while True:
        keys, bookmark, count = await ask(parity, "Page", "fill", "fill~", "120", bookmark)
        assert count == len(keys)
        found += keys
        sizes.append(count)
        if not bookmark:
            break
    assert found == wanted
    assert sizes == [120, 120, 10]

    keys, bookmark, _ = await ask(parity, "CompositePage", '["odd","x"]', "249", "")
    assert len(keys) == 249
    keys, bookmark, _ = await ask(parity, "CompositePage", '["odd","x"]', "249", bookmark)
    assert keys == ["\x00odd\x00x\x000249\x00"]
    assert bookmark == ""

    every = await ask(parity, "AllComposite")
    assert len(every) == 500  # several of the peer's batches
    assert every[0] == "\x00even\x00x\x000000\x00"
    keys, bookmark, _ = await ask(parity, "CompositePage", "[]", "300", "")
    rest, bookmark, _ = await ask(parity, "CompositePage", "[]", "300", bookmark)
    assert (keys + rest, bookmark) == (every, "")


async def test_a_page_forbids_writes(contracts: Contracts) -> None:
    with pytest.raises(EndorseError):
        await contracts.parity.submit("PageAndPut")


@pytest.mark.parametrize("kind", ["", IMPLICIT, "page"])
async def test_leveldb_refuses_rich_queries(contracts: Contracts, kind: str) -> None:
    said = (
        await contracts.parity.evaluate("Query", kind, target_organizations=[HOSPITAL])
    ).decode()
    assert said.startswith("GET_QUERY_RESULT: ")
    assert "not supported" in said


async def test_reads_of_one_tick_are_one_message_and_are_checked_at_commit(
    contracts: Contracts,
) -> None:
    parity = contracts.parity
    await asyncio.gather(parity.submit("Put", "one", "1"), parity.submit("Put", "two", "2"))
    keys = ["one", "absent", "two", "one"]
    assert await ask(parity, "Gather", json.dumps(keys)) == [["1", None, "2", "1"], 2]
    assert await ask(parity, "Gather", '["two"]') == [["2"], 2]

    # Coalesced reads are in the read set: one that another transaction overtook is invalid.
    slow = await parity.proposal("Touch", json.dumps(keys)).endorse()
    await parity.submit("Put", "two", "22")
    status = await (await slow.submit()).status()
    assert (status.successful, status.code) == (False, "MVCC_READ_CONFLICT")


@contextmanager
def not_enough_signatures() -> Iterator[None]:
    with pytest.raises(CommitError) as caught:
        yield
    assert caught.value.code == "ENDORSEMENT_POLICY_FAILURE"


async def test_a_key_with_its_own_policy(contracts: Contracts) -> None:
    """The channel's policy is a majority, here both; the key's owner needs nobody else."""
    parity, key = contracts.parity, "protected"
    both, hospital, clinic = list(BOTH), [HOSPITAL], [CLINIC]
    assert await ask(parity, "Protectors", "", key) is None
    await parity.submit("Protect", "", key, json.dumps(hospital), endorsing_organizations=both)
    assert await ask(parity, "Protectors", "", key) == hospital

    with not_enough_signatures():
        await parity.submit("Put", key, "by another", endorsing_organizations=clinic)
    await parity.submit("Put", key, "by the owner", endorsing_organizations=hospital)
    assert await ask(parity, "Gather", json.dumps([key])) == [["by the owner"], 2]

    # The policy itself is changed by whoever may change the key; a value keeps its policy.
    await parity.submit("Protect", "", key, json.dumps(both), endorsing_organizations=hospital)
    assert await ask(parity, "Protectors", "", key) == sorted(both)
    with not_enough_signatures():
        await parity.submit("Put", key, "by one of two", endorsing_organizations=hospital)

    await parity.submit("Protect", "", key, "[]", endorsing_organizations=both)
    assert await ask(parity, "Protectors", "", key) is None
    with not_enough_signatures():
        await parity.submit("Put", key, "as before", endorsing_organizations=hospital)
    await parity.submit("Put", key, "as before", endorsing_organizations=both)

    # A key that is deleted takes its policy along.
    await parity.submit("Protect", "", key, json.dumps(hospital), endorsing_organizations=both)
    await parity.submit("Delete", key, endorsing_organizations=hospital)
    await parity.submit("Put", key, "reborn", endorsing_organizations=both)
    assert await ask(parity, "Protectors", "", key) is None


async def test_a_private_key_with_its_own_policy(contracts: Contracts) -> None:
    """The hospital's implicit collection needs its signature alone, until the key wants both.

    The hospital always signs: data that only others endorsed would never reach its peer.
    """
    parity, key = contracts.parity, "protected"
    both, hospital = list(BOTH), [HOSPITAL]
    put = ("PutPrivate", IMPLICIT, key)
    await parity.submit(
        "Protect", IMPLICIT, key, json.dumps(both), endorsing_organizations=hospital
    )
    assert await ask(parity, "Protectors", IMPLICIT, key) == sorted(both)
    with not_enough_signatures():
        await parity.submit(*put, "by one of two", endorsing_organizations=hospital)
    await parity.submit(*put, "by both", endorsing_organizations=both)
    await parity.submit("Protect", IMPLICIT, key, "[]", endorsing_organizations=both)
    assert await ask(parity, "Protectors", IMPLICIT, key) is None
    await parity.submit(*put, "as before", endorsing_organizations=hospital)


async def test_a_chaincode_of_the_same_channel_writes(contracts: Contracts) -> None:
    submitted = await contracts.parity.submit_async(
        "Call", "other", "", json.dumps(["Put", "from parity", "v"])
    )
    assert (await submitted.commit.status()).successful
    said = f"{submitted.transaction_id} shared"
    assert json.loads(submitted.result) == [200, "", said]
    assert await contracts.other.evaluate("Get", "from parity") == b"v"
    status, message, payload = await ask(contracts.parity, "Call", "other", "", '["Nothing"]')
    assert (status, payload) == (404, "")
    assert json.loads(message)["code"] == "UNKNOWN_FUNCTION"


async def test_a_chaincode_of_another_channel_is_read_only(contracts: Contracts) -> None:
    parity, remote = contracts.parity, contracts.remote
    await remote.submit("Put", "there", "value")
    assert await ask(parity, "Call", "remote", "alone", '["Get","there"]') == [200, "", "value"]

    # The hospital alone is on the other channel, and so the only one that can endorse; a read
    # of it and nothing else is judged by the chaincode's policy, so this stays an evaluation.
    status, _, said = await ask(parity, "Call", "remote", "alone", '["Put","there","new"]')
    assert (status, said.split()[1]) == (200, "alone")
    assert await remote.evaluate("Get", "there") == b"value"


@pytest.mark.parametrize(
    ("chaincode", "channel"), [("nobody", ""), ("remote", ""), ("remote", "nowhere")]
)
async def test_a_chaincode_that_is_not_there(
    contracts: Contracts, chaincode: str, channel: str
) -> None:
    said = await contracts.parity.evaluate(
        "CallNobody", chaincode, channel, target_organizations=[HOSPITAL]
    )
    assert said.startswith(b"INVOKE_CHAINCODE: ")


async def test_the_proposal_is_the_one_that_was_signed(contracts: Contracts) -> None:
    proposal = contracts.parity.proposal("Proposal", endorsing_organizations=[HOSPITAL])
    binding, proposal_bytes, signature, decorations = json.loads(await proposal.evaluate())
    proposed = proposal_pb2.Proposal.FromString(bytes.fromhex(proposal_bytes))
    header = common_pb2.Header.FromString(proposed.header)
    signed = common_pb2.SignatureHeader.FromString(header.signature_header)
    channel = common_pb2.ChannelHeader.FromString(header.channel_header)
    assert channel.tx_id == proposal.transaction_id
    whole = signed.nonce + signed.creator + bytes(8)  # the epoch is 0
    assert binding == hashlib.sha256(whole).hexdigest()
    assert bytes.fromhex(signature)[0] == 0x30  # an ASN.1 sequence: ECDSA
    assert decorations == "{}"
