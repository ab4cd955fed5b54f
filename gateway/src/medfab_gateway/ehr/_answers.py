"""The contract's answers as typed results, and times as the contract has them."""

from __future__ import annotations

import json
import secrets
from datetime import datetime
from typing import Any

from medfab_gateway.ehr._fhir_time import from_milliseconds
from medfab_gateway.ehr._types import (
    Access,
    AccessDecision,
    Consent,
    ConsentStatus,
    ConsentType,
    ConsentVersion,
    Purpose,
    ReadResult,
)


def transient(**fields: object) -> bytes:
    """Encode a transient value, with a salt: its hash, in the block, must not be guessable."""
    # In ASCII: half a surrogate pair then reaches the contract, which names the field that holds
    # it; encoding it here would raise an error that carries the whole text.
    return json.dumps({**fields, "salt": secrets.token_hex(16)}, separators=(",", ":")).encode()


def consent_version(answer: bytes) -> ConsentVersion:
    """Read the answer of ``GrantConsent`` or ``RevokeConsent``."""
    return ConsentVersion(**json.loads(answer))


def access_decision(answer: bytes, *, patient: str) -> AccessDecision:
    """Read the answer of ``RequestAccess``."""
    fields = json.loads(answer)
    return AccessDecision(
        patient=patient,
        request_id=fields["request_id"],
        permitted=fields["decision"] == "permit",
        reason=fields["reason"],
        expires_at=_moment(fields["expires_at"]),
    )


def read_result(answer: bytes) -> ReadResult:
    """Read the answer of ``ReadRecords``."""
    fields = json.loads(answer)
    return ReadResult(
        holder_msp=fields["holder"],
        resources=tuple(fields["resources"]),
        withheld=fields["withheld"],
    )


def consents(answer: bytes) -> tuple[Consent, ...]:
    """Read the answer of ``ListConsents``."""
    return tuple(_consent(fields) for fields in json.loads(answer))


def accesses(answer: bytes) -> tuple[Access, ...]:
    """Read the answer of ``ListAccess``."""
    return tuple(_access(fields) for fields in json.loads(answer))


def _consent(fields: dict[str, Any]) -> Consent:
    return Consent(
        consent_id=fields["consent_id"],
        status=ConsentStatus(fields["status"]),
        version=fields["version"],
        granted_at=_time(fields["granted_at"]),
        changed_at=_time(fields["changed_at"]),
        type=ConsentType(fields["type"]),
        grantee_msp=fields["grantee_msp"],
        practitioner=fields["practitioner"],
        purposes=tuple(map(Purpose, fields["purposes"])),
        categories=tuple(fields["categories"]),
        resource_types=tuple(fields["resource_types"]),
        not_before=_moment(fields["not_before"]),
        not_after=_moment(fields["not_after"]),
    )


def _access(fields: dict[str, Any]) -> Access:
    return Access(
        request_id=fields["request_id"],
        requester_msp=fields["requester_msp"],
        practitioner=fields["practitioner"],
        purpose=Purpose(fields["purpose"]),
        categories=tuple(fields["categories"]),
        resource_types=tuple(fields["resource_types"]),
        permitted=fields["decision"] == "permit",
        reason=fields["reason"],
        decided_at=_time(fields["decided_at"]),
        expires_at=_moment(fields["expires_at"]),
    )


def _moment(value: int | None) -> datetime | None:
    return from_milliseconds(value)


def _time(value: int) -> datetime:
    moment = from_milliseconds(value)
    assert moment is not None  # noqa: S101 - only None gives None
    return moment
