"""Which role may call which function of the health-record contract: the cells, and what is said.

The tests try every cell, on the ledger in memory and on a real network, and write what happened
into docs/ehr-roles.md. What ought to happen is written down here once more, by hand.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs/ehr-roles.md"

PATIENT = "00112233445566778899aabbccddeeff"
SALT = "5a" * 16
ID = "0" * 64
FAR = 4_000_000_000_000
NOTE = {"text": "seen", "salt": SALT}
REQUEST = {"purpose": "TREAT", "categories": ["laboratory"], "salt": SALT}
_SUBJECT = {"patient": PATIENT, "representative": "ms-mother"}


@dataclass(frozen=True)
class Role:
    """A column: a client with this role and what it needs."""

    name: str
    role: str
    functions: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes of the certificate."""
        if not self.role:
            return {}
        attributes = {"medfab.role": self.role}
        if self.role in _SUBJECT:
            attributes[f"medfab.{self.role}"] = _SUBJECT[self.role]
        else:
            attributes["medfab.practitioner"] = f"person-{self.role}"
        if self.functions:
            attributes["medfab.functions"] = self.functions
        return attributes


ROLES = [
    Role("patient", "patient"),
    Role("representative", "representative"),
    Role("practitioner", "practitioner"),
    Role("emergency", "practitioner", "emergency"),
    Role("claims", "claims"),
    Role("researcher", "researcher"),
    Role("public-health", "public-health"),
    Role("key-agent", "key-agent"),
    Role("registrar", "registrar"),
    Role("privacy-officer", "privacy-officer"),
    Role("auditor", "auditor"),
    Role("administrator", "administrator"),
    Role("no role", ""),
]
"""The columns. `emergency` is a practitioner with that function."""

PATIENTS = {"patient", "representative"}
PRACTITIONERS = {"practitioner", "emergency"}
REQUESTERS = PRACTITIONERS | {"claims", "researcher", "public-health"}
AUDITORS = {"privacy-officer", "auditor"}
KEEPERS = PRACTITIONERS | {"key-agent"}
CUSTODIANS = PRACTITIONERS | AUDITORS | {"registrar"}
ANYBODY = {role.name for role in ROLES} - {"no role"}

MAY: Mapping[str, set[str]] = {
    "RegisterPatient": {"patient"},
    "AppointGuardian": {"registrar"},
    "AppointRepresentative": PATIENTS,
    "EndAppointment": PATIENTS | {"registrar"},
    "ListAppointments": PATIENTS,
    "AnnounceHolder": PRACTITIONERS,
    "AnswerHolder": PATIENTS,
    "ListHolders": PATIENTS,
    "FileRecords": PRACTITIONERS,
    "AmendRecords": PRACTITIONERS,
    "WithdrawRecords": PRACTITIONERS,
    "ReadRecords": REQUESTERS | PATIENTS,
    "ReadRecordHistory": REQUESTERS | PATIENTS,
    "ListFilings": PATIENTS,
    "TraceRecord": PATIENTS,
    "ReportTamper": REQUESTERS | PATIENTS,
    "ResolveAlert": AUDITORS,
    "GrantConsent": PATIENTS,
    "AmendConsent": PATIENTS,
    "RevokeConsent": PATIENTS,
    "ListConsents": PATIENTS,
    "ReadConsent": PATIENTS,
    "RequestAccess": REQUESTERS,
    "RequestAccessBatch": REQUESTERS,
    "RequestOwnAccess": PATIENTS,
    "BreakGlass": {"emergency"},
    "ShareOnward": REQUESTERS,
    "CloseReview": AUDITORS,
    "EscalateReviews": ANYBODY,
    "ListReviews": AUDITORS,
    "ExplainAccess": PATIENTS,
    "ListAccess": PATIENTS,
    "AccountDisclosures": PATIENTS,
    "ReadLog": PATIENTS | AUDITORS,
    "ReportViolation": AUDITORS,
    "ApproveReinstatement": AUDITORS,
    "ListSanctions": AUDITORS | {"administrator"},
    "ProposeMembership": {"administrator"},
    "VoteMembership": {"administrator"},
    "ListMembers": ANYBODY,
    "RotateKey": KEEPERS,
    "RewrapRecords": KEEPERS,
    "PutKeyWrap": KEEPERS,
    "DropKeyWraps": KEEPERS,
    "ReadKeyState": KEEPERS,
    "ReadPermitKey": KEEPERS,
    "EnrolCustodians": PATIENTS,
    "RequestRecovery": {"patient"},
    "ApproveRecovery": CUSTODIANS,
    "ReadShare": CUSTODIANS,
    "ReadRecovery": {"patient"},
    "PlaceHold": AUDITORS,
    "ReleaseHold": AUDITORS,
    "RequestErasure": PATIENTS,
    "ListErasable": PRACTITIONERS,
    "EraseRecords": PRACTITIONERS,
    "ConfirmErasure": PRACTITIONERS,
    "CompleteErasure": PATIENTS | AUDITORS,
    "ReadErasure": ANYBODY,
}
"""The rows, and who is let in. What the function then asks for beside the role is its own."""

_ARGUMENTS = {
    "patient": PATIENT,
    "holder_msp": "HospitalMSP",
    "offender_msp": "ClinicMSP",
    "msp_ids": "ClinicMSP",
    "action": "join",
    "answer": "accept",
    "vote": "yes",
    "since": "0",
    "until": "1",
}

_LABELS = {"resource_type": "Condition"}
_ITEM = {"id": ID, "labels": _LABELS, "resource": "{}", "salt": SALT}
_TERMS = {
    "type": "permit",
    "rule": {
        "recipients": [{"msp_id": "ClinicMSP"}], "purposes": ["TREAT"], "not_after": FAR,
    },
    "salt": SALT,
}  # fmt: skip
_APPOINTMENT = {
    "msp_id": "HospitalMSP", "person": "x", "scope": ["audit"], "not_after": FAR, "salt": SALT,
}  # fmt: skip
_SHARES = {
    "threshold": 2,
    "custodians": [
        {"msp_id": "HospitalMSP", "person": name, "share": "sealed"} for name in ("a", "b")
    ],
    "salt": SALT,
}

_TRANSIENT: Mapping[str, Any] = {
    "appointment": _APPOINTMENT,
    "records": {"items": [_ITEM]},
    "amendments": {"items": [{**_ITEM, "base_version": 1, "reason": "because"}]},
    "withdrawals": {"items": [{"id": ID, "base_version": 1, "reason": "because"}], "salt": SALT},
    "tamper": {"record_id": ID, "kind": "record", "expected": ID, "observed": "1" * 64,
               "salt": SALT},
    "note": NOTE,
    "consent": _TERMS,
    "request": REQUEST,
    "requests": {"items": [{"patient": PATIENT, "request": REQUEST}]},
    "emergency": {"reason": "found unconscious", "salt": SALT},
    "share": {"recipient": {"msp_id": "ClinicMSP", "practitioner": "x"}, "purpose": "TREAT",
              "categories": ["laboratory"], "salt": SALT},
    "violation": {"person": "x", "text": "sold a list", "salt": SALT},
    "key": {"key_id": "a" * 32, "salt": SALT},
    "wraps": {"items": [{"id": ID, "seal": {"key_id": "a" * 32, "wrapped_key": "w"}}],
              "salt": SALT},
    "wrap": {"key_id": "a" * 32, "recipient": ID, "sealed": "x", "salt": SALT},
    "shares": _SHARES,
    "recovery": {"public_key": "ab", "salt": SALT},
    "destroyed": {"documents": 0, "salt": SALT},
}  # fmt: skip

_OTHER_TRANSIENT: Mapping[tuple[str, str], Any] = {
    ("EraseRecords", "records"): {"records": [{"id": ID, "version": 1}], "salt": SALT},
    ("DropKeyWraps", "requests"): {"ids": [ID], "salt": SALT},
    ("RequestOwnAccess", "request"): {"purpose": "PATRQT", "salt": SALT},
    ("ApproveRecovery", "share"): {"share": "sealed", "salt": SALT},
}


@dataclass(frozen=True)
class Call:
    """A well-formed call of one function."""

    function: str
    args: tuple[str, ...]
    transient: Mapping[str, bytes]


def calls(metadata: str) -> list[Call]:
    """A call of each function that the contract's metadata names."""
    found = []
    for each in json.loads(metadata)["contracts"]["ehr"]["transactions"]:
        name = each["name"]
        args = [_ARGUMENTS.get(given["name"], ID) for given in each.get("parameters", [])]
        transient = {
            given["name"]: _OTHER_TRANSIENT.get((name, given["name"])) or _TRANSIENT[given["name"]]
            for given in each.get("transient", [])
            if given["name"] != "acting"
        }
        encoded = {key: json.dumps(value).encode() for key, value in transient.items()}
        found.append(Call(name, tuple(args), encoded))
    return found


def check(outcomes: Mapping[tuple[str, str], bool]) -> None:
    """Compare what happened in every cell with what is written above."""
    rows = {function for function, _ in outcomes}
    assert rows == set(MAY), "a function is missing in the matrix, or here"
    expected = {
        (function, role.name): role.name in may for function, may in MAY.items() for role in ROLES
    }
    wrong = {cell: let_in for cell, let_in in outcomes.items() if expected[cell] is not let_in}
    assert not wrong, wrong
    assert outcomes.keys() == expected.keys()


def page(outcomes: Mapping[tuple[str, str], bool]) -> str:
    """The table, as a page."""
    names = [role.name for role in ROLES]
    lines = [
        "# Who may call what in the contract `ehr`",
        "",
        "Written by `tests/unit/chaincode/test_ehr_matrix.py`, which tries every cell on the",
        "ledger in memory; `tests/integration/test_ehr_rows.py` tries them all on a real network.",
        "✓: the function lets a client of this role in; what it asks for beside the role (the own",
        "patient, an appointment, a permit) is in [design/ehr.md](design/ehr.md). Empty: refused",
        "with `ACCESS_DENIED`. *emergency*: a practitioner with that function.",
        "",
        "| Function | " + " | ".join(names) + " |",
        "|---|" + ":-:|" * len(names),
    ]
    for function in MAY:
        marks = ["✓" if outcomes[function, name] else "" for name in names]
        lines.append(f"| `{function}` | " + " | ".join(marks) + " |")
    return "\n".join(lines) + "\n"


def check_page(outcomes: Mapping[tuple[str, str], bool]) -> None:
    """Compare the page with what happened; with `EHR_ROLES_WRITE=1` write it."""
    text = page(outcomes)
    if os.environ.get("EHR_ROLES_WRITE"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text, f"out of date: EHR_ROLES_WRITE=1 pytest writes {PAGE.name}"
