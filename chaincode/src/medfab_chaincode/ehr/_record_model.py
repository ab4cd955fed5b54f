"""Records as they are filed, kept in their holder's collection, and released."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from medfab_chaincode import parse_state

from ._checks import (
    check_code,
    check_codes,
    check_digest,
    check_key_id,
    check_list,
    check_period,
    check_reference,
    check_references,
    check_salt,
    check_text,
    check_time,
    require,
)
from ._codes import FilingKind

MAX_BATCH = 1000
"""Records in one transaction: no more than one multiple read of the peer answers."""

_MAX_REFERENCES = 256


class Confidentiality(StrEnum):
    """v3-Confidentiality, from open to most restricted."""

    UNRESTRICTED = "U"
    LOW = "L"
    MODERATE = "M"
    NORMAL = "N"
    RESTRICTED = "R"
    VERY_RESTRICTED = "V"

    @property
    def rank(self) -> int:
        """Its place in the order."""
        return tuple(Confidentiality).index(self)


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What a record is, as far as consents can speak of it; made by the holder's client."""

    resource_type: str
    categories: tuple[str, ...] = ()
    """``laboratory``, ``vital-signs``…; empty: the record has none."""
    confidentiality: Confidentiality | None = None
    """None: unlabelled, which counts as restricted."""
    sensitivity: tuple[str, ...] = ()
    """``PSY``, ``HIV``, ``ETH``…"""
    period_start: int | None = None
    """When the finding applies; None: not stated."""
    period_end: int | None = None
    """First millisecond after."""
    authored: int | None = None
    """When it was recorded; None: not stated."""
    reference: str | None = None
    """``Observation/1``: what a consent about an instance names."""
    authors: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    """What the record refers to: encounters, episodes…"""

    def check(self, field: str) -> None:
        """Refuse malformed labels."""
        check_code(self.resource_type, f"{field}.resource_type")
        check_codes(self.categories, f"{field}.categories")
        check_codes(self.sensitivity, f"{field}.sensitivity")
        check_period(self.period_start, self.period_end, f"{field}.period")
        check_time(self.authored, f"{field}.authored")
        if self.reference is not None:
            check_reference(self.reference, f"{field}.reference")
        check_references(self.authors, f"{field}.authors", most=_MAX_REFERENCES)
        check_references(self.related, f"{field}.related", most=_MAX_REFERENCES)


@dataclass(frozen=True, kw_only=True)
class Seal:
    """The record's own key, wrapped under the patient's data key: its resource is ciphertext."""

    key_id: str
    wrapped_key: str

    def check(self, field: str) -> None:
        """Refuse a malformed seal."""
        check_key_id(self.key_id, f"{field}.key_id")
        check_text(self.wrapped_key, f"{field}.wrapped_key", least=1)


@dataclass(frozen=True, kw_only=True)
class RecordItem:
    """One record to file; ``id`` is keyed (HMAC), ``resource`` is text the contract never reads."""

    id: str
    labels: Labels
    resource: str
    salt: str
    seal: Seal | None = None

    def check(self, field: str) -> None:
        """Refuse a malformed item."""
        check_digest(self.id, f"{field}.id")
        check_salt(self.salt, f"{field}.salt")
        require(bool(self.resource), f"{field}.resource", "text")
        self.labels.check(f"{field}.labels")
        if self.seal is not None:
            self.seal.check(f"{field}.seal")


@dataclass(frozen=True, kw_only=True)
class FilingBatch:
    """Transient ``records`` of ``FileRecords``."""

    items: tuple[RecordItem, ...]

    def check(self) -> None:
        """Refuse an empty, oversized or malformed batch."""
        check_batch([item.id for item in self.items], "records.items")
        for index, item in enumerate(self.items):
            item.check(f"records.items[{index}]")


def check_batch(ids: Sequence[str], field: str) -> None:
    """Refuse an empty or oversized list of record ids, or one that names a record twice."""
    require(0 < len(ids) <= MAX_BATCH, field, f"1 to {MAX_BATCH} items")
    check_list(ids, field, most=MAX_BATCH)


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """The next version of a record, and why."""

    id: str
    base_version: int
    """The version that the author has seen; another one on file is a conflict."""
    labels: Labels
    resource: str
    salt: str
    seal: Seal | None = None
    reason: str


@dataclass(frozen=True, kw_only=True)
class AmendmentBatch:
    """Transient ``amendments`` of ``AmendRecords``."""

    items: tuple[Amendment, ...]

    def check(self) -> None:
        """Refuse an empty, oversized or malformed batch, or one without reasons."""
        check_batch([item.id for item in self.items], "amendments.items")
        for index, item in enumerate(self.items):
            field = f"amendments.items[{index}]"
            RecordItem(
                id=item.id,
                labels=item.labels,
                resource=item.resource,
                salt=item.salt,
                seal=item.seal,
            ).check(field)
            check_text(item.reason, f"{field}.reason", least=3)


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """A record that was entered in error, and why."""

    id: str
    base_version: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class WithdrawalBatch:
    """Transient ``withdrawals`` of ``WithdrawRecords``."""

    items: tuple[Withdrawal, ...]
    salt: str

    def check(self) -> None:
        """Refuse an empty, oversized or malformed batch, or one without reasons."""
        check_batch([item.id for item in self.items], "withdrawals.items")
        check_salt(self.salt, "withdrawals.salt")
        for index, item in enumerate(self.items):
            check_digest(item.id, f"withdrawals.items[{index}].id")
            check_text(item.reason, f"withdrawals.items[{index}].reason", least=3)


class RecordStatus(StrEnum):
    """State of one version of a record."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    ENTERED_IN_ERROR = "entered-in-error"


@dataclass(frozen=True, kw_only=True)
class Filer:
    """Who filed, from the certificate."""

    msp_id: str
    practitioner: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """One version of a record, in the holder's implicit collection."""

    labels: Labels
    resource: str
    salt: str
    seal: Seal | None = None
    version: int = 1
    status: RecordStatus = RecordStatus.CURRENT
    reason: str | None = None
    """Of an amendment or a withdrawal; None: as first filed."""
    filed_by: Filer | None = None
    """None: filed under the first slice, which kept no name with the record."""
    filed_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class _FirstLabels:
    resource_type: str
    categories: tuple[str, ...]
    security: tuple[str, ...]
    period_start: str | None = None
    period_end: str | None = None
    authored: str | None = None


@dataclass(frozen=True, kw_only=True)
class _FirstRecord:
    """A record as the first slice of this contract kept it."""

    labels: _FirstLabels
    resource: str
    salt: str


def parse_record(data: bytes) -> Record:
    """Read a stored record, of this form or of the first slice's."""
    if "security" not in json.loads(data)["labels"]:
        return parse_state(Record, data)
    first = parse_state(_FirstRecord, data)
    ranked = [each for each in Confidentiality if each in first.labels.security]
    return Record(
        labels=Labels(
            resource_type=first.labels.resource_type,
            categories=first.labels.categories,
            # In that slice no label meant normal. Its times had no one form, and nothing read them.
            confidentiality=ranked[-1] if ranked else Confidentiality.NORMAL,
            sensitivity=tuple(
                code for code in first.labels.security if code not in [*Confidentiality]
            ),
        ),
        resource=first.resource,
        salt=first.salt,
    )


@dataclass(frozen=True, kw_only=True)
class Filed:
    """Answer of ``FileRecords``: counts alone, because a submit's answer is in the block."""

    filed: int
    unchanged: int


@dataclass(frozen=True, kw_only=True)
class Changed:
    """Answer of functions that change records."""

    changed: int


@dataclass(frozen=True, kw_only=True)
class RecordVersion:
    """A record that a receipt is about."""

    id: str
    version: int
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a transaction did, beside the records."""

    filed: int
    unchanged: int
    filed_at: int
    kind: FilingKind = FilingKind.FILED
    practitioner: str | None = None
    records: tuple[RecordVersion, ...] = ()
    salt: str = ""


@dataclass(frozen=True, kw_only=True)
class FilingView:
    """One row of ``ListFilings``."""

    filing_id: str
    kind: FilingKind
    practitioner: str | None
    at: int
    filed: int
    unchanged: int
    records: tuple[RecordVersion, ...]
