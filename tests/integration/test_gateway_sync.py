"""The synchronous client on the real network, in threads of its own."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from integration.conftest import Consortium
from medfab_gateway import (
    Block,
    ConnectionProfile,
    Contract,
    FileSystemWallet,
    Gateway,
    Network,
)
from medfab_gateway.ehr import (
    AccessDecision,
    FilingKey,
    LabelPolicy,
    Patient,
    Practitioner,
    Provider,
    Purpose,
    example_bundle,
    load_bundle,
    phi_values,
    scan_blocks,
)
from medfab_gateway.errors import EvaluateError

pytestmark = pytest.mark.integration

HOLDER, ASKER = "hospital", "clinic"
THREADS = 16


@dataclass(frozen=True, kw_only=True)
class People:
    """A new patient and two practitioners, each with a gateway of their own."""

    pseudonym: str
    patient: Network
    filer: Network
    asker: Network
    holder_msp: str
    asker_msp: str


@pytest.fixture
async def people(consortium: Consortium) -> AsyncIterator[People]:
    pseudonym = secrets.token_hex(16)
    users = [
        (HOLDER, "patient", {"medfab.patient": pseudonym}),
        (HOLDER, "practitioner", {"medfab.practitioner": f"dr-{secrets.token_hex(4)}"}),
        (ASKER, "practitioner", {"medfab.practitioner": f"dr-{secrets.token_hex(4)}"}),
    ]
    with ExitStack() as stack:
        networks = []
        for org, role, attributes in users:
            label = await consortium.enrol_user(
                org, role=role, attributes={"medfab.role": role, **attributes}
            )
            gateway = stack.enter_context(connect(consortium, org, label))
            networks.append(gateway.network("care"))
        patient, filer, asker = networks
        yield People(
            pseudonym=pseudonym,
            patient=patient,
            filer=filer,
            asker=asker,
            holder_msp=consortium.msp_id(HOLDER),
            asker_msp=consortium.msp_id(ASKER),
        )


def connect(consortium: Consortium, org: str, label: str) -> Gateway:
    running = consortium.running_network
    entry = FileSystemWallet(running.wallet(org)).get(label)
    profile = ConnectionProfile.load(running.connection_profile(org))
    return Gateway.connect(profile.endpoint_for(org), entry.identity, entry.signer())


def ehr(network: Network) -> Contract:
    return network.contract("ehr")


async def test_the_whole_story(people: People) -> None:
    await asyncio.to_thread(tell_the_story, people)


def tell_the_story(people: People) -> None:
    patient = Patient(ehr(people.patient))
    key = FilingKey(secrets.token_bytes(32))
    normal = LabelPolicy(confidentiality="N")
    provider = Provider(ehr(people.filer), msp_id=people.holder_msp, filing_key=key, labels=normal)
    practitioner = Practitioner(ehr(people.asker))

    patient.register()
    filed = provider.file_bundle(people.pseudonym, example_bundle())
    assert (filed.filed, filed.unchanged) == (13, 0)
    denied = ask(people)
    assert not denied.permitted

    consent = patient.grant(
        grantee_msp=people.asker_msp,
        purposes=[Purpose.TREATMENT],
        categories=["laboratory"],
        not_after=datetime.now(UTC) + timedelta(days=1),
    )
    permit = ask(people)
    assert permit.permitted
    result = practitioner.read(permit, holder_msp=people.holder_msp)
    types = sorted(json.loads(text)["resourceType"] for text in result.resources)
    assert types == ["DiagnosticReport"] + ["Observation"] * 4
    patient.revoke(consent.consent_id)
    with pytest.raises(EvaluateError) as refused:
        practitioner.read(permit, holder_msp=people.holder_msp)
    assert refused.value.chaincode is not None
    assert refused.value.chaincode.code == "CONSENT_REVOKED"
    assert [access.permitted for access in patient.accesses()] == [True, False]

    # All of it is in the blocks, and nothing of the record is.
    blocks = blocks_of(people, [denied, permit])
    report = scan_blocks(blocks, phi_values(load_bundle(example_bundle())))
    assert report.clean, report.findings


async def test_one_gateway_for_many_threads(people: People) -> None:
    await asyncio.to_thread(Patient(ehr(people.patient)).register)
    await asyncio.to_thread(ask_from_many_threads, people)


def ask_from_many_threads(people: People) -> None:
    first = ask(people)  # from here on every peer knows the patient

    def work(_: int) -> list[AccessDecision]:
        decisions = [ask(people) for _ in range(3)]
        assert len(json.loads(ehr(people.patient).evaluate("ListAccess"))) > 0
        return decisions

    with ThreadPoolExecutor(THREADS) as executor:
        decisions = [made for some in executor.map(work, range(THREADS)) for made in some]
    asked = Counter(decision.request_id for decision in decisions)
    assert len(asked) == THREADS * 3
    committed = Counter(
        transaction.transaction_id
        for block in blocks_of(people, [first, *decisions])
        for transaction in block.transactions
        if transaction.validation_code == "VALID" and transaction.transaction_id in asked
    )
    assert committed == asked


async def test_step_by_step(people: People) -> None:
    await asyncio.to_thread(Patient(ehr(people.patient)).register)

    def steps() -> None:
        ask(people)
        salted = {"purpose": "TREAT", "categories": ["laboratory"], "resource_types": []}
        transient = json.dumps({**salted, "salt": secrets.token_hex(16)}).encode()
        proposal = ehr(people.asker).proposal(
            "RequestAccess", people.pseudonym, transient={"request": transient}
        )
        transaction = proposal.endorse()
        status = transaction.submit().status()
        assert (status.code, status.transaction_id) == ("VALID", proposal.transaction_id)
        later = people.asker.commit(proposal.transaction_id).status()
        assert later == status

    await asyncio.to_thread(steps)


def ask(people: People) -> AccessDecision:
    return Practitioner(ehr(people.asker)).request_access(
        people.pseudonym, purpose=Purpose.TREATMENT, categories=["laboratory"]
    )


def blocks_of(people: People, decisions: list[AccessDecision]) -> list[Block]:
    """The blocks from the first to the last of the decisions, a request's id being its
    transaction's."""
    numbers = [
        people.filer.commit(decision.request_id).status().block_number for decision in decisions
    ]
    with people.filer.block_events(min(numbers), max(numbers)) as events:
        blocks = [*events]
    assert [block.number for block in blocks] == [*range(min(numbers), max(numbers) + 1)]
    return blocks
