"""Typed clients of the supply contract (``medfab_chaincode.pharma``), and GS1's standards.

::

    from medfab_gateway.pharma import AsyncManufacturer, LotKeys
    from medfab_gateway.pharma.identifiers import Gln, Gtin

    manufacturer = AsyncManufacturer(
        contract, msp_id="ManufacturerMSP", gln=Gln("4012345000054"), lot_keys=keys
    )
    await manufacturer.commission(gtin, lot="A1", expiry=date(2027, 12, 31), serials=["4711"])

:class:`AsyncSupply` verifies and traces, :class:`AsyncCapture` captures EPCIS documents,
:class:`AsyncLogistics` packs, ships and receives; :class:`AsyncManufacturer`,
:class:`AsyncDispenser` and :class:`AsyncRegulator` add what those do; :class:`AsyncTrade` is for
what two partners alone may know. Without asyncio, on a
blocking contract: the same names without ``Async``.

The standards are in `medfab_gateway.pharma.identifiers` (GTIN, SSCC, …, URNs, Digital Links),
`.codes` (scanning and labels) and `.epcis` (events and documents). Guide: docs/pharma.md.
"""

from medfab_gateway.errors import MissingExtraError as _MissingExtraError

try:
    import biip as _biip  # noqa: F401  here, before a module of ours imports it
except ModuleNotFoundError as _error:
    raise _MissingExtraError("medfab_gateway.pharma", "pharma") from _error

from medfab_gateway.pharma._answers import (
    Acknowledgement,
    Alert,
    ColdChain,
    Commissioned,
    DeclaredError,
    Done,
    EventRecord,
    Holding,
    ItemView,
    Lineage,
    Monitoring,
    Notification,
    Packaging,
    Partner,
    PendingVerification,
    Product,
    Readings,
    Recall,
    Recalled,
    Received,
    Requested,
    Scanned,
    Shipment,
    ShipmentItem,
    Shipped,
    Shortage,
    TraceStep,
    Verification,
)
from medfab_gateway.pharma._capture import Capture
from medfab_gateway.pharma._capture_async import AsyncCapture
from medfab_gateway.pharma._dispenser import Dispenser
from medfab_gateway.pharma._dispenser_async import AsyncDispenser
from medfab_gateway.pharma._items import MAX_ITEMS, Item, LotKeys, digest, item_id, item_of
from medfab_gateway.pharma._logistics import Logistics
from medfab_gateway.pharma._logistics_async import AsyncLogistics
from medfab_gateway.pharma._manufacturer import Manufacturer
from medfab_gateway.pharma._manufacturer_async import AsyncManufacturer
from medfab_gateway.pharma._plan import MEDFAB, PlanError
from medfab_gateway.pharma._products import ProductForm
from medfab_gateway.pharma._readings import signed_readings
from medfab_gateway.pharma._regulator import Regulator
from medfab_gateway.pharma._regulator_async import AsyncRegulator
from medfab_gateway.pharma._regulator_report import RecallStatus, RegulatorReport
from medfab_gateway.pharma._reports import CaptureReport, EventOutcome, Outcome
from medfab_gateway.pharma._supply import Supply
from medfab_gateway.pharma._supply_async import AsyncSupply
from medfab_gateway.pharma._t3 import T3Line, t3_statement
from medfab_gateway.pharma._trace_tree import trace_tree
from medfab_gateway.pharma._trade import Trade
from medfab_gateway.pharma._trade_answers import Chargeback, SharedDocument, Terms
from medfab_gateway.pharma._trade_async import AsyncTrade
from medfab_gateway.pharma.errors import (
    EpcisError,
    EpcisProblem,
    IdentifierError,
    LabelError,
    LotKeyError,
    QueryError,
    ScanError,
)

__all__ = [
    "MAX_ITEMS",
    "MEDFAB",
    "Acknowledgement",
    "Alert",
    "AsyncCapture",
    "AsyncDispenser",
    "AsyncLogistics",
    "AsyncManufacturer",
    "AsyncRegulator",
    "AsyncSupply",
    "AsyncTrade",
    "Capture",
    "CaptureReport",
    "Chargeback",
    "ColdChain",
    "Commissioned",
    "DeclaredError",
    "Dispenser",
    "Done",
    "EpcisError",
    "EpcisProblem",
    "EventOutcome",
    "EventRecord",
    "Holding",
    "IdentifierError",
    "Item",
    "ItemView",
    "LabelError",
    "Lineage",
    "Logistics",
    "LotKeyError",
    "LotKeys",
    "Manufacturer",
    "Monitoring",
    "Notification",
    "Outcome",
    "Packaging",
    "Partner",
    "PendingVerification",
    "PlanError",
    "Product",
    "ProductForm",
    "QueryError",
    "Readings",
    "Recall",
    "RecallStatus",
    "Recalled",
    "Received",
    "Regulator",
    "RegulatorReport",
    "Requested",
    "ScanError",
    "Scanned",
    "SharedDocument",
    "Shipment",
    "ShipmentItem",
    "Shipped",
    "Shortage",
    "Supply",
    "T3Line",
    "Terms",
    "TraceStep",
    "Trade",
    "Verification",
    "digest",
    "item_id",
    "item_of",
    "signed_readings",
    "t3_statement",
    "trace_tree",
]
