"""Recall: one key for a lot, looked up by every transition. No item is touched."""

from typing import Annotated

from medfab_chaincode import Contract, Transient, submit

from ._answers import Done, Recalled
from ._call import ANYBODY, HANDLERS, Call, SupplyContext
from ._codes import Code, refusal
from ._ids import digest, gtin_of, lot_proof, lot_tag
from ._inputs_goods import AcknowledgeInput, RecallInput
from ._keys import Kind
from ._master import known_product, require_lot_key
from ._model import Acknowledgement, Item, Lot, Product, Recall
from ._store import alike


class Recalls(Contract):
    """Lots that nobody may pass on."""

    @submit("Recall", access=ANYBODY)
    async def recall(
        self, context: SupplyContext, given: Annotated[RecallInput, Transient("input")]
    ) -> Recalled:
        """Recall a lot: its product's owner, or an auditor, who needs a pack of it as sample."""
        call = await Call.open(context, "Recall", given)
        product = await known_product(call.store, given.gtin)
        if not call.is_authority and product.owner != call.msp:
            raise refusal(Code.NOT_OWNER, "the product's owner or an authority recalls its lots")
        tag = await _tag(call, product, given)
        if call.repeated:
            return Recalled(transaction_id=call.repeated, repeated=True, tag=tag)
        lot = await call.store.get(Lot, Kind.LOT, tag)
        if lot is None:
            raise refusal(Code.NOT_FOUND, "no unit of this lot was ever commissioned")
        if await call.store.get(Recall, Kind.RECALL, tag) is not None:
            raise refusal(Code.EXISTS, "this lot is recalled already")
        recall = alike(Recall, given, by=call.msp, at=call.now)
        call.store.put(Kind.RECALL, tag, value=recall)
        call.finish(tag=tag, gtin=given.gtin, lot=given.lot)
        return Recalled(transaction_id=call.transaction_id, repeated=False, tag=tag)

    @submit("AcknowledgeRecall", access=HANDLERS)
    async def acknowledge_recall(
        self, context: SupplyContext, given: Annotated[AcknowledgeInput, Transient("input")]
    ) -> Done:
        """Confirm for the own organisation that it knows, and how many units it has put aside."""
        call = await Call.open(context, "AcknowledgeRecall", given)
        if call.repeated:
            return call.done_before()
        recall = await call.store.get(Recall, Kind.RECALL, given.tag)
        if recall is None or (recall.gtin, recall.lot) != (given.gtin, given.lot):
            raise refusal(Code.NOT_FOUND, "no such recall; the tag comes with the recall's event")
        entry = Acknowledgement(at=call.now, quarantined=given.quarantined)
        call.store.put(Kind.ACKNOWLEDGEMENT, given.tag, call.msp, value=entry)
        return call.finish(tag=given.tag, gtin=given.gtin, lot=given.lot)


async def _tag(call: Call, product: Product, given: RecallInput) -> str:
    if given.lot_key is not None:
        require_lot_key(product, given.lot_key)
        return lot_tag(given.lot_key, given.gtin, given.lot)
    sample = given.sample or ""
    item = await call.store.get(Item, Kind.ITEM, digest(sample))
    if item is None or item.lot is None:
        raise refusal(Code.NOT_FOUND, "input.sample: no such unit was commissioned")
    if gtin_of(sample) != given.gtin or item.proof != lot_proof(sample, given.lot):
        raise refusal(Code.LOT_MISMATCH, "input.sample: it is of another product or lot")
    return item.lot
