"""An erasure: what is asked, purged, confirmed and certified."""

from dataclasses import dataclass

from ._holders import HolderStatus
from ._record_model import RecordVersion


@dataclass(frozen=True, kw_only=True)
class ErasureEntry:
    """Public: an erasure, and in the end its certificate."""

    erasure_id: str
    status: str
    requested_at: int
    completed_at: int | None = None
    cursor: str = ""
    """The last private key that the custodians have purged."""
    log_rows: int = 0
    log_digest: str = ""
    """SHA-256 over the patient's log as it was at completion."""


@dataclass(frozen=True, kw_only=True)
class ErasureRequested:
    """Answer of ``RequestErasure``."""

    erasure_id: str


@dataclass(frozen=True, kw_only=True)
class Erasable:
    """Answer of ``ListErasable``: what is left at this holder."""

    records: tuple[RecordVersion, ...]
    wraps: tuple[str, ...]
    filings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ErasedPortion:
    """Transient ``records`` of ``EraseRecords``."""

    records: tuple[RecordVersion, ...] = ()
    wraps: tuple[str, ...] = ()
    filings: tuple[str, ...] = ()
    last: bool = False
    """Nothing is left after this: the folder goes as well."""
    salt: str


@dataclass(frozen=True, kw_only=True)
class Purged:
    """Answer of ``EraseRecords``."""

    purged: int


@dataclass(frozen=True, kw_only=True)
class Destroyed:
    """Transient ``destroyed``: what was off the chain."""

    documents: int
    digest: str | None = None
    """SHA-256 over the names of what was destroyed."""
    salt: str


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Answer of ``CompleteErasure``."""

    status: str
    remaining: int


@dataclass(frozen=True, kw_only=True)
class ErasedHolder:
    """A holder in the certificate."""

    holder_msp: str
    status: HolderStatus
    erased_at: int
    documents: int
    digest: str | None


@dataclass(frozen=True, kw_only=True)
class ErasureCertificate:
    """Answer of ``ReadErasure``."""

    erasure_id: str
    patient: str
    status: str
    requested_at: int
    completed_at: int | None
    holders: tuple[ErasedHolder, ...]
    log_rows: int
    log_digest: str
    verified: bool
    """Is the log that is here the one that the certificate was made over?"""
