"""Guardians and representatives: who may act for a patient, in what, and until when."""

from dataclasses import dataclass
from enum import StrEnum

from ._checks import (
    check_codes,
    check_digest,
    check_list,
    check_msp_id,
    check_patient,
    check_person,
    check_salt,
    require,
)


class Scope(StrEnum):
    """What an appointment lets be done."""

    CONSENT = "consent"
    READ = "read"
    AUDIT = "audit"
    DELEGATE = "delegate"
    ERASE = "erase"


class AppointmentKind(StrEnum):
    """A guardian is set by a registrar, a representative by the patient."""

    GUARDIAN = "guardian"
    REPRESENTATIVE = "representative"


class AppointmentStatus(StrEnum):
    """An ended one never becomes active again."""

    ACTIVE = "active"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class Acting:
    """Transient ``acting``: for whom, and by which appointment."""

    patient: str
    appointment_id: str

    def check(self) -> None:
        """Refuse malformed ids."""
        check_patient(self.patient, "acting.patient")
        check_digest(self.appointment_id, "acting.appointment_id")


@dataclass(frozen=True, kw_only=True)
class Appointment:
    """Transient ``appointment``: whom, for what, until when."""

    msp_id: str
    person: str
    scope: tuple[Scope, ...]
    not_after: int
    """First millisecond after it: a guardian's is the age of majority."""
    may_delegate: bool = False
    excluded_labels: tuple[str, ...] = ()
    """Records with one of these labels are not for this person."""
    salt: str

    def check(self, now: int) -> None:
        """Refuse a malformed appointment, or one that is over."""
        check_msp_id(self.msp_id, "appointment.msp_id")
        check_person(self.person, "appointment.person")
        require(bool(self.scope), "appointment.scope", "at least one entry")
        check_list(self.scope, "appointment.scope")
        require(self.not_after > now, "appointment.not_after", "a time to come")
        check_codes(self.excluded_labels, "appointment.excluded_labels")
        check_salt(self.salt, "appointment.salt")


@dataclass(frozen=True, kw_only=True)
class AppointmentEntry:
    """Public pointer: neither who, nor for what."""

    kind: AppointmentKind
    status: AppointmentStatus
    parent: str | None
    """The appointment of whoever delegated; None: the patient or a registrar did."""
    appointed_at: int
    changed_at: int


@dataclass(frozen=True, kw_only=True)
class AppointmentView:
    """One row of ``ListAppointments``."""

    appointment_id: str
    kind: AppointmentKind
    status: AppointmentStatus
    parent: str | None
    appointed_at: int
    msp_id: str
    person: str
    scope: tuple[Scope, ...]
    not_after: int
    may_delegate: bool
    excluded_labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AppointmentMade:
    """Answer of the functions that appoint."""

    appointment_id: str


@dataclass(frozen=True, kw_only=True)
class Status:
    """Answer of functions that change a status."""

    status: str
