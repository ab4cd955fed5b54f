"""EPCIS 2.0: typed events and documents, JSON-LD in and out, XML 1.2 in, the event hash.

::

    from medfab_gateway.pharma.epcis import event_hashes, read, write_document

    document = read(Path("events.json").read_bytes())   # EpcisError names event and field
    for event, name in zip(document.events, event_hashes(document)):
        print(name, event.biz_step, event.event_time)

`read` takes JSON-LD documents, query documents and single events of EPCIS 2.0, and XML documents
of EPCIS 1.1 and 1.2. `write_document` writes JSON-LD that `read` takes again.
"""

from medfab_gateway.pharma.epcis._hash import event_hash, event_hashes, pre_hash
from medfab_gateway.pharma.epcis._models import (
    AggregationEvent,
    AssociationEvent,
    BizTransaction,
    Destination,
    EpcisDocument,
    ErrorDeclaration,
    Event,
    Location,
    ObjectEvent,
    PersistentDisposition,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    Source,
    TransactionEvent,
    TransformationEvent,
)
from medfab_gateway.pharma.epcis._read import read_document
from medfab_gateway.pharma.epcis._vocabulary import CONTEXT
from medfab_gateway.pharma.epcis._write import (
    document_fields,
    document_of,
    event_fields,
    write_document,
)
from medfab_gateway.pharma.epcis._xml import read_xml
from medfab_gateway.pharma.errors import EpcisError, EpcisProblem


def read(data: bytes) -> EpcisDocument:
    """Read an EPCIS document, whichever of the two forms it has. Raises :class:`EpcisError`."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return read_xml(data)
    return read_document(data)


__all__ = [
    "CONTEXT",
    "AggregationEvent",
    "AssociationEvent",
    "BizTransaction",
    "Destination",
    "EpcisDocument",
    "EpcisError",
    "EpcisProblem",
    "ErrorDeclaration",
    "Event",
    "Location",
    "ObjectEvent",
    "PersistentDisposition",
    "Quantity",
    "SensorElement",
    "SensorMetadata",
    "SensorReport",
    "Source",
    "TransactionEvent",
    "TransformationEvent",
    "document_fields",
    "document_of",
    "event_fields",
    "event_hash",
    "event_hashes",
    "pre_hash",
    "read",
    "read_document",
    "read_xml",
    "write_document",
]
