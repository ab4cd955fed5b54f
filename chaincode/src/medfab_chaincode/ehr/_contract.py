"""The functions of the contract ``ehr``, by their wire names. See docs/design/ehr.md."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from medfab_chaincode import Context, Contract, ContractError, Transient, evaluate, submit

from . import _records
from ._caller import (
    PATIENTS,
    PRACTITIONERS,
    calling_patient,
    calling_practitioner,
    client_digest,
)
from ._codes import Code
from ._decision import decide
from ._keys import ObjectType
from ._model import (
    AccessDecision,
    AccessDetails,
    AccessEntry,
    AccessRequest,
    AccessView,
    ConsentEntry,
    ConsentStatus,
    ConsentTerms,
    ConsentVersion,
    ConsentView,
    Filed,
    FilingBatch,
    PatientEntry,
    Released,
    Verdict,
    check_msp_id,
    check_patient,
    check_transaction_id,
    details_salt,
)
from ._store import Store

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EhrContract(Contract):
    """Records stay with their holder; a committed decision on consent lets them out."""

    name = "ehr"

    @submit("RegisterPatient", access=PATIENTS)
    async def register_patient(self, context: Context) -> None:
        """Bind the pseudonym in the patient's certificate to the organisation that issued it."""
        caller = calling_patient(context)
        store = Store(context.stub)
        if await store.patient(caller.pseudonym) is not None:
            raise ContractError(
                "this patient is registered already",
                code=Code.ALREADY_REGISTERED,
                status=409,
            )
        entry = PatientEntry(home_msp=caller.msp_id, registered_at=_now(context), status="active")
        store.put(ObjectType.PATIENT, caller.pseudonym, entry=entry)

    @submit("FileRecords", access=PRACTITIONERS)
    async def file_records(
        self, context: Context, patient: str, records: Annotated[FilingBatch, Transient()]
    ) -> Filed:
        """File ``records`` with the practitioner's organisation, all or none.

        Endorsed by that organisation alone. Filing the same content again changes nothing.
        """
        filer = calling_practitioner(context)
        records.check()
        if await Store(context.stub).patient(check_patient(patient)) is None:
            raise _not_registered()
        return await _records.file(context.stub, filer.msp_id, patient, records, _now(context))

    @submit("GrantConsent", access=PATIENTS)
    async def grant_consent(
        self, context: Context, terms: Annotated[ConsentTerms, Transient("consent")]
    ) -> ConsentVersion:
        """Record a consent of the calling patient; its id is the transaction's."""
        store = Store(context.stub)
        patient = await _registered_patient(context, store)
        now = _now(context)
        terms.check(now)
        for consent in await store.consents(patient):
            over = consent.terms.not_after is not None and consent.terms.not_after <= now
            live = consent.entry.status is ConsentStatus.ACTIVE and not over
            if live and consent.terms.repeats(terms):
                raise ContractError(
                    f"consent {consent.id} says the same and is in force: "
                    "revoke it first to give it another period",
                    code=Code.DUPLICATE_CONSENT,
                    status=409,
                )
        consent_id = context.transaction_id
        entry = ConsentEntry(status=ConsentStatus.ACTIVE, version=1, granted_at=now, changed_at=now)
        store.put(ObjectType.CONSENT, patient, consent_id, entry=entry)
        store.put_private(ObjectType.CONSENT, patient, consent_id, value=terms)
        return ConsentVersion(consent_id=consent_id, version=entry.version)

    @submit("RevokeConsent", access=PATIENTS)
    async def revoke_consent(self, context: Context, consent_id: str) -> ConsentVersion:
        """End a consent of the calling patient; every permit that rests on it ends with it."""
        store = Store(context.stub)
        patient = await _registered_patient(context, store)
        entry = await store.consent_entry(patient, check_transaction_id(consent_id, "consent_id"))
        if entry is None:
            raise ContractError("you have no consent with this id", code=Code.NOT_FOUND, status=404)
        if entry.status is ConsentStatus.REVOKED:
            raise ContractError(
                "this consent is revoked already", code=Code.ALREADY_REVOKED, status=409
            )
        revoked = ConsentEntry(
            status=ConsentStatus.REVOKED,
            version=entry.version + 1,
            granted_at=entry.granted_at,
            changed_at=_now(context),
        )
        store.put(ObjectType.CONSENT, patient, consent_id, entry=revoked)
        return ConsentVersion(consent_id=consent_id, version=revoked.version)

    @submit("RequestAccess", access=PRACTITIONERS)
    async def request_access(
        self, context: Context, patient: str, request: Annotated[AccessRequest, Transient()]
    ) -> AccessDecision:
        """Decide on ``request`` and record the decision, a denial included."""
        requester = calling_practitioner(context)
        check_patient(patient)
        request.check()
        store = Store(context.stub)
        now = _now(context)
        consents = await store.consents(patient)
        decision = decide(consents, request, requester, now)
        entry = AccessEntry(
            requester_msp=requester.msp_id,
            requester=client_digest(context),
            decision=Verdict.PERMIT if decision.permitted else Verdict.DENY,
            reason=decision.reason.public,
            decided_at=now,
            expires_at=decision.expires_at,
            consents=decision.consents,
        )
        details = AccessDetails(
            request=request,
            practitioner=requester.practitioner,
            reason=decision.reason,
            portions=decision.portions,
            exclusions=decision.exclusions,
            salt=details_salt(request, consents),
        )
        request_id = context.transaction_id
        store.put(ObjectType.ACCESS, patient, request_id, entry=entry)
        store.put_private(ObjectType.ACCESS, patient, request_id, value=details)
        return AccessDecision(
            request_id=request_id,
            decision=entry.decision,
            reason=entry.reason,
            expires_at=entry.expires_at,
        )

    @evaluate("ReadRecords", access=PRACTITIONERS)
    async def read_records(
        self, context: Context, patient: str, request_id: str, holder_msp: str
    ) -> Released:
        """Release what the caller's committed permit and the present consents both allow.

        Evaluate it at a peer of ``holder_msp``: the records are nowhere else.
        """
        requester = calling_practitioner(context)
        check_patient(patient)
        check_transaction_id(request_id, "request_id")
        check_msp_id(holder_msp, "holder_msp")
        store = Store(context.stub)
        now = _now(context)
        access = await store.access_entry(patient, request_id)
        if (
            access is None
            or access.decision is not Verdict.PERMIT
            or access.requester_msp != requester.msp_id
            or access.requester != client_digest(context)
        ):
            # One answer for all: a stranger does not learn which of them it was.
            raise ContractError(
                "you have no permit with this id for this patient: request access first",
                code=Code.NOT_PERMITTED,
                status=403,
            )
        if access.expires_at is None or now >= access.expires_at:
            raise ContractError(
                "the permit is over: request access again", code=Code.PERMIT_EXPIRED, status=403
            )
        consents = await store.consents(patient)
        in_force = {
            ConsentVersion(consent_id=consent.id, version=consent.entry.version)
            for consent in consents
            if consent.entry.status is ConsentStatus.ACTIVE
        }
        details = await store.access_details(patient, request_id)
        present = decide(consents, details.request, requester, now)
        if not present.permitted or not in_force.issuperset(access.consents):
            raise ContractError(
                "the patient has withdrawn or changed a consent that this permit rests on",
                code=Code.CONSENT_REVOKED,
                status=403,
            )
        grants = [
            (details.portions, details.exclusions),
            (present.portions, present.exclusions),
        ]
        return await _records.release(context.stub, holder_msp, patient, grants)

    @evaluate("ListConsents", access=PATIENTS)
    async def list_consents(self, context: Context) -> list[ConsentView]:
        """List the calling patient's consents, newest first, revoked ones included."""
        store = Store(context.stub)
        patient = await _registered_patient(context, store)
        rows = [
            ConsentView(
                consent_id=consent.id,
                status=consent.entry.status,
                version=consent.entry.version,
                granted_at=consent.entry.granted_at,
                changed_at=consent.entry.changed_at,
                type=consent.terms.type,
                grantee_msp=consent.terms.grantee_msp,
                practitioner=consent.terms.practitioner,
                purposes=consent.terms.purposes,
                categories=consent.terms.categories,
                resource_types=consent.terms.resource_types,
                not_before=consent.terms.not_before,
                not_after=consent.terms.not_after,
            )
            for consent in await store.consents(patient)
        ]
        return sorted(rows, key=lambda row: (row.granted_at, row.consent_id), reverse=True)

    @evaluate("ListAccess", access=PATIENTS)
    async def list_access(self, context: Context) -> list[AccessView]:
        """List who asked for the calling patient's records, when, why, and what was decided."""
        store = Store(context.stub)
        patient = await _registered_patient(context, store)
        rows = [
            AccessView(
                request_id=request_id,
                requester_msp=entry.requester_msp,
                practitioner=details.practitioner,
                purpose=details.request.purpose,
                categories=details.request.categories,
                resource_types=details.request.resource_types,
                decision=entry.decision,
                reason=details.reason,
                decided_at=entry.decided_at,
                expires_at=entry.expires_at,
            )
            for request_id, entry, details in await store.accesses(patient)
        ]
        return sorted(rows, key=lambda row: (row.decided_at, row.request_id), reverse=True)


async def _registered_patient(context: Context, store: Store) -> str:
    """The calling patient's pseudonym, vouched for by the organisation that registered it."""
    caller = calling_patient(context)
    entry = await store.patient(caller.pseudonym)
    if entry is None:
        raise _not_registered()
    if entry.home_msp != caller.msp_id:
        # Any organisation's CA can write any pseudonym into a certificate.
        raise ContractError(
            "this patient is registered with another organisation",
            code=Code.NOT_AUTHORISED,
            status=403,
        )
    return caller.pseudonym


def _not_registered() -> ContractError:
    return ContractError(
        "the patient is not registered: the patient calls RegisterPatient first",
        code=Code.NOT_REGISTERED,
        status=404,
    )


def _now(context: Context) -> int:
    return (context.timestamp - _EPOCH) // timedelta(milliseconds=1)
