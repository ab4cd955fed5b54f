"""Attacks on the real network: forged callers, shifted clocks, chosen endorsers, side doors."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from contextlib import suppress

import grpc
import grpc.aio
import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import events_pb2_grpc

from integration.conftest import Consortium as NetworkConsortium
from integration.handmade import Forged, certificate_of, client_of, commit, propose
from integration.test_ehr import (
    ASKER,
    CHAINCODE,
    CHANNEL,
    HOLDER,
    Consortium,
    People,
    ask,
    patient_of,
    people,
    refused,
)
from medfab_gateway import AsyncContract
from medfab_gateway._messages.deliver import build_seek_payload
from medfab_gateway.ehr import AsyncPractitioner, example_bundle
from medfab_gateway.errors import EndorseError, EvaluateError

__all__ = ["people"]  # the fixture

pytestmark = pytest.mark.integration


def terms(*, until: float = 60, grantee: str = "ClinicMSP") -> dict[str, bytes]:
    """The transient data of a permit that ends `until` minutes from now."""
    rule = {
        "recipients": [{"msp_id": grantee}],
        "purposes": ["TREAT"],
        "categories": ["laboratory"],
        "not_after": int(time.time() * 1000 + until * 60_000),
    }
    consent = {"type": "permit", "rule": rule, "salt": secrets.token_hex(16)}
    return {"consent": json.dumps(consent).encode()}


def request() -> dict[str, bytes]:
    asked = {
        "purpose": "TREAT",
        "categories": ["laboratory"],
        "resource_types": [],
        "salt": secrets.token_hex(16),
    }
    return {"request": json.dumps(asked).encode()}


# --- who calls ---------------------------------------------------------------------------------


@pytest.mark.parametrize("trick", ["another type", "in the middle of a line"])
async def test_a_certificate_copied_from_a_block_makes_nobody_its_owner(
    people: People, trick: str
) -> None:
    """Peer and contract must read the same certificate out of the creator's bytes.

    Go takes the first PEM block of any type that begins a line; a parser that takes another one
    made any client of an organisation any other client of it, with a certificate from a block.
    """
    own, victims = certificate_of(people.filer), certificate_of(people.patient._ehr._contract)
    pem = {
        "another type": own.replace(b"CERTIFICATE", b"OTHER") + victims,
        "in the middle of a line": b"x" + victims + own,
    }[trick]
    creator = Forged(msp_id=people.holder_msp, pem=pem)
    with refused("INVALID_IDENTITY"):
        await propose(people.filer, "ListAccess", creator=creator).evaluate()
    with refused("INVALID_IDENTITY"):
        await propose(people.filer, "GrantConsent", creator=creator, transient=terms()).endorse()
    # The peer itself takes the identity for a good one: nobody but the contract can refuse it.
    own_first = Forged(msp_id=people.holder_msp, pem=own + victims)
    with refused("INVALID_IDENTITY"):
        await propose(people.filer, "ListAccess", creator=own_first).evaluate()
    assert await people.patient.consents() == ()


async def test_a_certificate_under_another_msp_is_refused_by_the_peer(people: People) -> None:
    creator = Forged(msp_id="ClinicMSP", pem=certificate_of(people.filer))
    with pytest.raises(EvaluateError, match="access denied") as caught:
        await propose(people.filer, "ListAccess", creator=creator).evaluate()
    assert caught.value.chaincode is None


PATIENTS = ("RegisterPatient", "GrantConsent", "RevokeConsent", "ListConsents", "ListAccess")
PRACTITIONERS = ("FileRecords", "RequestAccess", "ReadRecords")


async def test_every_function_refuses_every_wrong_role(
    consortium: Consortium, people: People
) -> None:
    admin = await consortium.contract(HOLDER, "admin", CHANNEL, CHAINCODE)
    auditor = await consortium.contract("regulator", "auditor", CHANNEL, CHAINCODE)
    both = await of_attributes(
        consortium,
        **{
            "medfab.role": "auditor",
            "medfab.patient": people.pseudonym,
            "medfab.practitioner": "x",
        },
    )
    nameless = await of_attributes(consortium, **{"medfab.role": "practitioner"})
    shouting = await of_attributes(
        consortium, **{"medfab.role": "Patient", "medfab.patient": people.pseudonym}
    )
    strangers = [admin, auditor, both, nameless, shouting]
    calls = [(name, caller) for name in PATIENTS for caller in (*strangers, people.filer)]
    calls += [
        (name, caller)
        for name in PRACTITIONERS
        for caller in (*strangers, people.patient._ehr._contract)
        # Patients read their own, with a permit of their own; who has no id never gets one.
        if name != "ReadRecords" or caller not in (nameless, people.patient._ehr._contract)
    ]
    for name, caller in calls:
        args = {
            "RevokeConsent": ["0" * 64],
            "ReadRecords": [people.pseudonym, "0" * 64, people.holder_msp],
            "FileRecords": [people.pseudonym],
            "RequestAccess": [people.pseudonym],
        }.get(name, [])
        with refused("ACCESS_DENIED"):
            await propose(caller, name, *args, transient={**terms(), **request()}).evaluate()


async def of_attributes(consortium: Consortium, **attributes: str) -> AsyncContract:
    user = await consortium.enrol_user(
        HOLDER, role="various", attributes={"medfab.role": "", **attributes}
    )
    return await consortium.contract(HOLDER, user, CHANNEL, CHAINCODE)


@pytest.mark.parametrize(
    "odd",
    ["", "\x00", "a" * 1_000_000, "\u202e" + "0" * 31, "\uff10" * 32, "A" * 32, "0" * 32 + "\n"],
)
async def test_odd_ids_are_refused_and_not_repeated(people: People, odd: str) -> None:
    calls = [
        propose(people.asker, "RequestAccess", odd, transient=request()),
        propose(people.filer, "FileRecords", odd, transient={"records": b'{"items":[]}'}),
        propose(people.asker, "ReadRecords", odd, "0" * 64, people.holder_msp),
        propose(people.asker, "ReadRecords", people.pseudonym, odd, people.holder_msp),
        propose(people.patient._ehr._contract, "RevokeConsent", odd),
    ]
    for call in calls:
        with refused("INVALID_ARGUMENT") as caught:
            await call.evaluate()
        assert len(str(caught.value)) < 1000


# --- who endorses ------------------------------------------------------------------------------


async def test_one_organisation_alone_makes_no_public_state(
    consortium: Consortium, people: People
) -> None:
    newcomer = await patient_of(consortium, ASKER, secrets.token_hex(16))
    consent = await people.permit()
    alone = ("ClinicMSP",)
    patient = people.patient._ehr._contract
    calls = [
        propose(newcomer._ehr._contract, "RegisterPatient", endorsers=alone),
        propose(patient, "GrantConsent", transient=terms(grantee="RegulatorMSP"), endorsers=alone),
        propose(patient, "RevokeConsent", consent.consent_id, endorsers=alone),
        propose(people.asker, "RequestAccess", people.pseudonym, transient=request(),
                endorsers=alone),
    ]  # fmt: skip
    assert [await commit(call) for call in calls] == ["ENDORSEMENT_POLICY_FAILURE"] * len(calls)
    assert len(await people.patient.consents()) == 1
    assert await people.patient.accesses() == ()


def one_record() -> dict[str, bytes]:
    item = {
        "id": secrets.token_hex(32),
        "labels": {"resource_type": "Patient"},
        "resource": "{}",
        "salt": secrets.token_hex(16),
    }
    return {"records": json.dumps({"items": [item]}).encode()}


async def test_a_transaction_sent_again_counts_once_and_delays_nobody(people: People) -> None:
    """Envelopes are in the blocks: anybody may send one again, and the data is gone by then."""
    proposal = propose(people.asker, "RequestAccess", people.pseudonym, transient=request())
    transaction = await proposal.endorse()
    assert (await (await transaction.submit()).status()).code == "VALID"
    with pytest.raises(EndorseError, match="duplicate transaction found"):
        await proposal.endorse()
    await transaction.submit()  # the orderers do not know; the peers mark it invalid
    started = time.monotonic()
    await people.permit()
    assert time.monotonic() - started < 10
    assert len(await people.patient.accesses()) == 1


async def test_records_endorsed_elsewhere_are_refused_and_delay_nobody(people: People) -> None:
    """The holder's peer has never seen the data, and must not wait for it."""
    call = propose(
        people.filer,
        "FileRecords",
        people.pseudonym,
        transient=one_record(),
        endorsers=("ClinicMSP",),
    )
    started = time.monotonic()
    assert await commit(call) == "ENDORSEMENT_POLICY_FAILURE"
    assert time.monotonic() - started < 10


# --- whose clock -------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [-20, 20])
async def test_a_clock_off_by_more_than_the_window_is_refused(
    people: People, minutes: float
) -> None:
    for name, contract in (
        ("ListAccess", people.patient._ehr._contract),
        ("RequestAccess", people.asker),
    ):
        args = [people.pseudonym] if name == "RequestAccess" else []
        with pytest.raises(EvaluateError, match="incorrect timestamp") as refusal:
            await propose(contract, name, *args, minutes=minutes).evaluate()
        assert "clocks" in str(refusal.value)
        with pytest.raises(EndorseError, match="incorrect timestamp"):
            await propose(contract, name, *args, minutes=minutes).endorse()


async def test_an_expired_consent_lives_on_for_the_window_at_most(people: People) -> None:
    """How much a shifted clock gains: up to `peer.authentication.timewindow`, and no more."""
    await people.provider.file_bundle(people.pseudonym, example_bundle())
    grant = propose(
        people.patient._ehr._contract, "GrantConsent", transient=terms(until=-13), minutes=-14
    )
    assert await commit(grant) == "VALID"  # it was over thirteen minutes ago

    async def asked(minutes: float) -> str:
        call = propose(
            people.asker, "RequestAccess", people.pseudonym, transient=request(), minutes=minutes
        )
        transaction = await call.endorse()
        assert (await (await transaction.submit()).status()).code == "VALID"
        answer = json.loads(transaction.result)
        assert answer["decision"] == ("permit" if minutes < -13 else "deny")
        return str(answer["request_id"])

    read = ("ReadRecords", people.pseudonym)
    with refused("NOT_PERMITTED"):
        await propose(people.asker, *read, await asked(0), people.holder_msp).evaluate()
    permit = await asked(-14)
    with refused("PERMIT_EXPIRED"):
        await propose(people.asker, *read, permit, people.holder_msp).evaluate()
    await people.consortium.level(CHANNEL)
    # The audit tells when it was decided by that clock, and the block when it was committed.
    assert [entry.permitted for entry in await people.patient.accesses()] == [False, True]


# --- doors beside the contract -----------------------------------------------------------------


async def private_collections(contract: AsyncContract, channel: grpc.aio.Channel) -> Counter[str]:
    """Private data that the peer behind `channel` hands to the caller, past the contract."""
    client = client_of(contract)
    payload = build_seek_payload(
        identity=client.identity,
        channel_id=CHANNEL,
        start_block=0,
        stop_block=None,
        timestamp_ns=time.time_ns(),
        tls_certificate_hash=None,
    )
    envelope = common_pb2.Envelope(payload=payload, signature=await client.sign(payload))
    call = events_pb2_grpc.DeliverStub(channel).DeliverWithPrivateData(iter([envelope]), timeout=1)
    found: Counter[str] = Counter()
    # Ends at the deadline where the peer goes on, and with a status where it refuses.
    with suppress(grpc.aio.AioRpcError):
        async for response in call:
            for data in response.block_and_private_data.private_data_map.values():
                for namespace in data.ns_pvt_rwset:
                    for collection in namespace.collection_pvt_rwset:
                        if namespace.namespace == CHAINCODE:
                            found[collection.collection_name] += 1
    return found


async def test_no_client_streams_private_data_past_the_contract(
    consortium: NetworkConsortium, people: People
) -> None:
    """`DeliverWithPrivateData` gives every reader of blocks all that is not member-only."""
    await people.provider.file_bundle(people.pseudonym, example_bundle())
    await people.permit()
    holders_peer = client_of(people.filer).peers.all[0].channel
    bystander = await patient_of(consortium, HOLDER, secrets.token_hex(16))
    auditor = await consortium.contract("regulator", "auditor", CHANNEL, CHAINCODE)
    for contract in (bystander._ehr._contract, people.filer, people.asker, auditor):
        assert await private_collections(contract, holders_peer) == {}


async def test_a_permit_is_no_use_under_another_holders_name(people: People) -> None:
    await people.provider.file_bundle(people.pseudonym, example_bundle())
    await people.permit()
    permit = await ask(people)
    assert permit.permitted
    with refused("NO_RECORDS"):
        await AsyncPractitioner(people.asker).read(permit, holder_msp="ClinicMSP")
    for holder, code in (("RegulatorMSP", "NO_RECORDS"), ("NobodyMSP", "DATA_UNAVAILABLE")):
        with refused(code):
            await propose(
                people.asker,
                "ReadRecords",
                permit.patient,
                permit.request_id,
                holder,
                endorsers=("ClinicMSP",),
            ).evaluate()
