"""The health-record contract on the real network.

Needs the fixture ``consortium``: ``contract(org, user, channel, chaincode)``,
``enrol_user(org, role=…, attributes={…})``, ``network(org, user, channel)`` and ``msp_id(org)``.
"""

import asyncio
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from fabric_protos.common import ledger_pb2

from medfab_gateway import AsyncContract, AsyncNetwork, Block
from medfab_gateway.ehr import (
    AsyncPatient,
    AsyncPractitioner,
    AsyncProvider,
    ConsentStatus,
    ConsentType,
    ConsentVersion,
    FilingKey,
    LabelPolicy,
    Purpose,
    example_bundle,
    load_bundle,
    phi_values,
    scan_blocks,
)
from medfab_gateway.errors import CommitError, GatewayError

pytestmark = pytest.mark.integration

CHANNEL, CHAINCODE = "care", "ehr"
HOLDER, ASKER = "hospital", "clinic"
SYNTHEA = Path(__file__).parents[2].parent / "shared" / "data" / "fhir"

NORMAL = LabelPolicy(confidentiality="N")
"""The bundles carry no labels, and what has none is restricted."""

LETTERS = str.maketrans("0123456789", "ghijklmnop")


class Consortium(Protocol):
    """What the fixture offers."""

    async def contract(
        self, org: str, user: str, channel: str, chaincode: str
    ) -> AsyncContract: ...

    async def level(self, channel: str) -> None: ...

    async def enrol_user(self, org: str, *, role: str, attributes: dict[str, str]) -> str: ...

    async def network(self, org: str, user: str, channel: str) -> AsyncNetwork: ...

    def msp_id(self, org: str) -> str: ...


@dataclass(frozen=True, kw_only=True)
class People:
    """A new patient, and practitioners of two organisations."""

    consortium: Consortium
    pseudonym: str
    patient: AsyncPatient
    provider: AsyncProvider
    practitioner: AsyncPractitioner
    filer: AsyncContract
    asker: AsyncContract

    @property
    def holder_msp(self) -> str:
        return self.consortium.msp_id(HOLDER)

    async def permit(self, *categories: str) -> ConsentVersion:
        return await self.patient.grant(
            grantee_msp=self.consortium.msp_id(ASKER),
            purposes=[Purpose.TREATMENT],
            categories=categories or ("laboratory",),
            not_after=datetime.now(UTC) + timedelta(days=30),
        )


async def patient_of(consortium: Consortium, org: str, pseudonym: str) -> AsyncPatient:
    user = await consortium.enrol_user(
        org,
        role="patient",
        attributes={"medfab.role": "patient", "medfab.patient": pseudonym},
    )
    return AsyncPatient(await consortium.contract(org, user, CHANNEL, CHAINCODE))


async def practitioner_of(consortium: Consortium, org: str) -> AsyncContract:
    name = f"dr-{secrets.token_hex(4)}"
    user = await consortium.enrol_user(
        org,
        role="practitioner",
        attributes={"medfab.role": "practitioner", "medfab.practitioner": name},
    )
    return await consortium.contract(org, user, CHANNEL, CHAINCODE)


@pytest.fixture
async def people(consortium: Consortium) -> People:
    pseudonym = secrets.token_hex(16)
    patient = await patient_of(consortium, HOLDER, pseudonym)
    filer = await practitioner_of(consortium, HOLDER)
    asker = await practitioner_of(consortium, ASKER)
    await patient.register()
    await consortium.level(CHANNEL)
    return People(
        consortium=consortium,
        pseudonym=pseudonym,
        patient=patient,
        provider=AsyncProvider(
            filer,
            msp_id=consortium.msp_id(HOLDER),
            filing_key=FilingKey(secrets.token_bytes(32)),
            labels=NORMAL,
        ),
        practitioner=AsyncPractitioner(asker),
        filer=filer,
        asker=asker,
    )


@contextmanager
def refused(code: str) -> Iterator[pytest.ExceptionInfo[GatewayError]]:
    with pytest.raises(GatewayError) as caught:
        yield caught
    assert caught.value.chaincode is not None, caught.value
    assert caught.value.chaincode.code == code


async def ask(people: People, *categories: str) -> Any:
    return await people.practitioner.request_access(
        people.pseudonym, purpose=Purpose.TREATMENT, categories=categories or ("laboratory",)
    )


async def test_the_whole_story(people: People) -> None:
    filed = await people.provider.file_bundle(people.pseudonym, example_bundle())
    assert (filed.filed, filed.unchanged) == (13, 0)

    denied = await ask(people)
    assert (denied.permitted, denied.reason) == (False, "no-consent")

    consent = await people.permit()
    permit = await ask(people)
    assert permit.permitted
    result = await people.practitioner.read(permit, holder_msp=people.holder_msp)
    resources = [json.loads(text) for text in result.resources]
    assert (
        sorted(r["resourceType"] for r in resources) == ["DiagnosticReport"] + ["Observation"] * 4
    )
    assert result.withheld == 8
    assert any('"value":1.00,' in text for text in result.resources)

    await people.patient.revoke(consent.consent_id)
    with refused("CONSENT_REVOKED"):
        await people.practitioner.read(permit, holder_msp=people.holder_msp)

    accesses = await people.patient.accesses()
    assert [access.permitted for access in accesses] == [True, False]
    assert {access.purpose for access in accesses} == {Purpose.TREATMENT}
    assert {access.categories for access in accesses} == {("laboratory",)}
    (listed,) = await people.patient.consents()
    assert (listed.status, listed.version) == (ConsentStatus.REVOKED, 2)


async def test_a_wrong_category_is_withheld(people: People) -> None:
    await people.provider.file_bundle(people.pseudonym, example_bundle())
    await people.permit("vital-signs")
    permit = await ask(people, "laboratory", "vital-signs")
    result = await people.practitioner.read(permit, holder_msp=people.holder_msp)
    assert len(result.resources) == 2
    assert result.withheld == 11
    assert not (await ask(people, "laboratory")).permitted


async def test_a_deny_after_the_permit_works_at_once(people: People) -> None:
    await people.provider.file_bundle(people.pseudonym, example_bundle())
    await people.permit()
    permit = await ask(people)
    await people.patient.grant(type=ConsentType.DENY, grantee_msp=None, purposes=[], not_after=None)
    await people.consortium.level(CHANNEL)
    with refused("CONSENT_REVOKED"):
        await people.practitioner.read(permit, holder_msp=people.holder_msp)
    assert (await people.patient.accesses())[0].permitted


async def test_a_permit_is_its_requesters_alone(people: People) -> None:
    await people.provider.file_bundle(people.pseudonym, example_bundle())
    await people.permit()
    permit = await ask(people)
    for org in (ASKER, HOLDER):
        thief = AsyncPractitioner(await practitioner_of(people.consortium, org))
        with refused("NOT_PERMITTED"):
            await thief.read(permit, holder_msp=people.holder_msp)


async def test_records_are_read_at_their_holder_alone(people: People) -> None:
    """A peer without the data fails; it does not answer with an empty list."""
    await people.provider.file_bundle(people.pseudonym, example_bundle())
    await people.permit()
    permit = await ask(people)
    with refused("DATA_UNAVAILABLE"):
        await people.asker.evaluate(
            "ReadRecords",
            people.pseudonym,
            permit.request_id,
            people.holder_msp,
            target_organizations=[people.consortium.msp_id(ASKER)],
        )


async def test_patients_see_their_own_only(people: People) -> None:
    await ask(people)
    other = await patient_of(people.consortium, HOLDER, secrets.token_hex(16))
    with refused("NOT_REGISTERED"):
        await other.accesses()
    await other.register()
    assert await other.accesses() == ()
    with refused("ACCESS_DENIED"):
        await people.asker.evaluate("ListAccess")


async def test_another_organisations_certificate_does_not_make_a_patient(people: People) -> None:
    forger = await patient_of(people.consortium, ASKER, people.pseudonym)
    with refused("NOT_AUTHORISED"):
        await forger.accesses()
    with refused("NOT_AUTHORISED"):
        await forger.grant(
            grantee_msp=people.consortium.msp_id(ASKER),
            purposes=[Purpose.TREATMENT],
            categories=["laboratory"],
            not_after=datetime.now(UTC) + timedelta(days=1),
        )
    with refused("ALREADY_REGISTERED"):
        await forger.register()


async def test_filing_again_changes_nothing_and_nothing_is_overwritten(people: People) -> None:
    first = await people.provider.file_bundle(people.pseudonym, example_bundle())
    again = await people.provider.file_bundle(people.pseudonym, example_bundle())
    assert (first.filed, again.filed, again.unchanged) == (13, 0, 13)
    with refused("CONFLICT"):
        await people.provider.file_bundle(
            people.pseudonym, example_bundle().replace(b"151.70", b"151.7")
        )
    third = await people.provider.file_bundle(people.pseudonym, example_bundle())
    assert third.unchanged == 13


async def test_one_organisation_alone_cannot_make_a_permit(people: People) -> None:
    await people.permit()
    with pytest.raises(CommitError) as caught:
        await AsyncPractitioner(
            people.asker, custodians=[people.consortium.msp_id(ASKER)]
        ).request_access(people.pseudonym, purpose="TREAT", categories=["laboratory"])
    assert caught.value.code == "ENDORSEMENT_POLICY_FAILURE"
    assert await people.patient.accesses() == ()


async def test_filings_at_once_do_not_spoil_each_other(people: People) -> None:
    """Two clients with one key file the same large bundle at the same time."""
    bundle = json.loads(example_bundle())
    weight = next(e for e in bundle["entry"] if "88.45" in json.dumps(e))
    for number in range(487):
        entry = json.loads(json.dumps(weight))
        entry["resource"]["id"] = f"copy-{number}"
        bundle["entry"].append(entry)
    data = json.dumps(bundle).encode()
    one, other = await asyncio.gather(
        people.provider.file_bundle(people.pseudonym, data),
        people.provider.file_bundle(people.pseudonym, data),
    )
    assert one.filed + other.filed == 500
    assert one.unchanged + other.unchanged == 500


@pytest.mark.skipif(not SYNTHEA.is_dir(), reason=f"{SYNTHEA} is not there")
@pytest.mark.parametrize("pattern", ["Buster*", "Clemente*", "Liz*"])
async def test_synthea_bundles_leave_no_trace(
    consortium: Consortium, people: People, pattern: str
) -> None:
    (path,) = SYNTHEA.glob(pattern)
    bundle = load_bundle(path.read_bytes(), policy=NORMAL)
    filed = await people.provider.file_bundle(people.pseudonym, bundle)
    assert filed.filed == len(bundle.resources)
    await people.permit()
    permit = await ask(people)
    result = await people.practitioner.read(permit, holder_msp=people.holder_msp)
    assert len(result.resources) == sum(
        "laboratory" in resource.labels.categories for resource in bundle.resources
    )
    report = scan_blocks(await blocks_of(consortium), phi_values(bundle))
    assert report.clean, report.findings
    assert report.transactions >= 4


async def test_a_planted_leak_is_found(consortium: Consortium, people: People) -> None:
    """The contract takes no free text in public; a certificate does, and is in every block."""
    name = f"Q{secrets.token_hex(6).translate(LETTERS)}"
    data = example_bundle().replace(b"Quenneville", name.encode())
    values = phi_values(load_bundle(data))
    await people.provider.file_bundle(people.pseudonym, data)
    before = scan_blocks(await blocks_of(consortium), values)
    assert before.clean, before.findings

    user = await consortium.enrol_user(
        ASKER,
        role="practitioner",
        attributes={"medfab.role": "practitioner", "medfab.practitioner": f"Dr {name}"},
    )
    leaky = AsyncPractitioner(await consortium.contract(ASKER, user, CHANNEL, CHAINCODE))
    await leaky.request_access(people.pseudonym, purpose="TREAT", categories=["laboratory"])
    after = scan_blocks(await blocks_of(consortium), values)
    assert {finding.kind for finding in after.findings} == {"name"}
    assert {finding.block_number for finding in after.findings} == {after.blocks - 1}
    assert name not in repr(after)


async def blocks_of(consortium: Consortium) -> list[Block]:
    """Every block of the channel, from the first to the last."""
    user = await consortium.enrol_user(
        HOLDER, role="auditor", attributes={"medfab.role": "auditor"}
    )
    qscc = await consortium.contract(HOLDER, user, CHANNEL, "qscc")
    answer = await qscc.evaluate("GetChainInfo", CHANNEL)
    height = ledger_pb2.BlockchainInfo.FromString(answer).height
    network = await consortium.network(HOLDER, user, CHANNEL)
    async with network.block_events(start_block=0, stop_block=height - 1) as blocks:
        return [block async for block in blocks]
