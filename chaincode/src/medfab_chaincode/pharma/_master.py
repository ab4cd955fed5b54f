"""Master data: authorities, partners, prefixes, places, products and their transfer."""

from dataclasses import replace
from typing import Annotated

from medfab_chaincode import Contract, Role, Transient, canonical_json, submit

from ._answers import Done
from ._call import AUDITORS, EVENT_NAME, OPERATORS, Call, SupplyContext
from ._codes import Code, refusal
from ._ids import lot_key_hash, prefix_candidates
from ._inputs_master import (
    AcceptTransferInput,
    EstablishInput,
    GtinInput,
    LocationInput,
    PartnerInput,
    PrefixInput,
    ProductInput,
    TransferInput,
)
from ._keys import Kind
from ._model import Charter, Location, Owner, Partner, Product, Transfer
from ._store import Store, alike


class MasterData(Contract):
    """Who is who, and what is whose."""

    @submit("Establish", access=[Role("admin")])
    async def establish(
        self, context: SupplyContext, given: Annotated[EstablishInput, Transient("input")]
    ) -> Done:
        """Name the channel's authorities, once."""
        given.check()
        if await context.store.get(Charter, Kind.CHARTER) is not None:
            raise refusal(Code.ALREADY_ESTABLISHED, "the channel has its authorities already")
        charter = Charter(authorities=tuple(sorted(set(given.authorities))))
        context.store.put(Kind.CHARTER, value=charter)
        told = {"function": "Establish", "event": None, "by": context.msp, "items": ()}
        context.stub.set_event(EVENT_NAME, canonical_json(told))
        return Done(transaction_id=context.transaction_id, repeated=False)

    @submit("RegisterPartner", access=AUDITORS)
    async def register_partner(
        self, context: SupplyContext, given: Annotated[PartnerInput, Transient("input")]
    ) -> Done:
        """License an organisation, or replace its licence."""
        call = await Call.open(context, "RegisterPartner", given)
        if given.msp in call.authorities:
            raise refusal(Code.NOT_AUTHORITY, "an authority cannot be a trading partner as well")
        partner = alike(Partner, given)
        call.store.put(Kind.PARTNER, given.msp, value=partner)
        return call.finish()

    @submit("AssignPrefix", access=AUDITORS)
    async def assign_prefix(
        self, context: SupplyContext, given: Annotated[PrefixInput, Transient("input")]
    ) -> Done:
        """Record whose a GS1 company prefix is."""
        call = await Call.open(context, "AssignPrefix", given)
        known = await call.store.get(Owner, Kind.PREFIX, given.prefix)
        if known is not None and known.owner != given.owner:
            raise refusal(Code.EXISTS, "this prefix is another organisation's")
        call.store.put(Kind.PREFIX, given.prefix, value=Owner(owner=given.owner))
        return call.finish()

    @submit("RegisterLocation", access=OPERATORS)
    async def register_location(
        self, context: SupplyContext, given: Annotated[LocationInput, Transient("input")]
    ) -> Done:
        """Record where a GLN of the caller's prefix is."""
        call = await Call.open(context, "RegisterLocation", given)
        await require_prefix(call, given.gln)
        location = alike(Location, given, owner=call.msp)
        call.store.put(Kind.LOCATION, given.gln, value=location)
        return call.finish()

    @submit("RegisterProduct", access=OPERATORS)
    async def register_product(
        self, context: SupplyContext, given: Annotated[ProductInput, Transient("input")]
    ) -> Done:
        """Register a trade item of the caller's prefix; nothing registered is overwritten."""
        call = await Call.open(context, "RegisterProduct", given)
        await require_prefix(call, given.gtin)
        if await call.store.get(Product, Kind.PRODUCT, given.gtin) is not None:
            raise refusal(Code.EXISTS, "a product with this GTIN is registered already")
        product = alike(Product, given, owner=call.msp)
        call.store.put(Kind.PRODUCT, given.gtin, value=product)
        return call.finish()

    @submit("OfferTransfer", access=OPERATORS)
    async def offer_transfer(
        self, context: SupplyContext, given: Annotated[TransferInput, Transient("input")]
    ) -> Done:
        """Offer a product to another organisation; a new offer replaces the one before."""
        call = await Call.open(context, "OfferTransfer", given)
        await owned_product(call, given.gtin)
        if given.to == call.msp:
            raise refusal(Code.WRONG_STATE, "the product is yours already")
        call.store.put(Kind.TRANSFER, given.gtin, value=Transfer(to=given.to, offered_at=call.now))
        return call.finish()

    @submit("WithdrawTransfer", access=OPERATORS)
    async def withdraw_transfer(
        self, context: SupplyContext, given: Annotated[GtinInput, Transient("input")]
    ) -> Done:
        """Take an offer back."""
        call = await Call.open(context, "WithdrawTransfer", given)
        await owned_product(call, given.gtin)
        await _offer(call.store, given.gtin)
        call.store.delete(Kind.TRANSFER, given.gtin)
        return call.finish()

    @submit("AcceptTransfer", access=OPERATORS)
    async def accept_transfer(
        self, context: SupplyContext, given: Annotated[AcceptTransferInput, Transient("input")]
    ) -> Done:
        """Take over a product that was offered; the lot key shows that its lots are, too."""
        call = await Call.open(context, "AcceptTransfer", given)
        offer = await _offer(call.store, given.gtin)
        if offer.to != call.msp:
            raise refusal(Code.NOT_OWNER, "the product is offered to another organisation")
        product = await known_product(call.store, given.gtin)
        require_lot_key(product, given.lot_key)
        call.store.put(Kind.PRODUCT, given.gtin, value=replace(product, owner=call.msp))
        call.store.delete(Kind.TRANSFER, given.gtin)
        return call.finish()


async def _offer(store: Store, gtin: str) -> Transfer:
    offer = await store.get(Transfer, Kind.TRANSFER, gtin)
    if offer is None:
        raise refusal(Code.NOT_FOUND, "there is no offer to transfer this product")
    return offer


async def known_product(store: Store, gtin: str) -> Product:
    """Read a product; refuses one that is not registered."""
    product = await store.get(Product, Kind.PRODUCT, gtin)
    if product is None:
        raise refusal(Code.NOT_FOUND, "no product with this GTIN: its owner registers it first")
    return product


async def owned_product(call: Call, gtin: str) -> Product:
    """Read a product of the calling organisation."""
    product = await known_product(call.store, gtin)
    if product.owner != call.msp:
        raise refusal(Code.NOT_OWNER, "this product is another organisation's")
    return product


def require_lot_key(product: Product, lot_key: str) -> None:
    """Refuse a secret that is not the product's: it would name its lots a second time."""
    if lot_key_hash(lot_key) != product.lot_key_hash:
        raise refusal(Code.LOT_MISMATCH, "this is not the lot key that the product shows a hash of")


async def require_prefix(call: Call, item_or_number: str) -> None:
    """Refuse a GTIN, SSCC, GLN or id that does not begin with the caller's company prefix."""
    candidates = prefix_candidates(item_or_number)
    owners = await call.store.get_many(Owner, Kind.PREFIX, [[each] for each in candidates])
    found = [owner for owner in owners if owner is not None]
    if not found or found[-1].owner != call.msp:  # the longest prefix decides
        raise refusal(
            Code.NOT_PREFIX_OWNER,
            "its GS1 company prefix is not assigned to your organisation",
        )
