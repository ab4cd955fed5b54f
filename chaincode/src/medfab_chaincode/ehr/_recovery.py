"""Functions about lost keys: t of n custodians give back what the patient has entrusted (R5).

The contract records who is enrolled and who has approved; shares are sealed text to it.
"""

from dataclasses import dataclass
from typing import Annotated

from medfab_chaincode import Context, Contract, Transient, evaluate, submit

from ._appointment_model import Acting, Scope
from ._caller import CUSTODIANS, ONLY_PATIENTS, PATIENTS, Caller, caller_of
from ._checks import (
    check_digest,
    check_hex,
    check_list,
    check_msp_id,
    check_patient,
    check_person,
    check_salt,
    check_text,
    refuse,
    require,
)
from ._codes import Code, Kind
from ._keys import ObjectType
from ._log import log, now_of
from ._standing import registered, subject_digest
from ._store import Store
from ._subject import subject_of

_MOST = 16
_MAX_SHARE = 4096


@dataclass(frozen=True, kw_only=True)
class Custodian:
    """Who keeps a share; it is sealed to that person's key."""

    msp_id: str
    person: str
    share: str


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Transient ``shares`` of ``EnrolCustodians``, and what is kept (private)."""

    threshold: int
    custodians: tuple[Custodian, ...]
    salt: str

    def check(self) -> None:
        """Refuse fewer custodians than the threshold, or one who is enrolled twice."""
        field = "shares.custodians"
        require(1 < len(self.custodians) <= _MOST, field, f"2 to {_MOST} custodians")
        check_list([(each.msp_id, each.person) for each in self.custodians], field)
        require(
            1 < self.threshold <= len(self.custodians),
            "shares.threshold",
            "at least 2, and no more than there are custodians",
        )
        check_salt(self.salt, "shares.salt")
        for index, each in enumerate(self.custodians):
            check_msp_id(each.msp_id, f"{field}[{index}].msp_id")
            check_person(each.person, f"{field}[{index}].person")
            check_text(each.share, f"{field}[{index}].share", least=1, most=_MAX_SHARE)


@dataclass(frozen=True, kw_only=True)
class RecoveryKey:
    """Transient ``recovery``: the new key that shares are to be sealed to."""

    public_key: str
    salt: str


@dataclass(frozen=True, kw_only=True)
class ApprovedShare:
    """Transient ``share``: the custodian's share, sealed to the new key."""

    share: str
    salt: str


@dataclass(frozen=True, kw_only=True)
class RecoveryEntry:
    """Public: a recovery was asked for; the latest one counts."""

    recovery_id: str
    requested_at: int


@dataclass(frozen=True, kw_only=True)
class ApprovalEntry:
    """Public: one custodian, by digest, has approved."""

    approved_at: int
    msp_id: str


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    """Answer of ``EnrolCustodians``."""

    custodians: int


@dataclass(frozen=True, kw_only=True)
class RecoveryRequested:
    """Answer of ``RequestRecovery``."""

    recovery_id: str


@dataclass(frozen=True, kw_only=True)
class Approvals:
    """Answer of ``ApproveRecovery``."""

    approvals: int
    threshold: int


@dataclass(frozen=True, kw_only=True)
class OwnShare:
    """Answer of ``ReadShare``."""

    share: str
    recovery_id: str | None
    """The recovery to approve; None: nobody asked for one."""
    public_key: str | None


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """Answer of ``ReadRecovery``; without shares before there are enough."""

    approvals: int
    threshold: int
    shares: tuple[Custodian, ...]


class Recoveries(Contract):
    """Custodians, and what they give back."""

    @submit("EnrolCustodians", access=PATIENTS)
    async def enrol_custodians(
        self,
        context: Context,
        shares: Annotated[Shares, Transient()],
        acting: Annotated[Acting | None, Transient()],
    ) -> Enrolled:
        """Entrust a secret to custodians; enrolling again replaces them all."""
        store = Store(context.stub)
        subject = await subject_of(context, store, acting, Scope.DELEGATE)
        shares.check()
        store.put_private(ObjectType.SHARE, subject.patient, value=shares)
        # Approvals were for the shares before.
        store.delete(ObjectType.RECOVERY, subject.patient)
        log(context, store, subject.caller, Kind.CUSTODIANS_ENROLLED, subject.patient)
        return Enrolled(custodians=len(shares.custodians))

    @submit("RequestRecovery", access=ONLY_PATIENTS)
    async def request_recovery(
        self, context: Context, recovery: Annotated[RecoveryKey, Transient()]
    ) -> RecoveryRequested:
        """Ask the custodians for their shares; an earlier request counts no more.

        The patient has a new certificate of the same organisation, and no key but that.
        """
        store = Store(context.stub)
        subject = await subject_of(context, store, None, Scope.DELEGATE)
        check_hex(recovery.public_key, "recovery.public_key")
        check_salt(recovery.salt, "recovery.salt")
        await _shares(store, subject.patient)
        id_ = context.transaction_id
        entry = RecoveryEntry(recovery_id=id_, requested_at=now_of(context))
        store.put(ObjectType.RECOVERY, subject.patient, entry=entry)
        store.put_private(ObjectType.RECOVERY, subject.patient, id_, value=recovery)
        log(context, store, subject.caller, Kind.RECOVERY_REQUESTED, subject.patient)
        return RecoveryRequested(recovery_id=id_)

    @submit("ApproveRecovery", access=CUSTODIANS)
    async def approve_recovery(
        self,
        context: Context,
        patient: str,
        recovery_id: str,
        share: Annotated[ApprovedShare, Transient()],
    ) -> Approvals:
        """Give the own share, sealed to the new key."""
        caller, store = caller_of(context), Store(context.stub)
        check_patient(patient)
        check_digest(recovery_id, "recovery_id")
        check_text(share.share, "share.share", least=1, most=_MAX_SHARE)
        check_salt(share.salt, "share.salt")
        registered(await store.patient(patient))
        shares = await _shares(store, patient)
        own = _own(shares, caller)
        await _check_present(store, patient, recovery_id)
        custodian = subject_digest(own.msp_id, own.person)
        ids = (patient, recovery_id, custodian)
        approved = [
            parts[2]
            async for parts, _ in store.rows(
                ApprovalEntry, ObjectType.RECOVERY_APPROVAL, patient, recovery_id
            )
        ]
        if custodian in approved:
            raise refuse(Code.ALREADY_DONE, "you have approved already", 409)
        entry = ApprovalEntry(approved_at=now_of(context), msp_id=caller.msp_id)
        store.put(ObjectType.RECOVERY_APPROVAL, *ids, entry=entry)
        given = Custodian(msp_id=own.msp_id, person=own.person, share=share.share)
        stored = Shares(threshold=shares.threshold, custodians=(given,), salt=share.salt)
        store.put_private(ObjectType.RECOVERY_APPROVAL, *ids, value=stored)
        log(context, store, caller, Kind.RECOVERY_APPROVED, patient, ref=recovery_id)
        return Approvals(approvals=len(approved) + 1, threshold=shares.threshold)

    @evaluate("ReadShare", access=CUSTODIANS)
    async def read_share(self, context: Context, patient: str) -> OwnShare:
        """Show a custodian the own share, and whom it is asked for."""
        caller, store = caller_of(context), Store(context.stub)
        own = _own(await _shares(store, check_patient(patient)), caller)
        entry = await store.get(RecoveryEntry, ObjectType.RECOVERY, patient)
        key = None
        if entry is not None:
            ids = (patient, entry.recovery_id)
            key = await store.get_private(RecoveryKey, ObjectType.RECOVERY, *ids)
        return OwnShare(
            share=own.share,
            recovery_id=entry.recovery_id if entry else None,
            public_key=key.public_key if key else None,
        )

    @evaluate("ReadRecovery", access=ONLY_PATIENTS)
    async def read_recovery(self, context: Context, recovery_id: str) -> Recovery:
        """Show how many custodians have approved, and their shares once they are enough."""
        store = Store(context.stub)
        subject = await subject_of(context, store, None, Scope.DELEGATE)
        check_digest(recovery_id, "recovery_id")
        shares = await _shares(store, subject.patient)
        await _check_present(store, subject.patient, recovery_id)
        keys = [
            store.key(ObjectType.RECOVERY_APPROVAL, *parts)
            async for parts, _ in store.rows(
                ApprovalEntry, ObjectType.RECOVERY_APPROVAL, subject.patient, recovery_id
            )
        ]
        enough = len(keys) >= shares.threshold
        given = await store.private_many(Shares, keys) if enough else []
        return Recovery(
            approvals=len(keys),
            threshold=shares.threshold,
            shares=tuple(each.custodians[0] for each in given),
        )


async def _shares(store: Store, patient: str) -> Shares:
    shares = await store.get_private(Shares, ObjectType.SHARE, patient)
    if shares is None:
        raise refuse(Code.NOT_FOUND, "the patient has enrolled no custodians", 404)
    return shares


def _own(shares: Shares, caller: Caller) -> Custodian:
    for each in shares.custodians:
        if (each.msp_id, each.person) == (caller.msp_id, caller.subject):
            return each
    raise refuse(Code.NOT_AUTHORISED, "you are not one of the patient's custodians")


async def _check_present(store: Store, patient: str, recovery_id: str) -> None:
    entry = await store.get(RecoveryEntry, ObjectType.RECOVERY, patient)
    if entry is None or entry.recovery_id != recovery_id:
        raise refuse(Code.NOT_FOUND, "there is no such recovery, or a later one counts", 404)
