"""What laws ask for beside the state of packs: answers in time, and notices to the regulator."""

from dataclasses import replace
from typing import Annotated

from medfab_chaincode import Attribute, Contract, Transient, evaluate, submit

from ._answers import Done, InquiryView, NoticeView, Requested
from ._call import ANYBODY, HANDLERS, Call, SupplyContext
from ._codes import Code, refusal
from ._hierarchy import placed
from ._ids import digest, gtin_of, require
from ._inputs_events import AnswerInput, InquiryInput, NotifyInput
from ._keys import Kind
from ._master import known_product, owned_product
from ._model import Charter, Hold, HoldKind, Inquiry, Notice, NoticeKind
from ._store import alike

DAY_MS = 24 * 3600 * 1000
"""DSCSA: for a manufacturer's answer, and for a notice to the FDA."""


class Regulation(Contract):
    """Deadlines."""

    @submit("RequestVerification", access=ANYBODY)
    async def request_verification(
        self, context: SupplyContext, given: Annotated[InquiryInput, Transient("input")]
    ) -> Requested:
        """Ask the product's owner about a pack; it has 24 hours."""
        call = await Call.open(context, "RequestVerification", given)
        require(gtin_of(given.item) == given.gtin, "input.item", "a unit of the product")
        product = await known_product(call.store, given.gtin)
        if call.repeated:
            asked = await call.store.get(Inquiry, Kind.INQUIRY, product.owner, call.repeated)
            return Requested(request=call.repeated, due_at=asked.due_at if asked else 0)
        due_at = call.now + DAY_MS
        inquiry = Inquiry(
            gtin=given.gtin,
            item=digest(given.item),
            by=call.msp,
            at=call.now,
            due_at=due_at,
        )
        call.store.put(Kind.INQUIRY, product.owner, call.transaction_id, value=inquiry)
        call.finish(digest(given.item), gtin=given.gtin)
        return Requested(request=call.transaction_id, due_at=due_at)

    @submit("AnswerVerification", access=HANDLERS)
    async def answer_verification(
        self, context: SupplyContext, given: Annotated[AnswerInput, Transient("input")]
    ) -> Done:
        """Answer a request about an own product."""
        call = await Call.open(context, "AnswerVerification", given)
        inquiry = await call.store.get(Inquiry, Kind.INQUIRY, call.msp, given.request)
        if inquiry is None or inquiry.gtin != given.gtin:
            await owned_product(call, given.gtin)
            raise refusal(Code.NOT_FOUND, "no such request to your organisation")
        if inquiry.answered_at is not None:
            raise refusal(Code.EXISTS, "this request was answered already")
        answered = replace(
            inquiry, answered_at=call.now, verified=given.verified, reason=given.reason
        )
        call.store.put(Kind.INQUIRY, call.msp, given.request, value=answered)
        return call.finish(gtin=given.gtin)

    @submit("NotifyRegulator", access=[Attribute("medfab.role", "quality")])
    async def notify_regulator(
        self, context: SupplyContext, given: Annotated[NotifyInput, Transient("input")]
    ) -> Done:
        """Tell the regulator about an item that is suspect or illegitimate, or cleared again."""
        call = await Call.open(context, "NotifyRegulator", given)
        if call.repeated:
            return call.done_before()
        (item,) = await placed(call.store, [given.item], "input.item")
        hold = await call.store.get(Hold, Kind.HOLD, item.digest, item.digest)
        kind = None if hold is None else hold.kind
        fits = {
            NoticeKind.SUSPECT: kind is HoldKind.SUSPECT,
            NoticeKind.ILLEGITIMATE: kind is HoldKind.ILLEGITIMATE,
            NoticeKind.CLEARED: kind is None,
        }[given.kind]
        if not fits:
            raise refusal(Code.WRONG_STATE, "input.kind: the item is in another state")
        late = hold is not None and call.now > hold.at + DAY_MS
        notice = alike(Notice, given, item=item.digest, by=call.msp, at=call.now, late=late)
        call.store.put(Kind.NOTICE, call.msp, call.transaction_id, value=notice)
        return call.finish(item.digest, notice=given.kind)

    @evaluate("PendingVerifications", access=ANYBODY)
    async def pending_verifications(self, context: SupplyContext, owner: str) -> list[InquiryView]:
        """Return the requests to an organisation, and whether they are overdue."""
        rows = await context.store.range(Inquiry, Kind.INQUIRY, owner)
        return [
            alike(
                InquiryView,
                inquiry,
                request=names[1],
                overdue=(inquiry.answered_at or context.now) > inquiry.due_at,
            )
            for names, inquiry in rows
        ]

    @evaluate("ListNotifications", access=ANYBODY)
    async def list_notifications(self, context: SupplyContext) -> list[NoticeView]:
        """Return notices to the regulator: an authority sees all, others their own."""
        charter = await context.store.get(Charter, Kind.CHARTER)
        is_authority = charter is not None and context.msp in charter.authorities
        whose = () if is_authority else (context.msp,)
        return [
            alike(NoticeView, notice, transaction_id=names[1])
            for names, notice in await context.store.range(Notice, Kind.NOTICE, *whose)
        ]
