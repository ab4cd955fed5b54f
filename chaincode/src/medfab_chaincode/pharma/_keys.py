"""The object types of composite keys, and names of collections. See docs/design/pharma.md."""

from enum import StrEnum


class Kind(StrEnum):
    """First part of a key."""

    CHARTER = "charter"
    PARTNER = "partner"
    PREFIX = "prefix"
    LOCATION = "location"
    PRODUCT = "product"
    TRANSFER = "transfer"
    LOT = "lot"
    ITEM = "item"
    CONTENTS = "contents"
    BATCH = "batch"
    DERIVED = "derived"
    LINEAGE = "lineage"
    HOLD = "hold"
    RECALL = "recall"
    ACKNOWLEDGEMENT = "acknowledgement"
    SHIPMENT = "shipment"
    SHORTAGE = "shortage"
    EVENT = "event"
    BODY = "body"
    SIGHTING = "sighting"
    ALERT = "alert"
    DEVICE = "device"
    MONITOR = "monitor"
    INQUIRY = "inquiry"
    NOTICE = "notice"
    TERMS = "terms"
    CHARGEBACK = "chargeback"
    DOCUMENT = "document"


def implicit_collection(msp_id: str) -> str:
    """The collection that Fabric gives each organisation, endorsed by that organisation alone."""
    return f"_implicit_org_{msp_id}"


def trade_collection(one: str, other: str) -> str:
    """What two organisations share, and both endorse; the topology's `pairwise` makes it."""
    return f"trade-{'-'.join(sorted((one, other)))}"
