"""Who may call what of `pharma`: asked of the contract, function by function, and as a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

from pharma_world import (
    ADMIN,
    AUDITOR,
    EXPIRY,
    LONG,
    LOT_KEY,
    MAKER,
    OPERATOR,
    QUALITY,
    WHOLESALER,
    Person,
    event,
    gln,
    gtin,
    lot,
    product,
    sscc,
    unit,
)

PAGE = Path(__file__).parent.parent / "docs" / "pharma-roles.md"

SALT = "ab" * 16
PEOPLE = {
    "operator": OPERATOR[MAKER],
    "quality": QUALITY[MAKER],
    "auditor of an authority": AUDITOR,
    "auditor elsewhere": Person(MAKER, "auditor"),
    "administrator": ADMIN,
    "no role": Person(MAKER, ""),
}
ORGANIZATION_REFUSALS = {"ACCESS_DENIED", "NOT_AUTHORITY", "NOT_PARTNER", "ALREADY_ESTABLISHED"}
"""Codes that say: not you. All others come after the caller was let in."""

_PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
_ITEMS = {"items": [unit("roles")], "reason": "x"}
_MONITOR = {"device": "d", "min": 1, "max": 2, "budget_ms": 0, "max_gap_ms": 1}
_TERMS = {
    "counterparty": WHOLESALER,
    "contract": "C",
    "gtin": gtin(1),
    "price_cents": 2,
    "contract_price_cents": 1,
    "eligible": [],
    "valid_from": 0,
    "valid_to": 1,
    "salt": SALT,
}
_CLAIM = {
    "counterparty": WHOLESALER,
    "contract": "C",
    "invoice": "I",
    "gtin": gtin(1),
    "customer": "C",
    "quantity": 1,
    "unit_price_cents": 1,
    "amount_cents": 1,
    "sold_at": 0,
    "salt": SALT,
}
_PARTNER = {
    "msp": "NewMSP",
    "name": "n",
    "glns": [],
    "capacities": [],
    "licence": "L",
    "valid_from": 0,
    "valid_to": LONG,
}

SUBMITS: dict[str, dict[str, Any]] = {
    "Establish": {"authorities": ["RegulatorMSP"]},
    "RegisterPartner": _PARTNER,
    "AssignPrefix": {"prefix": "9999", "owner": "NewMSP"},
    "RegisterLocation": {"gln": gln(MAKER), "name": "n", "latitude_e6": 0, "longitude_e6": 0},
    "RegisterProduct": product(gtin(99)),
    "OfferTransfer": {"gtin": gtin(1), "to": WHOLESALER},
    "WithdrawTransfer": {"gtin": gtin(1)},
    "AcceptTransfer": {"gtin": gtin(1), "lot_key": LOT_KEY},
    "OpenLot": lot("roles"),
    "Commission": lot("roles") | {"serials": ["roles"]},
    "CommissionContainers": {"items": [sscc(999)]},
    "Repack": lot("roles") | {"sources": [unit("roles")], "serials": ["r"]},
    "Pack": {"container": sscc(999), "items": [unit("roles")]},
    "Unpack": {"container": sscc(999)},
    "Ship": {"items": [unit("roles")], "consignee": WHOLESALER},
    "Receive": {"shipment": event("none"), "items": [unit("roles")]},
    "CancelShipment": {"shipment": event("none")},
    "ResolveShortage": {"shipment": event("none"), "item": unit("roles"), "outcome": "found"},
    "Hold": _ITEMS | {"kind": "suspect"},
    "Clear": _ITEMS,
    "Condemn": _ITEMS,
    "Recall": {
        "gtin": gtin(1),
        "lot": "roles",
        "recall_class": 1,
        "reason": "x",
        "lot_key": LOT_KEY,
    },
    "AcknowledgeRecall": {"gtin": gtin(1), "lot": "roles", "tag": "t", "quarantined": 0},
    "Dispense": {"item": unit("roles"), "gln": gln(MAKER)},
    "Reverse": {"item": unit("roles"), "gln": gln(MAKER)},
    "Resell": {"item": unit("roles"), "lot": "roles", "expiry": EXPIRY},
    "Decommission": _ITEMS,
    "Destroy": _ITEMS,
    "ReportStolen": _ITEMS,
    "ReportScan": {"item": unit("roles"), "gln": gln(MAKER)},
    "RecordEvent": {"event": event("roles"), "step": "inspecting"},
    "DeclareError": {"event": event("none"), "reason": "x"},
    "KeepEvent": {"event": event("roles"), "body": "x", "salt": SALT},
    "OfferTerms": _TERMS,
    "AcceptTerms": {"counterparty": WHOLESALER, "contract": "C", "salt": SALT},
    "ClaimChargeback": _CLAIM,
    "ShareDocument": {
        "counterparty": WHOLESALER,
        "reference": "r",
        "kind": "T3",
        "body": "x",
        "salt": SALT,
    },
    "RegisterDevice": {"device": "d", "public_key": _PUBLIC_KEY},
    "StartMonitoring": {"item": unit("roles")} | _MONITOR,
    "StopMonitoring": {"item": unit("roles")},
    "RecordReadings": {
        "item": unit("roles"),
        "payload": '{"device":"d","item":"i","sequence":1,"readings":[[1,1]]}',
        "signature": "AAAA",
    },
    "RequestVerification": {"gtin": gtin(1), "item": unit("roles")},
    "AnswerVerification": {"gtin": gtin(1), "request": event("none"), "verified": True},
    "NotifyRegulator": {"item": unit("roles"), "kind": "suspect", "reason": "x"},
}
EVALUATES: dict[str, tuple[str, ...]] = {
    "ReadCharter": (),
    "ReadPartner": (MAKER,),
    "ListPartners": (),
    "ReadProduct": (gtin(1),),
    "ReadLocation": (gln(MAKER),),
    "ReadTransfer": (gtin(1),),
    "ProductHistory": (gtin(1),),
    "ReadItem": (unit("roles"),),
    "Locate": (json.dumps([unit("roles")]),),
    "Contents": (sscc(999),),
    "ListHolds": (unit("roles"),),
    "ListAlerts": (unit("roles"),),
    "ReadShipment": (event("none"),),
    "ListShortages": (event("none"),),
    "ReadRecall": ("t",),
    "ListRecalls": (),
    "Acknowledgements": ("t",),
    "Verify": (unit("roles"), "", "0", "check"),
    "Trace": (unit("roles"),),
    "Lineage": (unit("roles"),),
    "LotUnits": ("t", "1", ""),
    "Holders": ("t", "1", ""),
    "ReadEvent": (event("none"),),
    "ReadKeptEvent": (event("none"),),
    "ListKeptEvents": (),
    "ReadTerms": (WHOLESALER,),
    "ListChargebacks": (WHOLESALER,),
    "ListDocuments": (WHOLESALER, "r"),
    "ReadMonitoring": (unit("roles"),),
    "PendingVerifications": (MAKER,),
    "ListNotifications": (),
}


class Asked(Protocol):
    """Runs a function without submitting it; returns the code of its refusal, or ``ok``."""

    async def __call__(
        self, who: Person, function: str, given: dict[str, Any] | None, *args: str
    ) -> str: ...


async def matrix(ask: Asked) -> dict[str, dict[str, str]]:
    """What each kind of person gets from each function."""
    found: dict[str, dict[str, str]] = {}
    for function, given in SUBMITS.items():
        found[function] = {kind: await ask(who, function, given) for kind, who in PEOPLE.items()}
    for function, args in EVALUATES.items():
        found[function] = {
            kind: await ask(who, function, None, *args) for kind, who in PEOPLE.items()
        }
    return found


def page(found: dict[str, dict[str, str]]) -> str:
    """The matrix as a page of the documentation."""
    lines = [
        "# Who may call what of `pharma`",
        "",
        "Written by `tests/unit/chaincode/test_pharma_roles.py` from what the contract answered,",
        "and compared with a real network's answers by `tests/integration/test_pharma.py`.",
        "`yes`: let in (what an organisation may do with an item is decided after that); else the",
        "code of the refusal. Person and organisation come from the certificate. The people here",
        "are of a licensed manufacturer and of an authority.",
        "",
        "| Function | " + " | ".join(PEOPLE) + " |",
        "|---|" + "---|" * len(PEOPLE),
    ]
    for function, row in found.items():
        cells = [f"`{code}`" if code in ORGANIZATION_REFUSALS else "yes" for code in row.values()]
        name = f"{function}" if function in SUBMITS else f"{function} (evaluate)"
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
