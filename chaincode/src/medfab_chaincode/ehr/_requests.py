"""Functions that decide about access, and commit the decision, a denial included (C1, C11)."""

from dataclasses import replace
from typing import Annotated

from medfab_chaincode import AccessDeniedError, Context, Contract, Transient, canonical_json, submit

from ._access_model import (
    AccessDecision,
    AccessDetails,
    AccessEntry,
    AccessRequest,
    Emergency,
    OnwardShare,
    PatientDecision,
    RequestBatch,
    Verdict,
    details_salt,
)
from ._appointment_model import Acting, Scope
from ._caller import PATIENTS, PRACTITIONERS, REQUESTERS, Caller, caller_of
from ._checks import check_patient, require
from ._codes import Kind, Reason
from ._consent_model import Consent, ConsentType, Purpose
from ._decision import BREAK_GLASS_MILLISECONDS, PERMIT_MILLISECONDS, Decision, decide
from ._keys import ObjectType
from ._log import log, now_of, write_row
from ._permit import permit_of
from ._purposes import EMERGENCY
from ._reviews import open_review
from ._rules import Requester
from ._standing import Standing, standing_of
from ._store import Store
from ._subject import subject_of


class Requests(Contract):
    """Who asks for what, and gets a permit or a denial."""

    @submit("RequestAccess", access=REQUESTERS)
    async def request_access(
        self, context: Context, patient: str, request: Annotated[AccessRequest, Transient()]
    ) -> AccessDecision:
        """Decide on ``request`` and record the decision, a denial included."""
        caller, store = caller_of(context), Store(context.stub)
        check_patient(patient)
        request.check()
        answer, kind, erased = await _decide(context, store, caller, patient, request)
        log(context, store, caller, kind, patient, erased=erased)
        return answer

    @submit("RequestAccessBatch", access=REQUESTERS)
    async def request_access_batch(
        self, context: Context, requests: Annotated[RequestBatch, Transient()]
    ) -> list[PatientDecision]:
        """Decide for the patients of a worklist, each by its own consents."""
        caller, store = caller_of(context), Store(context.stub)
        requests.check()
        answers, rows = [], []
        for item in requests.items:
            answer, kind, erased = await _decide(context, store, caller, item.patient, item.request)
            rows.append(write_row(context, store, caller, kind, item.patient, erased=erased))
            answers.append(
                PatientDecision(
                    patient=item.patient,
                    request_id=answer.request_id,
                    decision=answer.decision,
                    reason=answer.reason,
                    expires_at=answer.expires_at,
                )
            )
        event = {"kind": "access-decided-batch", "rows": rows}
        context.stub.set_event("access-decided-batch", canonical_json(event))
        return answers

    @submit("RequestOwnAccess", access=PATIENTS)
    async def request_own_access(
        self,
        context: Context,
        request: Annotated[AccessRequest, Transient()],
        acting: Annotated[Acting | None, Transient()],
    ) -> AccessDecision:
        """Permit patients, or who acts for them, to read; on record like every other read."""
        store, now = Store(context.stub), now_of(context)
        subject = await subject_of(context, store, acting, Scope.READ)
        request.check(everything=True)
        purpose = request.purpose is Purpose.PATIENT_REQUEST
        require(purpose, "request.purpose", Purpose.PATIENT_REQUEST)
        ends = [each.not_after for each in subject.chain]
        decision = Decision(
            reason=Reason.PERMITTED, expires_at=min([now + PERMIT_MILLISECONDS, *ends])
        )
        details = _details(
            context, subject.caller, request, decision, await store.consents(subject.patient)
        )
        answer = _commit(
            context,
            store,
            subject.caller,
            subject.patient,
            decision,
            replace(
                details,
                appointment_id=subject.appointment_id,
                excluded_labels=subject.excluded_labels,
            ),
        )
        log(context, store, subject.caller, Kind.ACCESS_PERMITTED, subject.patient)
        return answer

    @submit("BreakGlass", access=PRACTITIONERS)
    async def break_glass(
        self, context: Context, patient: str, emergency: Annotated[Emergency, Transient()]
    ) -> AccessDecision:
        """Open the record without consent, for a short time and in everybody's sight (C7)."""
        caller, store, now = caller_of(context), Store(context.stub), now_of(context)
        if EMERGENCY not in caller.functions:
            raise AccessDeniedError(
                f"only practitioners with {EMERGENCY} in attribute medfab.functions may call this "
                "function"
            )
        check_patient(patient)
        emergency.check()
        standing = await standing_of(store, caller, patient)
        reason = _objection(standing) or Reason.BREAK_GLASS
        permitted = reason.permits
        decision = Decision(
            reason=reason, expires_at=now + BREAK_GLASS_MILLISECONDS if permitted else None
        )
        consents = [] if standing.forgotten else await store.consents(patient)
        details = _details(context, caller, emergency.request(), decision, consents)
        answer = _commit(
            context,
            store,
            caller,
            patient,
            decision,
            replace(details, text=emergency.reason, include_part2=emergency.include_part2),
            private=not standing.forgotten,
        )
        if permitted:
            open_review(store, patient, context.transaction_id, caller.msp_id, now)
        kind = Kind.GLASS_BROKEN if permitted else Kind.ACCESS_DENIED
        log(context, store, caller, kind, patient, erased=standing.erased)
        return answer

    @submit("ShareOnward", access=REQUESTERS)
    async def share_onward(
        self,
        context: Context,
        patient: str,
        request_id: str,
        share: Annotated[OnwardShare, Transient()],
    ) -> AccessDecision:
        """Ask whether what was read may be passed on, and record that, whatever the answer.

        Permitted is what the recipient would be permitted, by a consent that allows redisclosure;
        the permit in hand must still be in force.
        """
        caller, store, now = caller_of(context), Store(context.stub), now_of(context)
        request = AccessRequest(
            purpose=share.purpose,
            categories=share.categories,
            resource_types=share.resource_types,
            basis=share.basis,
            salt=share.salt,
        )
        request.check("share")
        share.recipient.check("share.recipient")
        recipient = share.recipient
        require(recipient.msp_id is not None, "share.recipient.msp_id", "an organisation")
        require(recipient.practitioner is not None, "share.recipient.practitioner", "a person")
        permit = await permit_of(context, store, patient, request_id, caller.msp_id)
        consents = permit.consents
        to = Requester(
            msp_id=recipient.msp_id or "",
            practitioner=recipient.practitioner or "",
            functions=frozenset([recipient.role] if recipient.role else []),
        )
        # Denies count whatever they say of passing on; permits only if they allow it.
        decision = decide(
            [
                each
                for each in consents
                if each.terms.redisclosure or each.terms.type is ConsentType.DENY
            ],
            request,
            to,
            now,
        )
        details = _details(context, caller, request, decision, consents)
        answer = _commit(
            context,
            store,
            caller,
            patient,
            decision,
            # Nobody reads by this entry, so no data key is wrapped for it.
            replace(details, shared_to=recipient, shared_from=request_id, public_key=None),
        )
        kind = Kind.SHARED_ONWARD if decision.permitted else Kind.ACCESS_DENIED
        log(context, store, caller, kind, patient)
        return answer


async def _decide(
    context: Context, store: Store, caller: Caller, patient: str, request: AccessRequest
) -> tuple[AccessDecision, Kind, bool]:
    standing = await standing_of(store, caller, patient)
    consents = [] if standing.forgotten else await store.consents(patient)
    objection = _objection(standing)
    if objection is not None:
        decision = Decision(reason=objection)
    else:
        decision = decide(consents, request, caller.requester, now_of(context))
    details = _details(context, caller, request, decision, consents)
    answer = _commit(
        context, store, caller, patient, decision, details, private=not standing.forgotten
    )
    kind = Kind.ACCESS_PERMITTED if decision.permitted else Kind.ACCESS_DENIED
    return answer, kind, standing.erased


def _objection(standing: Standing) -> Reason | None:
    """Why nothing is permitted, whatever the consents. An unknown patient is one without any."""
    if standing.objection is not None:
        return standing.objection
    known = standing.patient is not None and not standing.forgotten
    return None if known else Reason.NO_CONSENT


def _details(
    context: Context,
    caller: Caller,
    request: AccessRequest,
    decision: Decision,
    consents: list[Consent],
) -> AccessDetails:
    return AccessDetails(
        request=request,
        practitioner=caller.subject,
        role=caller.role,
        functions=tuple(sorted(caller.functions)),
        reason=decision.reason,
        public_key=request.public_key or _certificate_key(context),
        salt=details_salt(request, consents),
    )


def _commit(
    context: Context,
    store: Store,
    caller: Caller,
    patient: str,
    decision: Decision,
    details: AccessDetails,
    *,
    private: bool = True,
) -> AccessDecision:
    entry = AccessEntry(
        requester_msp=caller.msp_id,
        requester=caller.client,
        decision=Verdict.PERMIT if decision.permitted else Verdict.DENY,
        reason=decision.reason.public,
        decided_at=now_of(context),
        expires_at=decision.expires_at,
        consents=decision.consents,
    )
    request_id = context.transaction_id
    store.put(ObjectType.ACCESS, patient, request_id, entry=entry)
    if private:  # nothing private is written any more about whom is being forgotten
        store.put_private(ObjectType.ACCESS, patient, request_id, value=details)
    return AccessDecision(
        request_id=request_id,
        decision=entry.decision,
        reason=entry.reason,
        expires_at=entry.expires_at,
    )


def _certificate_key(context: Context) -> str:
    """The caller's public key: whom a data key is wrapped for, if no other is named."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = context.client_identity.certificate.public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()
