"""EPCIS 2.0's events and documents as types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal, TypeAlias

from medfab_gateway.pharma.epcis._vocabulary import CONTEXT

Action = Literal["ADD", "OBSERVE", "DELETE"]


@dataclass(frozen=True, kw_only=True)
class Extensible:
    """What may have fields of somebody's own."""

    extensions: Mapping[str, Any] = field(default_factory=dict)
    """`prefix:name` → any JSON; the prefix is declared in the document's context."""


@dataclass(frozen=True, kw_only=True)
class Location(Extensible):
    """A read point or business location."""

    id: str


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """So much of a class of things."""

    epc_class: str
    quantity: Decimal | None = None
    uom: str | None = None
    """Unit (UN/ECE recommendation 20); None: pieces."""


@dataclass(frozen=True, kw_only=True)
class BizTransaction:
    """A business document."""

    id: str
    type: str | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """From whom or where."""

    type: str
    id: str


@dataclass(frozen=True, kw_only=True)
class Destination:
    """To whom or where."""

    type: str
    id: str


@dataclass(frozen=True, kw_only=True)
class PersistentDisposition:
    """What stays true of things beyond this event, or no longer is."""

    set: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ErrorDeclaration(Extensible):
    """Says that an event with the same content was in error."""

    declaration_time: datetime
    reason: str | None = None
    corrective_event_ids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SensorMetadata(Extensible):
    """When, by what and how something was measured."""

    time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    device_id: str | None = None
    device_metadata: str | None = None
    raw_data: str | None = None
    data_processing_method: str | None = None
    biz_rules: str | None = None


@dataclass(frozen=True, kw_only=True)
class SensorReport(Extensible):
    """One thing that was measured."""

    type: str | None = None
    exception: str | None = None
    device_id: str | None = None
    device_metadata: str | None = None
    raw_data: str | None = None
    data_processing_method: str | None = None
    biz_rules: str | None = None
    time: datetime | None = None
    microorganism: str | None = None
    chemical_substance: str | None = None
    value: Decimal | None = None
    component: str | None = None
    string_value: str | None = None
    boolean_value: bool | None = None
    hex_binary_value: str | None = None
    uri_value: str | None = None
    min_value: Decimal | None = None
    max_value: Decimal | None = None
    mean_value: Decimal | None = None
    s_dev: Decimal | None = None
    perc_rank: Decimal | None = None
    perc_value: Decimal | None = None
    uom: str | None = None
    coordinate_reference_system: str | None = None


@dataclass(frozen=True, kw_only=True)
class SensorElement(Extensible):
    """Reports with their common metadata."""

    sensor_report: tuple[SensorReport, ...]
    sensor_metadata: SensorMetadata | None = None


@dataclass(frozen=True, kw_only=True)
class _Event(Extensible):
    """What all events have."""

    type: ClassVar[str]

    event_time: datetime
    event_time_zone_offset: str
    """Of the place where it happened, e.g. `+02:00`."""
    record_time: datetime | None = None
    event_id: str | None = None
    error_declaration: ErrorDeclaration | None = None
    certification_info: tuple[str, ...] = ()
    biz_step: str | None = None
    """A bare word of CBV 2.0, or a URI of somebody's own; so are the other words."""
    disposition: str | None = None
    persistent_disposition: PersistentDisposition | None = None
    read_point: Location | None = None
    biz_location: Location | None = None
    biz_transactions: tuple[BizTransaction, ...] = ()
    sources: tuple[Source, ...] = ()
    destinations: tuple[Destination, ...] = ()
    sensor_elements: tuple[SensorElement, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ObjectEvent(_Event):
    """Something happened to things."""

    type = "ObjectEvent"
    action: Action
    epcs: tuple[str, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    ilmd: Mapping[str, Any] | None = None
    """Instance or lot master data, e.g. `cbvmda:lotNumber`; where things are commissioned."""


@dataclass(frozen=True, kw_only=True)
class AggregationEvent(_Event):
    """Things were put into another, or taken out."""

    type = "AggregationEvent"
    action: Action
    parent_id: str | None = None
    child_epcs: tuple[str, ...] = ()
    child_quantities: tuple[Quantity, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AssociationEvent(_Event):
    """Things were attached to another for good, or detached."""

    type = "AssociationEvent"
    action: Action
    parent_id: str
    child_epcs: tuple[str, ...] = ()
    child_quantities: tuple[Quantity, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TransactionEvent(_Event):
    """Things became part of a business transaction, or no longer are."""

    type = "TransactionEvent"
    action: Action
    parent_id: str | None = None
    epcs: tuple[str, ...] = ()
    quantities: tuple[Quantity, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TransformationEvent(_Event):
    """Things were used up, and others made of them."""

    type = "TransformationEvent"
    input_epcs: tuple[str, ...] = ()
    input_quantities: tuple[Quantity, ...] = ()
    output_epcs: tuple[str, ...] = ()
    output_quantities: tuple[Quantity, ...] = ()
    transformation_id: str | None = None
    ilmd: Mapping[str, Any] | None = None


Event: TypeAlias = (
    ObjectEvent | AggregationEvent | AssociationEvent | TransactionEvent | TransformationEvent
)


@dataclass(frozen=True, kw_only=True)
class EpcisDocument:
    """A document of events."""

    events: tuple[Event, ...]
    creation_date: datetime
    context: tuple[str | Mapping[str, Any], ...] = (CONTEXT,)
    """JSON-LD: the standard's address, and prefixes of extensions with theirs."""
    id: str | None = None
    sender: str | None = None
    receiver: str | None = None
    instance_identifier: str | None = None
    header: Mapping[str, Any] | None = None
    """`epcisHeader`, e.g. master data, as it is."""
    extensions: Mapping[str, Any] = field(default_factory=dict)
