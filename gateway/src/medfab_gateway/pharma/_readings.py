"""Temperatures as a thermometer signs them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from medfab_gateway.pharma._answers import milliseconds
from medfab_gateway.pharma._items import Item, digest


def signed_readings(
    key: ec.EllipticCurvePrivateKey,
    *,
    device: str,
    item: Item,
    sequence: int,
    readings: Sequence[tuple[datetime, int]],
) -> tuple[str, str]:
    """Payload and signature of a batch, for `record_readings`.

    sequence: 1 for the first batch of a device about an item, then one more each. readings: when,
    and milli-degrees Celsius, oldest first.
    """
    payload = json.dumps(
        {
            "device": device,
            "item": digest(item),
            "sequence": sequence,
            "readings": [[milliseconds(at), value] for at, value in readings],
        },
        separators=(",", ":"),
    )
    signature = key.sign(payload.encode(), ec.ECDSA(hashes.SHA256()))
    return payload, base64.b64encode(signature).decode()
