"""Which fields each part of EPCIS 2.0 has in JSON, and which it needs."""

from __future__ import annotations

from medfab_gateway.pharma.epcis import _models as m
from medfab_gateway.pharma.epcis import _vocabulary as v
from medfab_gateway.pharma.epcis._kinds import (
    Boolean,
    Epc,
    Hex,
    Kind,
    Many,
    Number,
    Offset,
    OneOf,
    Place,
    Text,
    Thing,
    Time,
    Unit,
    Uri,
    Word,
    extension,
    shown,
)

_TEXT, _URI, _EPC, _TIME, _NUMBER = Text(), Uri(), Epc(), Time(), Number()
_DISPOSITION = Word(v.DISPOSITION)
_LOCATION = Thing(m.Location, {"id": ("id", _EPC)}, needed=["id"])
_QUANTITY = Thing(
    m.Quantity,
    {
        "epcClass": ("epc_class", _EPC),
        "quantity": ("quantity", Number(least=0)),
        "uom": ("uom", Unit()),
    },
    needed=["epcClass"],
    extensible=False,
)
_METHOD = {
    "deviceID": ("device_id", _URI),
    "deviceMetadata": ("device_metadata", _URI),
    "rawData": ("raw_data", _URI),
    "dataProcessingMethod": ("data_processing_method", _URI),
    "bizRules": ("biz_rules", _URI),
}
_SENSOR_METADATA = Thing(
    m.SensorMetadata,
    {
        "time": ("time", _TIME),
        "startTime": ("start_time", _TIME),
        "endTime": ("end_time", _TIME),
        **_METHOD,
    },
)
_SENSOR_REPORT = Thing(
    m.SensorReport,
    {
        "type": ("type", Word(v.MEASUREMENT, open=True)),
        "exception": ("exception", Word(v.EXCEPTION)),
        **_METHOD,
        "time": ("time", _TIME),
        "microorganism": ("microorganism", _URI),
        "chemicalSubstance": ("chemical_substance", _URI),
        "value": ("value", _NUMBER),
        "component": ("component", Word(v.COMPONENT)),
        "stringValue": ("string_value", _TEXT),
        "booleanValue": ("boolean_value", Boolean()),
        "hexBinaryValue": ("hex_binary_value", Hex()),
        "uriValue": ("uri_value", _URI),
        "minValue": ("min_value", _NUMBER),
        "maxValue": ("max_value", _NUMBER),
        "meanValue": ("mean_value", _NUMBER),
        "sDev": ("s_dev", _NUMBER),
        "percRank": ("perc_rank", _NUMBER),
        "percValue": ("perc_value", _NUMBER),
        "uom": ("uom", Unit()),
        "coordinateReferenceSystem": ("coordinate_reference_system", _URI),
    },
)


class _SensorReport(Kind):
    """A report says what it measured, or what failed."""

    def read(self, raw: object, at: Place) -> object:
        report = _SENSOR_REPORT.read(raw, at)
        if isinstance(raw, dict) and not {"type", "exception"} & raw.keys():
            at.below("type").wrong("is missing: a report has a type or an exception")
        return report

    def write(self, value: object) -> object:
        return _SENSOR_REPORT.write(value)


class _Ilmd(Kind):
    """Master data: extensions alone."""

    def read(self, raw: object, at: Place) -> object:
        if not isinstance(raw, dict):
            at.wrong(f"an object was expected, not {shown(raw)}")
            return None
        for name, value in raw.items():
            if not extension(name, value, at):
                at.below(name).wrong("needs a prefix that is in @context, e.g. cbvmda:lotNumber")
        return raw


def _party(of: type, name: str) -> Thing:
    fields = {"type": ("type", Word(v.SOURCE_DESTINATION)), name: ("id", _EPC)}
    return Thing(of, fields, needed=["type", name], extensible=False)


_COMMON: dict[str, tuple[str, Kind]] = {
    "eventTime": ("event_time", _TIME),
    "recordTime": ("record_time", _TIME),
    "eventTimeZoneOffset": ("event_time_zone_offset", Offset()),
    "eventID": ("event_id", _URI),
    "errorDeclaration": (
        "error_declaration",
        Thing(
            m.ErrorDeclaration,
            {
                "declarationTime": ("declaration_time", _TIME),
                "reason": ("reason", Word(v.ERROR_REASON)),
                "correctiveEventIDs": ("corrective_event_ids", Many(_URI)),
            },
            needed=["declarationTime"],
        ),
    ),
    "certificationInfo": ("certification_info", Many(_URI, single=True)),
    "bizStep": ("biz_step", Word(v.BIZ_STEP)),
    "disposition": ("disposition", _DISPOSITION),
    "persistentDisposition": (
        "persistent_disposition",
        Thing(
            m.PersistentDisposition,
            {"set": ("set", Many(_DISPOSITION)), "unset": ("unset", Many(_DISPOSITION))},
            extensible=False,
        ),
    ),
    "readPoint": ("read_point", _LOCATION),
    "bizLocation": ("biz_location", _LOCATION),
    "bizTransactionList": (
        "biz_transactions",
        Many(
            Thing(
                m.BizTransaction,
                {"type": ("type", Word(v.BIZ_TRANSACTION)), "bizTransaction": ("id", _URI)},
                needed=["bizTransaction"],
                extensible=False,
            )
        ),
    ),
    "sourceList": ("sources", Many(_party(m.Source, "source"))),
    "destinationList": ("destinations", Many(_party(m.Destination, "destination"))),
    "sensorElementList": (
        "sensor_elements",
        Many(
            Thing(
                m.SensorElement,
                {
                    "sensorMetadata": ("sensor_metadata", _SENSOR_METADATA),
                    "sensorReport": ("sensor_report", Many(_SensorReport(), least=1)),
                },
                needed=["sensorReport"],
            )
        ),
    ),
}
_ACTION: dict[str, tuple[str, Kind]] = {"action": ("action", OneOf("ADD", "OBSERVE", "DELETE"))}
_EPCS, _QUANTITIES = Many(_EPC), Many(_QUANTITY)
_PARENT: dict[str, tuple[str, Kind]] = {"parentID": ("parent_id", _EPC)}
_CHILDREN: dict[str, tuple[str, Kind]] = {
    "childEPCs": ("child_epcs", _EPCS),
    "childQuantityList": ("child_quantities", _QUANTITIES),
}
_THINGS: dict[str, tuple[str, Kind]] = {
    "epcList": ("epcs", _EPCS),
    "quantityList": ("quantities", _QUANTITIES),
}
_ILMD: dict[str, tuple[str, Kind]] = {"ilmd": ("ilmd", _Ilmd())}
_ALWAYS = ["eventTime", "eventTimeZoneOffset"]

EVENTS = {
    "ObjectEvent": Thing(
        m.ObjectEvent, {**_COMMON, **_ACTION, **_THINGS, **_ILMD}, needed=[*_ALWAYS, "action"]
    ),
    "AggregationEvent": Thing(
        m.AggregationEvent, {**_COMMON, **_ACTION, **_PARENT, **_CHILDREN},
        needed=[*_ALWAYS, "action"],
    ),
    "AssociationEvent": Thing(
        m.AssociationEvent, {**_COMMON, **_ACTION, **_PARENT, **_CHILDREN},
        needed=[*_ALWAYS, "action", "parentID"],
    ),
    "TransactionEvent": Thing(
        m.TransactionEvent, {**_COMMON, **_ACTION, **_PARENT, **_THINGS},
        needed=[*_ALWAYS, "action", "bizTransactionList"],
    ),
    "TransformationEvent": Thing(
        m.TransformationEvent,
        {
            **_COMMON,
            "inputEPCList": ("input_epcs", _EPCS),
            "inputQuantityList": ("input_quantities", _QUANTITIES),
            "outputEPCList": ("output_epcs", _EPCS),
            "outputQuantityList": ("output_quantities", _QUANTITIES),
            "transformationID": ("transformation_id", _URI),
            **_ILMD,
        },
        needed=_ALWAYS,
    ),
}  # fmt: skip
"""By the type of the event."""
