"""Sensor batches: signatures, sequence, limits, gaps, duplicates, and a breach that quarantines."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pharma_world import (
    AUDITOR,
    MAKER,
    OPERATOR,
    QUALITY,
    RIVAL,
    WHOLESALER,
    Chain,
    InMemory,
    digest,
    sscc,
)
from unit.chaincode.pharma_chain import chain, channel, refused

__all__ = ["chain", "channel"]

MINUTE = 60_000
START = 1_767_225_600_000  # the ledger's clock at the beginning


class Sensor:
    """A device with its own key."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.sequence = 0

    @property
    def public_key(self) -> str:
        return (
            self.key.public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            .decode()
        )

    def batch(self, about: str, *readings: tuple[int, int], **changes: Any) -> dict[str, str]:
        """Readings as (minutes since the start, thousandths of a degree)."""
        self.sequence += 1
        content = {
            "device": "sensor-1",
            "item": digest(about),
            "sequence": self.sequence,
            "readings": [[START + minutes * MINUTE, value] for minutes, value in readings],
        }
        payload = json.dumps(content | changes)
        signature = self.key.sign(payload.encode(), ec.ECDSA(hashes.SHA256()))
        return {
            "item": about,
            "payload": payload,
            "signature": base64.b64encode(signature).decode(),
        }


@pytest.fixture
async def sensor(chain: Chain) -> Sensor:
    made = Sensor()
    await chain(OPERATOR[MAKER], "RegisterDevice", device="sensor-1", public_key=made.public_key)
    return made


@pytest.fixture
async def pallet(chain: Chain, sensor: Sensor) -> str:
    one, two = await chain.commission("A1", "A2")
    pallet = await chain.pack(sscc(2), await chain.pack(sscc(1), one, two))
    await chain(
        OPERATOR[MAKER],
        "StartMonitoring",
        item=pallet,
        device="sensor-1",
        min=2_000,
        max=8_000,
        budget_ms=30 * MINUTE,
        max_gap_ms=60 * MINUTE,
    )
    return pallet


async def _record(chain: Chain, given: dict[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = await chain(OPERATOR[WHOLESALER], "RecordReadings", **given)
    return answer


async def _monitor(chain: Chain, item: str) -> dict[str, Any]:
    answer: dict[str, Any] = await chain.ask(AUDITOR, "ReadMonitoring", item)
    return answer


async def test_readings_within_the_limits(chain: Chain, sensor: Sensor, pallet: str) -> None:
    answer = await _record(chain, sensor.batch(pallet, (10, 5_000), (20, 8_000), (30, 2_000)))
    assert not answer["breached"]
    monitor = await _monitor(chain, pallet)
    assert (monitor["readings"], monitor["excursion_ms"], monitor["gaps"]) == (3, 0, 0)
    await chain.ship(pallet)


async def test_a_breach_quarantines_by_itself(chain: Chain, sensor: Sensor, pallet: str) -> None:
    await _record(chain, sensor.batch(pallet, (10, 8_001), (40, 8_001)))  # 30 minutes: the budget
    assert await chain.status(pallet) == "active"
    answer = await _record(chain, sensor.batch(pallet, (41, 5_000)))
    assert answer["breached"]
    assert await chain.status(pallet) == "quarantined"
    with refused("HELD"):
        await chain.ship(pallet)
    (hold,) = await chain.ask(AUDITOR, "ListHolds", pallet)
    assert hold["reason"] == "cold_chain"
    assert (await _monitor(chain, pallet))["status"] == "breached"
    await chain(QUALITY[MAKER], "Clear", items=[pallet], reason="stability data")
    answer = await _record(chain, sensor.batch(pallet, (42, 9_000)))
    assert answer["breached"]
    assert await chain.status(pallet) == "active"  # cleared once, it is not held again


async def test_a_breach_on_the_way(chain: Chain, sensor: Sensor, pallet: str) -> None:
    shipment = await chain.ship(pallet)
    await _record(chain, sensor.batch(pallet, (10, 9_000), (50, 9_000)))
    assert await chain.status(pallet) == "quarantined"
    await chain.receive(shipment, pallet)
    with refused("HELD"):
        await chain.ship(pallet, by=WHOLESALER, to=MAKER)


async def test_a_gap_counts_against_the_budget(chain: Chain, sensor: Sensor, pallet: str) -> None:
    answer = await _record(chain, sensor.batch(pallet, (10, 5_000), (71, 5_000)))
    assert answer["breached"]
    monitor = await _monitor(chain, pallet)
    assert (monitor["gaps"], monitor["gap_ms"]) == (1, 61 * MINUTE)


async def test_duplicate_readings_and_batches_count_once(
    chain: Chain, sensor: Sensor, pallet: str
) -> None:
    batch = sensor.batch(pallet, (10, 9_000), (10, 9_000), (5, 9_000), (20, 5_000))
    await _record(chain, batch)
    again = await _record(chain, batch)
    assert again["repeated"]
    monitor = await _monitor(chain, pallet)
    assert (monitor["readings"], monitor["duplicates"]) == (2, 2)
    assert monitor["excursion_ms"] == 10 * MINUTE


async def test_a_missing_batch_is_asked_for(chain: Chain, sensor: Sensor, pallet: str) -> None:
    sensor.sequence = 1
    with refused("WRONG_STATE", "earlier batch"):
        await _record(chain, sensor.batch(pallet, (10, 5_000)))


@pytest.mark.parametrize("change", ["payload", "signature", "key"])
async def test_only_the_devices_signature_counts(
    chain: Chain, sensor: Sensor, pallet: str, change: str
) -> None:
    batch = sensor.batch(pallet, (10, 9_000))
    if change == "payload":
        batch["payload"] = batch["payload"].replace("9000", "5000")
    elif change == "signature":
        batch["signature"] = "AAAA"
    else:
        sensor.key = ec.generate_private_key(ec.SECP256R1())
        batch = sensor.batch(pallet, (10, 5_000), sequence=1)
    with refused("BAD_SIGNATURE"):
        await _record(chain, batch)


@pytest.mark.parametrize(
    "changes",
    [
        {"readings": []},
        {"readings": [[1]]},
        {"readings": [[1, 2.5]]},
        {"readings": [[1, "5"]]},
        {"item": "other"},
        {"more": 1},
    ],
)
async def test_malformed_batches_are_refused(
    chain: Chain, sensor: Sensor, pallet: str, changes: dict[str, Any]
) -> None:
    with refused("INVALID_ARGUMENT", "input.payload"):
        await _record(chain, sensor.batch(pallet, **changes))


async def test_devices_and_monitoring_have_their_rules(
    chain: Chain, sensor: Sensor, pallet: str
) -> None:
    with refused("EXISTS"):
        await chain(
            OPERATOR[RIVAL], "RegisterDevice", device="sensor-1", public_key=sensor.public_key
        )
    with refused("INVALID_ARGUMENT", "P-256"):
        await chain(OPERATOR[RIVAL], "RegisterDevice", device="sensor-2", public_key="no key")
    limits = {"min": 1, "max": 2, "budget_ms": 0, "max_gap_ms": 1}
    with refused("EXISTS"):
        await chain(OPERATOR[MAKER], "StartMonitoring", item=pallet, device="sensor-1", **limits)
    with refused("NOT_HOLDER"):
        await chain(OPERATOR[RIVAL], "StopMonitoring", item=pallet)
    await chain(OPERATOR[MAKER], "StopMonitoring", item=pallet)
    with refused("WRONG_STATE", "stopped"):
        await _record(chain, sensor.batch(pallet, (10, 5_000)))
    with refused("NOT_FOUND", "RegisterDevice"):
        await chain(OPERATOR[MAKER], "StartMonitoring", item=pallet, device="none", **limits)


async def test_the_clock_of_the_ledger_is_the_start(channel: InMemory) -> None:
    assert int(channel.ledger.now.timestamp() * 1000) == START
