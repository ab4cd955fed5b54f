"""Answers of the contract that are not read by type alone."""

from __future__ import annotations

import json
from typing import Any

from medfab_gateway.ehr._fhir_time import from_milliseconds
from medfab_gateway.ehr._types import AccessDecision


def access_decision(answer: bytes | str, *, patient: str) -> AccessDecision:
    """Read the answer of a request for access."""
    fields: dict[str, Any] = json.loads(answer)
    return AccessDecision(
        patient=patient,
        request_id=fields["request_id"],
        permitted=fields["decision"] == "permit",
        reason=fields["reason"],
        expires_at=from_milliseconds(fields.get("expires_at")),
    )


def text_field(answer: bytes, name: str) -> str:
    """One text of an answer."""
    return str(json.loads(answer)[name])


def count(answer: bytes, name: str) -> int:
    """One number of an answer."""
    return int(json.loads(answer)[name])
