# Made by scripts/make_sync.py from _capture_async.py: change that, and run it.
"""Capturing EPCIS documents: each event becomes one transaction, or is refused with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from medfab_gateway import _blocking
from medfab_gateway._contract import Contract
from medfab_gateway.errors import EndorseError, EvaluateError
from medfab_gateway.pharma._answers import ANSWERS, Commissioned, Done, ItemView
from medfab_gateway.pharma._instances import Sgtin
from medfab_gateway.pharma._items import Item, LotKeys, item_id
from medfab_gateway.pharma._plan import Call, Known, PlanError, named_items, needs_views, plan
from medfab_gateway.pharma._reports import CaptureReport, EventOutcome, Outcome
from medfab_gateway.pharma._supply import Supply, bare_hash, salt
from medfab_gateway.pharma.epcis import EpcisDocument, Event, event_fields, event_hash
from medfab_gateway.pharma.epcis._write import to_json

_AT_ONCE = 4
_MOST_BODY_BYTES = 1_000_000
_PAUSES = (0.1, 0.2, 0.4, 0.8)
"""Seconds."""


class Capture(Supply):
    """Captures the events of an organisation.

    ::

        capture = Capture(contract, msp_id="ManufacturerMSP", lot_keys=keys)
        report = capture.capture(read(Path("shipment.xml").read_bytes()))
        print(report.count(Outcome.CAPTURED), [event.message for event in report.events])

    Each event is one transaction: all of it is on the ledger, or nothing. It carries the CBV event
    hash, so that capturing the same event again, also after an interruption, changes nothing. The
    event itself is kept in the organisation's own private data, for its queries.

    ``contract``: the contract ``pharma`` on a gateway of an operator. ``msp_id``: that operator's
    organisation. ``lot_keys``: of the owner of products; None: nothing can be commissioned.
    """

    def __init__(self, contract: Contract, *, msp_id: str, lot_keys: LotKeys | None = None) -> None:
        super().__init__(contract)
        self._msp_id = msp_id
        self._lot_keys = lot_keys
        self._partners: dict[str, str] = {}
        self._containers: dict[str, bool] = {}
        self._authority = ""

    def capture(
        self,
        document: EpcisDocument,
        *,
        unknown: str = "refuse",
        progress: Callable[[EventOutcome], None] | None = None,
    ) -> CaptureReport:
        """Capture the events of a document, in its order; independent ones some at a time.

        unknown: `refuse` an event that moves things which are not on the ledger, or `record` it:
        then it moves nothing. ``progress`` is called after each event.

        An event that the rules forbid is refused in the report, and the others go on. Raises a
        :class:`GatewayError` where the network fails: capture the document again, which goes on
        where this ended.
        """
        outcomes: dict[int, EventOutcome] = {}

        def done(outcome: EventOutcome) -> None:
            outcomes[outcome.index] = outcome
            if progress is not None:
                progress(outcome)

        def one(index: int) -> EventOutcome:
            return self._capture_one(document, index, unknown)

        for group in independent(document.events):
            # The first alone: it may open the lot that the others only read.
            done(one(group[0]))
            _blocking.for_each(one, group[1:], at_once=_AT_ONCE, done=done)
        return CaptureReport(events=tuple(outcomes[index] for index in sorted(outcomes)))

    def _capture_one(self, document: EpcisDocument, index: int, unknown: str) -> EventOutcome:
        event = document.events[index]
        name = event_hash(event, context=document.context)
        step = event.biz_step or event.type

        def refused(code: str | None, message: str) -> EventOutcome:
            return EventOutcome(
                index=index,
                event_id=name,
                step=step,
                outcome=Outcome.REFUSED,
                code=code,
                message=message,
            )

        try:
            call, answered = self._apply(event, document.context, unknown=unknown)
        except PlanError as error:
            return refused(error.code, str(error))
        except (EndorseError, EvaluateError) as error:
            if error.chaincode is None or not 400 <= error.chaincode.status < 500:
                raise
            if event.error_declaration is not None and error.chaincode.code == "EXISTS":
                return EventOutcome(index=index, event_id=name, step=step, outcome=Outcome.REPEATED)
            return refused(error.chaincode.code, error.chaincode.message)
        outcome = Outcome.RECORDED if call.function == "RecordEvent" else Outcome.CAPTURED
        return EventOutcome(
            index=index,
            event_id=name,
            step=step,
            outcome=Outcome.REPEATED if answered.repeated else outcome,
            function=call.function,
            transaction_id=answered.transaction_id,
        )

    def _apply(
        self, event: Event, context: Sequence[Any], *, unknown: str = "refuse"
    ) -> tuple[Call, Any]:
        """Carry out one event, and keep it. Raises what the contract refuses."""
        name = bare_hash(event_hash(event, context=context))
        body = to_json({"@context": list(context), **event_fields(event)})
        if len(body.encode()) > _MOST_BODY_BYTES:
            raise PlanError("TOO_LARGE", f"has more than {_MOST_BODY_BYTES} bytes: split it")
        call = self._plan(event, name, unknown)
        if call.function == "DeclareError" and unknown == "record":
            call = self._declarable(call, event)
        kind: Any = ANSWERS.get(call.function, Done)
        answered = self._submit(
            kind, call.function, call.input, endorsing_organizations=self._endorsers(call)
        )
        if isinstance(answered, Commissioned) and answered.duplicates:
            raise PlanError("DUPLICATE", _duplicates(call, answered))
        if not (answered.repeated and self._keeps(name)):
            self._keep(name, body)
        return call, answered

    def _plan(self, event: Event, name: str, unknown: str) -> Call:
        for pause in (*_PAUSES, None):
            try:
                return plan(event, name, self._known(event, unknown), unknown=unknown)
            except PlanError as error:
                # What was sent a moment ago may not have come to the own peer yet.
                if error.code != "NOT_SHIPPED" or pause is None:
                    raise
                _blocking.sleep(pause)
        raise AssertionError("not reached")

    def _keep(self, name: str, body: str) -> None:
        fields = {"event": name, "body": body, "salt": salt()}
        try:
            self._submit(Done, "KeepEvent", fields, endorsing_organizations=[self._msp_id])
        except EndorseError as error:
            # The same event in other words, e.g. with URNs for Digital Links: the first text stays.
            if error.chaincode is None or error.chaincode.code != "EVENT_CONFLICT":
                raise

    def _keeps(self, name: str) -> bool:
        return self.kept_event(name) is not None

    def _endorsers(self, call: Call) -> Sequence[str] | None:
        """Whom to name; None: the gateway peer chooses.

        Unpack writes keys whose own policy was taken away; a gateway peer takes the empty policy
        for one that nobody meets, and finds no plan (Fabric 3.1.5).
        """
        if call.function != "Unpack":
            return None
        if not self._authority:
            charter = self._evaluate_json("ReadCharter")
            self._authority = charter["authorities"][0]
        return sorted({self._msp_id, self._authority})

    def _declarable(self, call: Call, event: Event) -> Call:
        """An error can be declared of what the ledger knows, and corrected by such events."""
        name = call.input["event"]
        if self.event(name) is None:
            step = event.biz_step or event.type
            self._submit(Done, "RecordEvent", {"event": name, "step": step, "items": []})
        known = [each for each in call.input["corrective"] if self.event(each) is not None]
        return Call(function=call.function, input={**call.input, "corrective": known})

    def _known(self, event: Event, unknown: str) -> Known:
        """Ask the own peer what the plan for `event` depends on."""
        items = named_items(event)
        if event.destinations and not self._partners:
            self._partners = {
                gln: partner.msp for partner in self.partners() for gln in partner.glns
            }
        for gtin in {item.gtin for item in items if isinstance(item, Sgtin)}:
            if event.biz_step == "commissioning" and gtin.value not in self._containers:
                product = self.product(gtin)
                self._containers[gtin.value] = product is not None and product.level == "container"
        views: dict[str, ItemView | None] = {}
        if items and needs_views(event, unknown=unknown):
            views = dict(zip(map(item_id, items), self.locate(items), strict=True))
        return Known(
            partners=self._partners,
            containers=frozenset(gtin for gtin, yes in self._containers.items() if yes),
            views=views,
            lot_keys=self._lot_keys,
        )


def _duplicates(call: Call, answered: Commissioned) -> str:
    serials = call.input.get("serials") or call.input.get("items") or []
    known = [serials[index] for index in answered.duplicates[:3] if index < len(serials)]
    return (
        f"{len(answered.duplicates)} of {len(serials)} are commissioned already (such as "
        f"{', '.join(known)}): nothing was commissioned, and an alert is on record"
    )


def independent(events: Sequence[Event]) -> Iterator[list[int]]:
    """Runs of neighbours of one kind that name different things: their order does not matter."""
    group: list[int] = []
    names: set[Item] = set()
    kind: object = None
    for index, event in enumerate(events):
        own = (event.type, event.biz_step, getattr(event, "action", None))
        items = set(named_items(event))
        if group and (own != kind or not names.isdisjoint(items) or not items):
            yield group
            group, names = [], set()
        group.append(index)
        names |= items
        kind = own
    if group:
        yield group
