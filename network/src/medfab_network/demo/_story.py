"""The story of one record. Each step checks what it says."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from medfab_gateway import AsyncContract
from medfab_gateway.ehr import (
    Access,
    AccessDecision,
    AsyncKeyAgent,
    AsyncPatient,
    AsyncPractitioner,
    AsyncProvider,
    Bundle,
    DocumentStore,
    FilingKey,
    FilingProgress,
    FilingResult,
    KeyStore,
    LabelPolicy,
    Purpose,
    ReadResult,
    Resource,
    load_private_key,
)
from medfab_gateway.errors import EvaluateError
from medfab_gateway.wallet import FileSystemWallet
from medfab_network.demo._narrator import Narrator
from medfab_network.errors import NetworkError
from medfab_network.network import Network
from medfab_network.topology import User

CHANNEL = "care"
CHAINCODE = "ehr"
HOLDER, ASKER = "hospital", "clinic"
_PORTION = "laboratory"
_SHOWN_RESULTS = 5
_CATCH_UP_TIMEOUT = 30.0


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is left of the story."""

    patient: str
    """Label of the patient's identity in the holder's wallet."""
    filing_transactions: int


async def tell(network: Network, bundle: Bundle, narrator: Narrator) -> Told:
    """Play all roles."""
    holder = network.topology.organization(HOLDER)
    pseudonym = secrets.token_hex(16)
    label = f"patient-{pseudonym}"
    async with AsyncExitStack() as stack:

        async def contract_of(organization: str, user: str) -> AsyncContract:
            gateway = await stack.enter_async_context(network.gateway(organization, user))
            return gateway.network(CHANNEL).contract(CHAINCODE)

        await network.enrol_user(
            HOLDER,
            User(name=label, attributes={"medfab.role": "patient", "medfab.patient": pseudonym}),
        )
        patient = AsyncPatient(await contract_of(HOLDER, label))
        of_holder = await contract_of(HOLDER, "practitioner")
        secrets_of_holder = Path(network.wallet(HOLDER))
        filing_key = FilingKey.load_or_create(secrets_of_holder / "filing-key")
        keys = KeyStore(secrets_of_holder / "data-keys", filing_key)
        provider = AsyncProvider(
            of_holder,
            msp_id=holder.msp_id,
            filing_key=filing_key,
            keys=keys,
            documents=DocumentStore(str(network.directory / "documents")),
            labels=LabelPolicy(confidentiality="N"),  # bundles from Synthea have no labels
        )
        key_agent = AsyncKeyAgent(of_holder, msp_id=holder.msp_id, keys=keys)
        own_key = FileSystemWallet(network.wallet(ASKER)).get("practitioner").private_key_pem
        asker = AsyncPractitioner(
            await contract_of(ASKER, "practitioner"),
            private_key=load_private_key(own_key),
            documents=DocumentStore(str(network.directory / "documents")),
        )

        filing = await _file(patient, provider, pseudonym, bundle, narrator)
        await _ask_without_consent(asker, pseudonym, narrator)

        narrator.step(
            "The patient grants the clinic laboratory results, for treatment, for 30 days"
        )
        consent = await patient.grant(
            grantee_msp=network.topology.organization(ASKER).msp_id,
            purposes=[Purpose.TREATMENT],
            categories=[_PORTION],
            not_after=datetime.now(UTC) + timedelta(days=30),
        )
        narrator.good("granted; its terms are known to the consent's custodians alone")

        permit = await _ask_with_consent(asker, pseudonym, narrator)
        await wait_for_blocks(network, HOLDER, of=(ASKER,))
        _check(await key_agent.wrap(pseudonym, permit.request_id), "the permit is in force")
        narrator.good(
            "the hospital's key agent seals the key of the patient's records to the practitioner's"
        )
        await _read(asker, permit, holder.msp_id, bundle, narrator)

        narrator.step("The patient revokes the consent")
        revoked = await patient.revoke(consent.consent_id)
        _check(revoked.version == consent.version + 1, "the consent has a new version")
        narrator.good("revoked, from this block on")

        await _read_after_revocation(asker, permit, holder.msp_id, narrator)
        await _ask_without_consent(asker, pseudonym, narrator, again=True)
        await wait_for_blocks(network, HOLDER, of=(ASKER,))
        await _audit(patient, narrator)
    return Told(patient=label, filing_transactions=filing.transactions)


async def wait_for_blocks(network: Network, organization: str, *, of: Sequence[str]) -> int:
    """Wait until an organisation's peer has all blocks that those `of` the others have.

    A commit is waited for at the caller's own peer; the others follow some milliseconds later.
    Returns the number of blocks.
    """
    wanted = max([await network.ledger_height(other, CHANNEL) for other in of])
    try:
        async with asyncio.timeout(_CATCH_UP_TIMEOUT):
            # Another process's ledger: there is no event of ours to wait for.
            while (height := await network.ledger_height(organization, CHANNEL)) < wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    except TimeoutError as error:
        raise NetworkError(
            f"the peer of {organization} has not got all {wanted} blocks of {CHANNEL} within "
            f"{_CATCH_UP_TIMEOUT:.0f} s; its log says why"
        ) from error
    return height


async def _file(
    patient: AsyncPatient,
    provider: AsyncProvider,
    pseudonym: str,
    bundle: Bundle,
    narrator: Narrator,
) -> FilingResult:
    narrator.step("The patient registers, under a pseudonym that the certificate carries")
    await patient.register()
    narrator.good(f"{pseudonym} is all that the channel will ever know of the patient")
    narrator.step("The hospital's practitioner files the bundle into the hospital's private data")

    def show(progress: FilingProgress) -> None:
        narrator.live(f"{progress.records} of {progress.of_records} records filed")

    result = await provider.file_bundle(pseudonym, bundle, progress=show)
    _check(result.filed == len(bundle.resources), "every record is filed")
    if result.transactions == 1:
        blocks = "one transaction; its block holds"
    else:
        blocks = f"{result.transactions} transactions; their blocks hold"
    narrator.good(f"{result.filed} records in {blocks} nothing of them but salted hashes")
    narrator.note("each is encrypted under a key of its own before it leaves the practitioner")
    return result


async def _ask_without_consent(
    asker: AsyncPractitioner, pseudonym: str, narrator: Narrator, *, again: bool = False
) -> None:
    once_more = " once more" if again else ""
    narrator.step(f"The clinic's practitioner asks for the laboratory results{once_more}")
    decision = await asker.request_access(
        pseudonym, purpose=Purpose.TREATMENT, categories=[_PORTION]
    )
    _check(not decision.permitted, "nobody is permitted without consent")
    narrator.refused(f"denied: {_words(decision.reason)}; the denial is on record")


async def _ask_with_consent(
    asker: AsyncPractitioner, pseudonym: str, narrator: Narrator
) -> AccessDecision:
    narrator.step("The clinic's practitioner asks again")
    permit = await asker.request_access(pseudonym, purpose=Purpose.TREATMENT, categories=[_PORTION])
    _check(permit.permitted and permit.expires_at is not None, "the consent permits")
    narrator.good(f"permitted until {permit.expires_at:%H:%M UTC}; the permit is on record")
    return permit


async def _read(
    asker: AsyncPractitioner,
    permit: AccessDecision,
    holder_msp: str,
    bundle: Bundle,
    narrator: Narrator,
) -> None:
    narrator.step("The clinic's practitioner reads with the permit, at the hospital's peer")
    result = await asker.read(permit, holder_msp=holder_msp)
    expected = [r for r in bundle.resources if _PORTION in r.labels.categories]
    _check_released(result, expected, len(bundle.resources))
    rows = [_result(json.loads(text, parse_float=str)) for text in result.resources]
    observations = [row for row in rows if row is not None]
    others = len(rows) - len(observations)
    reports = f" and {others} laboratory report{'s' if others > 1 else ''}" if others else ""
    narrator.good(
        f"{len(observations)} laboratory results{reports}, exactly as they were filed; "
        f"{result.withheld} other records are withheld"
    )
    if observations:
        narrator.table(["result", "value"], observations[:_SHOWN_RESULTS])
        if len(observations) > _SHOWN_RESULTS:
            narrator.note(f"… and {len(observations) - _SHOWN_RESULTS} more")


async def _read_after_revocation(
    asker: AsyncPractitioner, permit: AccessDecision, holder_msp: str, narrator: Narrator
) -> None:
    narrator.step("The clinic's practitioner tries to read with the old permit")
    try:
        await asker.read(permit, holder_msp=holder_msp)
    except EvaluateError as error:
        code = error.chaincode.code if error.chaincode else None
        _check(code == "CONSENT_REVOKED", "the reason is the revocation")
        narrator.refused("refused: the consent behind the permit has been revoked")
    else:
        _check(False, "a revoked consent ends its permits")


async def _audit(patient: AsyncPatient, narrator: Narrator) -> None:
    narrator.step("The patient lists who asked for what, when, why, and what was decided")
    accesses = await patient.accesses()
    _check([a.permitted for a in accesses] == [False, True, False], "every request is on record")
    narrator.table(
        ["when (UTC)", "who", "what", "why", "decision"], [_access_row(a) for a in accesses]
    )


def _access_row(access: Access) -> list[str]:
    decision = "permitted" if access.permitted else f"denied: {_words(access.reason)}"
    return [
        f"{access.decided_at:%H:%M:%S}",
        f"{access.practitioner}\n({access.requester_msp})",
        ", ".join([*access.categories, *access.resource_types]),
        _PURPOSES.get(access.purpose, str(access.purpose)),
        decision,
    ]


_PURPOSES = {Purpose.TREATMENT: "treatment"}


def _words(reason: str) -> str:
    return reason.replace("-", " ")


def _check_released(result: ReadResult, expected: list[Resource], filed: int) -> None:
    released = sorted(result.resources)
    _check(released == sorted(r.text for r in expected), "exactly the permitted records come back")
    _check(len(released) + result.withheld == filed, "what is withheld is counted")


def _result(resource: dict[str, Any]) -> list[str] | None:
    """Name and value of an Observation, in its own digits; None for anything else."""
    if resource.get("resourceType") != "Observation":
        return None
    return [_text(resource.get("code")) or "?", _value(resource)]


def _value(resource: dict[str, Any]) -> str:
    quantity = resource.get("valueQuantity")
    if isinstance(quantity, dict):
        return f"{quantity.get('value', '?')} {quantity.get('unit', '')}".strip()
    components = resource.get("component")
    if isinstance(components, list):
        return ", ".join(_value(each) for each in components)
    return _text(resource.get("valueCodeableConcept")) or str(resource.get("valueString", "…"))


def _text(concept: Any) -> str | None:
    """What a FHIR CodeableConcept is called."""
    if not isinstance(concept, dict):
        return None
    first = (concept.get("coding") or [{}])[0]
    name = concept.get("text") or first.get("display") or first.get("code")
    return None if name is None else str(name)


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise NetworkError(f"the demonstration failed: not true that {what}")
