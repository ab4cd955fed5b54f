"""A committed permit: whether it is the caller's, and whether what it rests on still holds."""

from dataclasses import dataclass

from medfab_chaincode import Context

from ._access_model import AccessDetails, AccessEntry, Verdict
from ._appointment_model import Acting, Scope
from ._caller import Caller, caller_of
from ._checks import check_digest, check_msp_id, check_patient, refuse
from ._codes import Code
from ._consent_model import Consent, ConsentEntry, ConsentStatus
from ._decision import Release, decide, is_active
from ._keys import ObjectType
from ._log import now_of
from ._standing import standing_of
from ._store import Store
from ._subject import subject_of


@dataclass(frozen=True, kw_only=True)
class Permit:
    """A permit of the caller that is in force."""

    entry: AccessEntry
    details: AccessDetails
    consents: list[Consent]
    """The patient's, now."""
    release: Release
    """By which each record is judged."""


async def permit_of(
    context: Context, store: Store, patient: str, request_id: str, holder_msp: str
) -> Permit:
    """Refuse unless the caller's permit is in force."""
    caller, now = caller_of(context), now_of(context)
    check_patient(patient)
    check_digest(request_id, "request_id")
    check_msp_id(holder_msp, "holder_msp")
    standing = await standing_of(store, caller, patient)
    standing.check()
    if standing.forgotten:
        standing.registered()
    entry = await store.get(AccessEntry, ObjectType.ACCESS, patient, request_id)
    if entry is None or entry.decision is not Verdict.PERMIT or not _is_callers(entry, caller):
        # One answer for all: a stranger does not learn which of them it was.
        raise refuse(
            Code.NOT_PERMITTED,
            "you have no permit with this id for this patient: request access first",
        )
    (details,) = await store.access_details(patient, [request_id])
    if details.shared_to is not None:
        raise refuse(Code.NOT_PERMITTED, "an onward share lets the recipient read, not the sharer")
    if details.appointment_id is not None:
        acting = Acting(patient=patient, appointment_id=details.appointment_id)
        await subject_of(context, store, acting, Scope.READ)
    if entry.expires_at is None or now >= entry.expires_at:
        raise refuse(Code.PERMIT_EXPIRED, "the permit is over: request access again")
    consents = await store.consents(patient)
    if entry.consents:
        in_force = {consent.at_version for consent in consents if is_active(consent)}
        present = decide(consents, details.request, caller.requester, now)
        if not present.permitted or not in_force.issuperset(entry.consents):
            raise refuse(
                Code.CONSENT_REVOKED,
                "the patient has withdrawn or changed a consent that this permit rests on",
            )
    release = Release(
        request=details.request,
        requester=caller.requester,
        consents=consents,
        pinned=frozenset(entry.consents),
        now=now,
        include_part2=details.include_part2,
        excluded_labels=frozenset(details.excluded_labels),
    )
    return Permit(entry=entry, details=details, consents=consents, release=release)


async def pins_hold(store: Store, patient: str, entry: AccessEntry) -> bool:
    """Is every consent that a permit rests on still at the version decided upon?"""
    for pinned in entry.consents:
        now = await store.get(ConsentEntry, ObjectType.CONSENT, patient, pinned.consent_id)
        if now is None or now.status is ConsentStatus.REVOKED or now.version != pinned.version:
            return False
    return True


def _is_callers(entry: AccessEntry, caller: Caller) -> bool:
    return (entry.requester_msp, entry.requester) == (caller.msp_id, caller.client)
