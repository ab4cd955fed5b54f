"""Temperature: batches that a device has signed, against a budget of time outside the limits."""

import base64
import binascii
from dataclasses import dataclass, replace
from typing import Annotated

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from medfab_chaincode import (
    Contract,
    InvalidArgumentError,
    Transient,
    evaluate,
    parse_state,
    submit,
)
from medfab_chaincode.errors import StateFormatError

from ._answers import Done, Readings
from ._call import ANYBODY, OPERATORS, Call, SupplyContext
from ._codes import Code, refusal
from ._hierarchy import placed
from ._holding import raise_hold
from ._ids import check_item, digest, require
from ._inputs import OneItem
from ._inputs_events import DeviceInput, MonitorInput, ReadingsInput
from ._keys import Kind
from ._model import AT_AN_END, Device, Hold, HoldKind, Monitor, MonitorStatus
from ._store import alike

MAX_READINGS = 10_000
"""In one batch."""

_REASON = "cold_chain"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What a device signs: its readings are (milliseconds, thousandths of a degree Celsius)."""

    device: str
    item: str
    sequence: int
    readings: tuple[tuple[int, ...], ...]


class ColdChainMonitoring(Contract):
    """What was too warm, or for how long nobody knows."""

    @submit("RegisterDevice", access=OPERATORS)
    async def register_device(
        self, context: SupplyContext, given: Annotated[DeviceInput, Transient("input")]
    ) -> Done:
        """Register a sensor's key; a registered one is never replaced."""
        call = await Call.open(context, "RegisterDevice", given)
        _key(given.public_key)
        if await call.store.get(Device, Kind.DEVICE, given.device) is not None:
            raise refusal(Code.EXISTS, "a device with this id is registered already")
        device = alike(Device, given, owner=call.msp)
        call.store.put(Kind.DEVICE, given.device, value=device)
        return call.finish()

    @submit("StartMonitoring", access=OPERATORS)
    async def start_monitoring(
        self, context: SupplyContext, given: Annotated[MonitorInput, Transient("input")]
    ) -> Done:
        """Let a device speak for an item that the caller holds."""
        call = await Call.open(context, "StartMonitoring", given)
        if call.repeated:
            return call.done_before()
        name = await _held(call, given.item)
        if await call.store.get(Device, Kind.DEVICE, given.device) is None:
            raise refusal(Code.NOT_FOUND, "no such device: RegisterDevice first")
        known = await call.store.get(Monitor, Kind.MONITOR, name)
        if known is not None and known.status is not MonitorStatus.STOPPED:
            raise refusal(Code.EXISTS, "this item is monitored already")
        monitor = alike(Monitor, given, status=MonitorStatus.RUNNING, started_at=call.now)
        call.store.put(Kind.MONITOR, name, value=monitor)
        return call.finish(name)

    @submit("StopMonitoring", access=OPERATORS)
    async def stop_monitoring(
        self, context: SupplyContext, given: Annotated[OneItem, Transient("input")]
    ) -> Done:
        """End it; a breach stays a breach."""
        call = await Call.open(context, "StopMonitoring", given)
        if call.repeated:
            return call.done_before()
        name = await _held(call, given.item)
        monitor = await _running(call, name)
        stopped = replace(monitor, status=MonitorStatus.STOPPED)
        call.store.put(Kind.MONITOR, name, value=stopped)
        return call.finish(name)

    @submit("RecordReadings", access=ANYBODY)
    async def record_readings(
        self, context: SupplyContext, given: Annotated[ReadingsInput, Transient("input")]
    ) -> Readings:
        """Take a signed batch; once the budget is used up, the item is quarantined by itself."""
        call = await Call.open(context, "RecordReadings", given)
        name = digest(given.item)
        batch = _batch(given.payload)
        require(batch.item == name, "input.payload", "a batch about this item")
        monitor = await call.store.get(Monitor, Kind.MONITOR, name)
        if monitor is None or monitor.device != batch.device:
            raise refusal(Code.NOT_FOUND, "this device does not monitor this item")
        device = await call.store.get(Device, Kind.DEVICE, batch.device)
        if device is None or not _is_signed(device.public_key, given):
            raise refusal(Code.BAD_SIGNATURE, "the batch is not signed by the device's key")
        breached = monitor.status is MonitorStatus.BREACHED
        if call.repeated or batch.sequence < monitor.next_sequence:  # a batch sent again
            return Readings(transaction_id=call.transaction_id, repeated=True, breached=breached)
        if monitor.status is MonitorStatus.STOPPED:
            raise refusal(Code.WRONG_STATE, "the monitoring of this item has been stopped")
        if batch.sequence > monitor.next_sequence:
            raise refusal(
                Code.WRONG_STATE, "an earlier batch of the device is missing: send that first"
            )
        counted = _counted(monitor, batch)
        if counted.excursion_ms > counted.budget_ms and not breached:
            counted = replace(counted, status=MonitorStatus.BREACHED)
            (item,) = await placed(call.store, [given.item], "input.item")
            known = await call.store.get(Hold, Kind.HOLD, name, name)
            if known is None and item.status not in AT_AN_END:
                raise_hold(call, item, HoldKind.QUARANTINED, _REASON, raised_by=batch.device)
        call.store.put(Kind.MONITOR, name, value=counted)
        is_breached = counted.status is MonitorStatus.BREACHED
        shown = {"signal": "cold_chain_breach"} if is_breached and not breached else {}
        call.finish(name, **shown)
        return Readings(transaction_id=call.transaction_id, repeated=False, breached=is_breached)

    @evaluate("ReadMonitoring")
    async def read_monitoring(self, context: SupplyContext, item: str) -> Monitor | None:
        """Return what a device has reported about an item, summed up."""
        name = digest(check_item(item, "item"))
        return await context.store.get(Monitor, Kind.MONITOR, name)


async def _held(call: Call, item: str) -> str:
    (found,) = await placed(call.store, [item], "input.item")
    if found.holder != call.msp:
        raise refusal(Code.NOT_HOLDER, "input.item: your organisation does not hold this item")
    return found.digest


async def _running(call: Call, name: str) -> Monitor:
    monitor = await call.store.get(Monitor, Kind.MONITOR, name)
    if monitor is None or monitor.status is not MonitorStatus.RUNNING:
        raise refusal(Code.WRONG_STATE, "this item is not monitored")
    return monitor


def _batch(payload: str) -> Batch:
    try:
        batch = parse_state(Batch, payload.encode())
    except StateFormatError as error:
        raise InvalidArgumentError.at(
            "input.payload", "expected a batch: device, item, sequence, readings"
        ) from error
    require(0 < len(batch.readings) <= MAX_READINGS, "input.payload", "1 to 10000 readings")
    pairs = all(len(reading) == 2 for reading in batch.readings)
    require(pairs, "input.payload", "readings [milliseconds, thousandths of a degree]")
    return batch


def _counted(monitor: Monitor, batch: Batch) -> Monitor:
    """Add the time after each reading to what the reading says it was."""
    counted = monitor
    for at, value in batch.readings:
        last = counted.last_at
        if last is not None and at <= last:
            counted = replace(counted, duplicates=counted.duplicates + 1)
            continue
        since = at - (monitor.started_at if last is None else last)
        is_gap = since > monitor.max_gap_ms
        was_outside = counted.last_value is not None and not (
            monitor.min <= counted.last_value <= monitor.max
        )
        counted = replace(
            counted,
            readings=counted.readings + 1,
            gaps=counted.gaps + is_gap,
            gap_ms=counted.gap_ms + (since if is_gap else 0),
            excursion_ms=counted.excursion_ms + (since if is_gap or was_outside else 0),
            last_at=at,
            last_value=value,
        )
    return replace(counted, next_sequence=batch.sequence + 1)


def _key(pem: str) -> ec.EllipticCurvePublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidArgumentError.at("input.public_key", "expected a P-256 key, PEM") from error
    is_p256 = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not is_p256:
        raise InvalidArgumentError.at("input.public_key", "expected a P-256 key, PEM")
    return key


def _is_signed(public_key: str, given: ReadingsInput) -> bool:
    try:
        signature = base64.b64decode(given.signature, validate=True)
        _key(public_key).verify(signature, given.payload.encode(), ec.ECDSA(hashes.SHA256()))
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True
