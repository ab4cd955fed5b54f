"""Every call of the typed clients has a command, or a reason why it has none."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import medfab_gateway.ehr as ehr
import medfab_gateway.pharma as pharma

CLI = Path(ehr.__file__).parents[1] / "cli"
SOURCES = "\n".join(
    path.read_text("utf-8") for part in ("ehr", "pharma") for path in (CLI / part).glob("*.py")
)
CLIENTS = {
    name: getattr(package, name)
    for package in (ehr, pharma)
    for name in package.__all__
    if name.startswith("Async")
}

_SYSTEMS = "for systems that do it by the thousand, with data that is no argument of a command"
_NOT_YET = "not yet: use the library, or `medfab contract submit`"
_SHOWN = "part of what another command shows"
REASONS = {
    # Health records.
    "AsyncAuditor.approve_reinstatement": _NOT_YET,
    "AsyncAuditor.close_review": _NOT_YET,
    "AsyncAuditor.complete_erasure": _SHOWN,
    "AsyncAuditor.erasure": _SHOWN,
    "AsyncAuditor.escalate_reviews": _NOT_YET,
    "AsyncAuditor.place_hold": _NOT_YET,
    "AsyncAuditor.release_hold": _NOT_YET,
    "AsyncAuditor.report_violation": _NOT_YET,
    "AsyncAuditor.resolve_alert": _NOT_YET,
    "AsyncAuditor.reviews": _NOT_YET,
    "AsyncAuditor.sanctions": _NOT_YET,
    "AsyncCustodian.approve": _NOT_YET,
    "AsyncKeyAgent.handle": _SHOWN,
    "AsyncKeyAgent.wrap": _SHOWN,
    "AsyncKeyRecovery.enrol": "splits a secret that only the caller's program has",
    "AsyncKeyRecovery.recover": "gives back a secret, which no terminal should show",
    "AsyncKeyRecovery.request": "goes with the two above",
    "AsyncPatient.amend_consent": _NOT_YET,
    "AsyncPatient.consent": _SHOWN,
    "AsyncPatient.erasure": _SHOWN,
    "AsyncPatient.explain": _NOT_YET,
    "AsyncPatient.filings": _NOT_YET,
    "AsyncPatient.request_own": _NOT_YET,
    "AsyncPractitioner.history": _NOT_YET,
    "AsyncPractitioner.request_access_batch": _SYSTEMS,
    "AsyncPractitioner.share_onward": _NOT_YET,
    "AsyncProvider.amend": _SYSTEMS,
    "AsyncProvider.announce": _SHOWN,
    "AsyncProvider.withdraw": _NOT_YET,
    # Medicines.
    "AsyncDispenser.reverse": _SHOWN,
    "AsyncLogistics.acknowledge_recall": _NOT_YET,
    "AsyncLogistics.commission_containers": "`medfab pharma capture` takes the document",
    "AsyncLogistics.notify_regulator": _NOT_YET,
    "AsyncLogistics.register_location": _NOT_YET,
    "AsyncLogistics.request_verification": _NOT_YET,
    "AsyncLogistics.resell": _NOT_YET,
    "AsyncLogistics.resolve_shortage": _NOT_YET,
    "AsyncManufacturer.accept_transfer": _NOT_YET,
    "AsyncManufacturer.answer_verification": _SYSTEMS,
    "AsyncManufacturer.commission": "`medfab pharma commission` keeps its document first",
    "AsyncManufacturer.offer_transfer": _NOT_YET,
    "AsyncManufacturer.pending_verifications": _SYSTEMS,
    "AsyncManufacturer.repack": "`medfab pharma capture` takes the document",
    "AsyncManufacturer.withdraw_transfer": _NOT_YET,
    "AsyncRegulator.notifications": _NOT_YET,
    "AsyncRegulator.pending_verifications": _SYSTEMS,
    "AsyncSupply.alerts": _NOT_YET,
    "AsyncSupply.contents": _NOT_YET,
    "AsyncSupply.event": "`medfab pharma query` finds events",
    "AsyncSupply.item": "`medfab pharma trace` tells more",
    "AsyncSupply.kept_event": "`medfab pharma query` finds events",
    "AsyncSupply.lineage": "`medfab pharma trace` tells it",
    "AsyncSupply.locate": _SYSTEMS,
    "AsyncSupply.lot_units": _SYSTEMS,
    "AsyncSupply.partners": _NOT_YET,
    "AsyncSupply.shipment": _NOT_YET,
    "AsyncSupply.shortages": _NOT_YET,
    "AsyncTrade": "terms and chargebacks are between two programs; prices are no arguments",
}


def calls() -> set[str]:
    """Own public coroutines of each client; inherited ones belong to the class that has them."""
    return {
        f"{name}.{method}"
        for name, cls in CLIENTS.items()
        for method, value in vars(cls).items()
        if inspect.iscoroutinefunction(value) and not method.startswith("_")
    }


def has_command(call: str) -> bool:
    method = call.partition(".")[2]
    return re.search(rf'\.{method}\(|"{method}"', SOURCES) is not None


def test_there_are_calls() -> None:
    assert len(calls()) > 80
    assert {"AsyncPatient.appoint", "AsyncLogistics.condemn"} <= calls()


@pytest.mark.parametrize("call", sorted(calls()))
def test_a_call_has_a_command_or_a_reason(call: str) -> None:
    client = call.partition(".")[0]
    assert has_command(call) or call in REASONS or client in REASONS


def test_no_reason_is_out_of_date() -> None:
    known = calls() | set(CLIENTS)
    assert set(REASONS) <= known
    # A name that is a common one may be another class's call: those are looked at by hand.
    common = {"handle", "event", "item", "consent", "complete_erasure", "alerts", "contents"}
    assert [
        call
        for call, reason in REASONS.items()
        if "." in call and call.partition(".")[2] not in common
        if has_command(call) and reason != _SHOWN
    ] == [], "these have a command by now"
