"""Every case, in the order in which they run: later ones read what earlier ones have written."""

from __future__ import annotations

from conformance.case import Case
from conformance.cases_contract import ARGUMENTS, HOOKS, RESULTS, ROUTING
from conformance.cases_metadata import METADATA
from conformance.cases_private import POLICIES, PRIVATE
from conformance.cases_state import COMPOSITE, RANGES, STATE
from conformance.cases_transaction import CALLS, CLIENT, EVENTS, TRANSACTION

SECTIONS: dict[str, list[Case]] = {
    "state": STATE,
    "ranges, queries, history": RANGES,
    "composite keys": COMPOSITE,
    "private data": PRIVATE,
    "key policies": POLICIES,
    "the transaction": TRANSACTION,
    "other chaincode": CALLS,
    "events": EVENTS,
    "the client": CLIENT,
    "routing": ROUTING,
    "hooks": HOOKS,
    "arguments": ARGUMENTS,
    "results": RESULTS,
    "metadata": METADATA,
}

CASES = [(section, case) for section, cases in SECTIONS.items() for case in cases]
