"""May this caller take part at all: the patient's registration, membership, sanctions. One read."""

import hashlib
from dataclasses import dataclass

from medfab_chaincode import parse_state

from ._caller import Caller
from ._checks import refuse
from ._codes import Code, Reason
from ._keys import ObjectType
from ._store import ACTIVE, ERASED, PatientEntry, Store

ORGANISATION = "organisation"


@dataclass(frozen=True, kw_only=True)
class ExchangeEntry:
    """Public: the exchange is founded; before that every organisation of the channel is in it."""

    founded_at: int


@dataclass(frozen=True, kw_only=True)
class MemberEntry:
    """Public: an organisation of the exchange."""

    since: int


@dataclass(frozen=True, kw_only=True)
class SanctionEntry:
    """Public: a person (by digest) or organisation is suspended."""

    case_id: str
    since: int


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the ledger says of a caller and a patient."""

    patient: PatientEntry | None
    member: bool
    suspended: bool

    @property
    def forgotten(self) -> bool:
        """Has the patient's erasure begun?"""
        return self.patient is not None and self.patient.status != ACTIVE

    @property
    def erased(self) -> bool:
        """Is it complete?"""
        return self.patient is not None and self.patient.status == ERASED

    @property
    def objection(self) -> Reason | None:
        """Why nothing is permitted, whatever the consents; None: nothing stands against it."""
        if self.suspended:
            return Reason.SUSPENDED
        if not self.member:
            return Reason.NOT_A_MEMBER
        return None

    def check(self) -> None:
        """Refuse a caller who may not take part."""
        if self.suspended:
            raise refuse(
                Code.SUSPENDED,
                "you or your organisation are suspended for a reported violation: "
                "two other organisations can reinstate",
            )
        if not self.member:
            raise refuse(
                Code.NOT_A_MEMBER,
                "your organisation is no member of the exchange: it joins by a vote of the members",
            )

    def registered(self) -> PatientEntry:
        """Refuse where there is no such patient, or the patient's erasure has begun."""
        return registered(self.patient)


def registered(entry: PatientEntry | None) -> PatientEntry:
    """Refuse where there is no such patient, or the patient's erasure has begun."""
    if entry is None:
        raise refuse(
            Code.NOT_REGISTERED,
            "the patient is not registered: the patient calls RegisterPatient first",
            404,
        )
    if entry.status != ACTIVE:
        raise refuse(Code.ERASED, "the patient's records are erased, or about to be", 410)
    return entry


async def standing_of(store: Store, caller: Caller, patient: str) -> Standing:
    """Read all of it at once."""
    keys = [
        store.key(ObjectType.PATIENT, patient),
        store.key(ObjectType.EXCHANGE),
        store.key(ObjectType.MEMBER, caller.msp_id),
        store.key(ObjectType.SANCTION, caller.msp_id, ORGANISATION),
        store.key(
            ObjectType.SANCTION, caller.msp_id, subject_digest(caller.msp_id, caller.subject)
        ),
    ]
    entry, exchange, member, *sanctions = await store.stub.get_states(keys)
    return Standing(
        patient=None if entry is None else parse_state(PatientEntry, entry),
        member=exchange is None or member is not None,
        suspended=any(sanction is not None for sanction in sanctions),
    )


def subject_digest(msp_id: str, person: str) -> str:
    """Stands for a person in a public key; the person's certificate is in blocks anyway."""
    return hashlib.sha256(f"{msp_id}/{person}".encode()).hexdigest()
