"""Questions about master data, single items, shipments and recalls."""

from medfab_chaincode import Contract, evaluate, parse_state

from ._answers import (
    AcknowledgementView,
    HoldView,
    ItemView,
    OwnerView,
    RecallView,
    ShipmentView,
    ShippedItem,
    ShortageView,
)
from ._call import SupplyContext, established
from ._codes import Code, refusal
from ._ids import check_digits, check_item, digest, require
from ._inputs import MAX_ITEMS, check_hex
from ._keys import Kind
from ._model import (
    Acknowledgement,
    Alert,
    Charter,
    Hold,
    Location,
    Partner,
    Product,
    Recall,
    Shipment,
    Shortage,
    Status,
    Transfer,
)
from ._packing import Contents
from ._scans import Condition, conditions
from ._store import alike, milliseconds


class Reading(Contract):
    """What is on record. Nothing here writes, and nothing here reads private data."""

    @evaluate("ReadCharter")
    async def read_charter(self, context: SupplyContext) -> Charter:
        """Return the channel's authorities."""
        return established(await context.store.get(Charter, Kind.CHARTER))

    @evaluate("ReadPartner")
    async def read_partner(self, context: SupplyContext, msp: str) -> Partner | None:
        """Return a trading partner and its licence."""
        require(bool(msp), "msp", "an MSP id")
        return await context.store.get(Partner, Kind.PARTNER, msp)

    @evaluate("ListPartners")
    async def list_partners(self, context: SupplyContext) -> list[Partner]:
        """Return all trading partners."""
        return [partner for _, partner in await context.store.range(Partner, Kind.PARTNER)]

    @evaluate("ReadProduct")
    async def read_product(self, context: SupplyContext, gtin: str) -> Product | None:
        """Return a product."""
        return await context.store.get(Product, Kind.PRODUCT, check_digits(gtin, 14, "gtin"))

    @evaluate("ReadLocation")
    async def read_location(self, context: SupplyContext, gln: str) -> Location | None:
        """Return a location."""
        return await context.store.get(Location, Kind.LOCATION, check_digits(gln, 13, "gln"))

    @evaluate("ReadTransfer")
    async def read_transfer(self, context: SupplyContext, gtin: str) -> Transfer | None:
        """Return the open offer to transfer a product."""
        return await context.store.get(Transfer, Kind.TRANSFER, check_digits(gtin, 14, "gtin"))

    @evaluate("ProductHistory")
    async def product_history(self, context: SupplyContext, gtin: str) -> list[OwnerView]:
        """Return whose a product has been, oldest first."""
        key = context.store.key(Kind.PRODUCT, check_digits(gtin, 14, "gtin"))
        owners: list[OwnerView] = []
        changes = [change async for change in context.stub.get_history_for_key(key)]
        for change in reversed(changes):
            owner = parse_state(Product, change.value or b"").owner
            if not owners or owners[-1].owner != owner:
                owners.append(OwnerView(at=milliseconds(change.timestamp), owner=owner))
        return owners

    @evaluate("ReadItem")
    async def read_item(self, context: SupplyContext, item: str) -> ItemView | None:
        """Return an item with what follows from its parents, holds, recalls and expiry."""
        name = digest(check_item(item, "item"))
        (found,) = await conditions(context.store, [name], context.today)
        return None if found is None else _view(found)

    @evaluate("Locate")
    async def locate(self, context: SupplyContext, items: list[str]) -> list[ItemView | None]:
        """Return many items; None for each that is unknown."""
        require(0 < len(items) <= MAX_ITEMS, "items", f"1 to {MAX_ITEMS} entries")
        names = [digest(check_item(each, f"items[{index}]")) for index, each in enumerate(items)]
        found = await conditions(context.store, names, context.today)
        return [None if each is None else _view(each) for each in found]

    @evaluate("Contents")
    async def contents(self, context: SupplyContext, container: str) -> list[str]:
        """Return the digests of what is directly in a container."""
        name = digest(check_item(container, "container"))
        return await context.store.get(Contents, Kind.CONTENTS, name) or []

    @evaluate("ListHolds")
    async def list_holds(self, context: SupplyContext, item: str) -> list[HoldView]:
        """Return the holds on an item and on what is in it."""
        name = digest(check_item(item, "item"))
        return [
            alike(HoldView, hold, item=held)
            for (_, held), hold in await context.store.range(Hold, Kind.HOLD, name)
        ]

    @evaluate("ListAlerts")
    async def list_alerts(self, context: SupplyContext, item: str) -> list[Alert]:
        """Return the signals about an item, given by its id or its digest."""
        name = digest(check_item(item, "item")) if "/" in item else item
        require(bool(name), "item", "an id or a digest")
        return [alert for _, alert in await context.store.range(Alert, Kind.ALERT, name)]

    @evaluate("ReadShipment")
    async def read_shipment(self, context: SupplyContext, shipment: str) -> ShipmentView:
        """Return a shipment with the state of each of its roots."""
        check_hex(shipment, "shipment")
        found = await context.store.get(Shipment, Kind.SHIPMENT, shipment)
        if found is None:
            raise refusal(Code.NOT_FOUND, "no such shipment")
        items = await context.store.items(found.items)
        return alike(
            ShipmentView,
            found,
            items=tuple(
                ShippedItem(digest=name, status=item.status if item else Status.MISSING)
                for name, item in zip(found.items, items, strict=True)
            ),
        )

    @evaluate("ListShortages")
    async def list_shortages(self, context: SupplyContext, shipment: str) -> list[ShortageView]:
        """Return what of a shipment did not arrive, and what became of it."""
        check_hex(shipment, "shipment")
        return [
            alike(ShortageView, shortage, item=names[1])
            for names, shortage in await context.store.range(Shortage, Kind.SHORTAGE, shipment)
        ]

    @evaluate("ReadRecall")
    async def read_recall(self, context: SupplyContext, tag: str) -> RecallView | None:
        """Return a recall."""
        require(bool(tag), "tag", "a lot's tag")
        recall = await context.store.get(Recall, Kind.RECALL, tag)
        return None if recall is None else alike(RecallView, recall, tag=tag)

    @evaluate("ListRecalls")
    async def list_recalls(self, context: SupplyContext) -> list[RecallView]:
        """Return all recalls."""
        rows = await context.store.range(Recall, Kind.RECALL)
        return [alike(RecallView, recall, tag=names[0]) for names, recall in rows]

    @evaluate("Acknowledgements")
    async def acknowledgements(self, context: SupplyContext, tag: str) -> list[AcknowledgementView]:
        """Return who has acknowledged a recall."""
        require(bool(tag), "tag", "a lot's tag")
        rows = await context.store.range(Acknowledgement, Kind.ACKNOWLEDGEMENT, tag)
        return [alike(AcknowledgementView, entry, msp=names[1]) for names, entry in rows]


def _view(found: Condition) -> ItemView:
    placed = found.placed
    root, root_item = placed.root
    return ItemView(
        digest=placed.digest,
        kind=placed.item.kind,
        status=found.status,
        holder=placed.holder,
        parent=placed.item.parent,
        root=root,
        consignee=root_item.consignee,
        shipment=root_item.shipment,
        lots=placed.item.units(),
        remaining=placed.item.remaining,
        recalled=found.recalled,
        held=found.held,
        expired=found.expired,
        since=placed.item.since,
    )
