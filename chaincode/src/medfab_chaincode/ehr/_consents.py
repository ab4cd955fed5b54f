"""Functions about consents: grant, amend, revoke, list."""

from dataclasses import replace
from typing import Annotated

from medfab_chaincode import Context, Contract, Transient, evaluate, submit

from ._appointment_model import Acting, Scope
from ._caller import PATIENTS
from ._checks import check_digest, refuse
from ._codes import Code, Kind
from ._consent_model import (
    Consent,
    ConsentEntry,
    ConsentHistory,
    ConsentStatus,
    ConsentVersion,
    ConsentView,
    Terms,
    TermsVersion,
    parse_terms,
)
from ._keys import CONSENTS_COLLECTION, ObjectType, number_part
from ._log import log, now_of
from ._store import Store, unavailable
from ._subject import Subject, subject_of

MAX_CURRENT = 200
"""Consents of a patient that a decision reads, at most."""

KEPT_MILLISECONDS = 30 * 24 * 3_600_000
"""How long an ended consent stays among them, so that a denial can say that it ended."""


class Consents(Contract):
    """What patients allow and forbid."""

    @submit("GrantConsent", access=PATIENTS)
    async def grant_consent(
        self,
        context: Context,
        consent: Annotated[Terms, Transient()],
        acting: Annotated[Acting | None, Transient()],
    ) -> ConsentVersion:
        """Record a consent of the patient; its id is the transaction's."""
        store, now = Store(context.stub), now_of(context)
        subject = await subject_of(context, store, acting, Scope.CONSENT)
        consent.check(now)
        present = await store.consents(subject.patient)
        _check_is_new(present, consent, now)
        _make_room(store, subject.patient, present, now)
        entry = ConsentEntry(status=ConsentStatus.ACTIVE, version=1, granted_at=now, changed_at=now)
        consent_id = context.transaction_id
        store.put(ObjectType.CONSENT, subject.patient, consent_id, entry=entry)
        store.put_private(ObjectType.CONSENT, subject.patient, consent_id, value=consent)
        log(context, store, subject.caller, Kind.CONSENT_GRANTED, subject.patient)
        return ConsentVersion(consent_id=consent_id, version=entry.version)

    @submit("AmendConsent", access=PATIENTS)
    async def amend_consent(
        self,
        context: Context,
        consent_id: str,
        consent: Annotated[Terms, Transient()],
        acting: Annotated[Acting | None, Transient()],
    ) -> ConsentVersion:
        """Give a consent its next version; every permit that rests on the earlier one ends."""
        store, now = Store(context.stub), now_of(context)
        subject = await subject_of(context, store, acting, Scope.CONSENT)
        consent.check(now)
        entry = await _active(store, subject.patient, consent_id)
        present = await store.consents(subject.patient)
        others = [each for each in present if each.id != consent_id]
        _check_is_new(others, consent, now)
        if len(others) == len(present):  # it had been put aside
            _make_room(store, subject.patient, present, now)
        (earlier,) = await store.terms(subject.patient, [consent_id])
        store.put_private(
            ObjectType.CONSENT_VERSION,
            subject.patient,
            consent_id,
            number_part(entry.version),
            value=earlier,
        )
        store.put_private(ObjectType.CONSENT, subject.patient, consent_id, value=consent)
        changed = replace(entry, version=entry.version + 1, changed_at=now)
        return _change(context, store, subject, consent_id, changed, Kind.CONSENT_AMENDED)

    @submit("RevokeConsent", access=PATIENTS)
    async def revoke_consent(
        self, context: Context, consent_id: str, acting: Annotated[Acting | None, Transient()]
    ) -> ConsentVersion:
        """End a consent of the patient; every permit that rests on it ends with it."""
        store, now = Store(context.stub), now_of(context)
        subject = await subject_of(context, store, acting, Scope.CONSENT)
        entry = await _active(store, subject.patient, consent_id)
        revoked = ConsentEntry(
            status=ConsentStatus.REVOKED,
            version=entry.version + 1,
            granted_at=entry.granted_at,
            changed_at=now,
        )
        return _change(context, store, subject, consent_id, revoked, Kind.CONSENT_REVOKED)

    @evaluate("ListConsents", access=PATIENTS)
    async def list_consents(
        self, context: Context, acting: Annotated[Acting | None, Transient()]
    ) -> list[ConsentView]:
        """List the patient's consents, newest first, revoked ones included."""
        store = Store(context.stub)
        subject = await subject_of(context, store, acting, Scope.AUDIT)
        consents = [
            *await store.consents(subject.patient),
            *await store.consents(subject.patient, ObjectType.CONSENT_ENDED),
        ]
        rows = [_view(consent) for consent in consents]
        return sorted(rows, key=lambda row: (row.granted_at, row.consent_id), reverse=True)

    @evaluate("ReadConsent", access=PATIENTS)
    async def read_consent(
        self, context: Context, consent_id: str, acting: Annotated[Acting | None, Transient()]
    ) -> ConsentHistory:
        """Show every version of a consent of the patient."""
        store = Store(context.stub)
        subject = await subject_of(context, store, acting, Scope.AUDIT)
        entry = await _entry(store, subject.patient, consent_id)
        revoked = entry.status is ConsentStatus.REVOKED
        last = entry.version - 1 if revoked else entry.version  # a revoke changes no terms
        versions = [
            TermsVersion(
                version=number, terms=await _terms_at(store, subject.patient, consent_id, number)
            )
            for number in range(1, last)
        ]
        (present,) = await store.terms(subject.patient, [consent_id])
        return ConsentHistory(
            consent_id=consent_id,
            status=entry.status,
            version=entry.version,
            granted_at=entry.granted_at,
            changed_at=entry.changed_at,
            versions=(*versions, TermsVersion(version=last, terms=present)),
        )


async def _terms_at(store: Store, patient: str, consent_id: str, version: int) -> Terms:
    ids = (patient, consent_id, number_part(version))
    key = store.key(ObjectType.CONSENT_VERSION, *ids)
    data = await store.stub.get_private_data(CONSENTS_COLLECTION, key)
    return parse_terms(unavailable() if data is None else data)


async def _entry(store: Store, patient: str, consent_id: str) -> ConsentEntry:
    check_digest(consent_id, "consent_id")
    for object_type in (ObjectType.CONSENT, ObjectType.CONSENT_ENDED):
        entry = await store.get(ConsentEntry, object_type, patient, consent_id)
        if entry is not None:
            return entry
    raise refuse(Code.NOT_FOUND, "you have no consent with this id", 404)


async def _active(store: Store, patient: str, consent_id: str) -> ConsentEntry:
    entry = await _entry(store, patient, consent_id)
    if entry.status is ConsentStatus.REVOKED:
        raise refuse(Code.ALREADY_REVOKED, "this consent is revoked already", 409)
    return entry


def _change(
    context: Context,
    store: Store,
    subject: Subject,
    consent_id: str,
    entry: ConsentEntry,
    kind: Kind,
) -> ConsentVersion:
    store.put(ObjectType.CONSENT, subject.patient, consent_id, entry=entry)
    # One that had been put aside comes back, and is put aside again in time.
    store.delete(ObjectType.CONSENT_ENDED, subject.patient, consent_id)
    stale = replace(subject.entry, revoked_at=entry.changed_at)
    store.put(ObjectType.PATIENT, subject.patient, entry=stale)
    log(context, store, subject.caller, kind, subject.patient, ref=consent_id)
    return ConsentVersion(consent_id=consent_id, version=entry.version)


def _ended_at(consent: Consent) -> int | None:
    if consent.entry.status is ConsentStatus.REVOKED:
        return consent.entry.changed_at
    rules = [consent.terms.rule]
    rules += [each.rule.within(consent.terms.rule) for each in consent.terms.exceptions]
    ends = [rule.not_after for rule in rules if rule.not_after is not None]
    return max(ends) if len(ends) == len(rules) else None


def _is_over(consent: Consent, now: int) -> bool:
    ended = _ended_at(consent)
    return ended is not None and ended <= now


def _check_is_new(present: list[Consent], terms: Terms, now: int) -> None:
    for consent in present:
        if not _is_over(consent, now) and consent.terms.repeats(terms):
            raise refuse(
                Code.DUPLICATE_CONSENT,
                f"consent {consent.id} says the same and is in force: "
                "amend it to give it another period",
                409,
            )


def _make_room(store: Store, patient: str, present: list[Consent], now: int) -> None:
    """Put aside what ended long ago, and sooner if there is no room: no decision reads it then."""
    ended = sorted(
        (consent for consent in present if _is_over(consent, now)),
        key=lambda consent: (_ended_at(consent) or 0, consent.id),
    )
    excess = len(present) + 1 - MAX_CURRENT
    for number, consent in enumerate(ended):
        if number < excess or (_ended_at(consent) or 0) + KEPT_MILLISECONDS <= now:
            store.delete(ObjectType.CONSENT, patient, consent.id)
            store.put(ObjectType.CONSENT_ENDED, patient, consent.id, entry=consent.entry)
    if excess > len(ended):
        raise refuse(
            Code.TOO_MANY_CONSENTS,
            f"a patient has {MAX_CURRENT} consents in force at most: revoke what is not needed",
            409,
        )


def _view(consent: Consent) -> ConsentView:
    return ConsentView(
        consent_id=consent.id,
        status=consent.entry.status,
        version=consent.entry.version,
        granted_at=consent.entry.granted_at,
        changed_at=consent.entry.changed_at,
        type=consent.terms.type,
        rule=consent.terms.rule,
        exceptions=consent.terms.exceptions,
        redisclosure=consent.terms.redisclosure,
        source=consent.terms.source,
    )
