"""What a read answers: permitted records, counts of the others, and the key for them."""

from dataclasses import dataclass

from ._checks import check_digest, check_key_id, check_salt, check_text
from ._consent_model import ConsentVersion
from ._record_model import Filer, RecordStatus, Seal


@dataclass(frozen=True, kw_only=True)
class ReleasedRecord:
    """One record of an answer, as it was filed."""

    id: str
    version: int
    resource: str
    seal: Seal | None


@dataclass(frozen=True, kw_only=True)
class Withheld:
    """How many records were withheld for one reason."""

    reason: str
    records: int


@dataclass(frozen=True, kw_only=True)
class PermittedBy:
    """How many records one consent let out."""

    consent_id: str
    version: int
    records: int

    @classmethod
    def of(cls, consent: ConsentVersion, records: int) -> "PermittedBy":
        """Count for a consent."""
        return cls(consent_id=consent.consent_id, version=consent.version, records=records)


@dataclass(frozen=True, kw_only=True)
class Wrap:
    """A data key for one recipient, which alone can open it (F2)."""

    key_id: str
    recipient: str
    """SHA-256 (hex) of the recipient's public key."""
    sealed: str
    salt: str

    def check(self) -> None:
        """Refuse a malformed wrap."""
        check_key_id(self.key_id, "wrap.key_id")
        check_digest(self.recipient, "wrap.recipient")
        check_salt(self.salt, "wrap.salt")
        check_text(self.sealed, "wrap.sealed", least=1)


@dataclass(frozen=True, kw_only=True)
class Released:
    """Answer of ``ReadRecords``, an evaluate: permitted records, and the count of the others."""

    holder: str
    records: tuple[ReleasedRecord, ...]
    withheld: int
    withheld_by: tuple[Withheld, ...]
    permitted_by: tuple[PermittedBy, ...]
    obligations: tuple[str, ...]
    wrap: Wrap | None


@dataclass(frozen=True, kw_only=True)
class RecordHistoryView:
    """One version in ``ReadRecordHistory``."""

    version: int
    status: RecordStatus
    resource: str
    seal: Seal | None
    reason: str | None
    filed_by: Filer | None
    filed_at: int | None
