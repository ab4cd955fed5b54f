"""A supply chain for tests: people of five organisations, and how to call the contract as them.

What talks to the ledger is a `Channel`, so that one test runs in memory and on a real network.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations
from typing import Any, Protocol

import pytest

from medfab_chaincode.pharma import PharmaContract, _ids
from medfab_chaincode.testing import (
    Collection,
    EndorseError,
    EvaluateError,
    Identity,
    Ledger,
    all_of,
    any_of,
)

MAKER, RIVAL, WHOLESALER, PHARMACY, REGULATOR = (
    "ManufacturerMSP",
    "RivalMSP",
    "DistributorMSP",
    "PharmacyMSP",
    "RegulatorMSP",
)
TRADERS = (MAKER, RIVAL, WHOLESALER, PHARMACY)
PREFIXES = {MAKER: "9521321", RIVAL: "9521322", WHOLESALER: "9521323", PHARMACY: "9521324"}
CAPACITIES = {
    MAKER: ["manufacturer", "repackager"],
    RIVAL: ["manufacturer", "repackager"],
    WHOLESALER: ["wholesaler"],
    PHARMACY: ["dispenser"],
}
PLACES = {MAKER: (47_557_000, 7_549_000), WHOLESALER: (50_110_000, 8_682_000)}
"""Basel, Frankfurt; the others are in Sydney."""

LOT_KEY = "5e" * 16
EXPIRY = 20301231
FAR_AWAY = (-33_865_000, 151_209_000)
LONG = 4_000_000_000_000  # the year 2096


class Refused(Exception):
    """The contract's own refusal."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@contextmanager
def refused(code: str, *words: str) -> Iterator[None]:
    """The call inside is refused with this code, and in these words."""
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.code == code, caught.value
    for word in words:
        assert word in caught.value.message


@dataclass(frozen=True)
class Person:
    """Somebody with a certificate."""

    msp: str
    role: str
    name: str = ""


OPERATOR = {msp: Person(msp, "operator") for msp in TRADERS}
QUALITY = {msp: Person(msp, "quality") for msp in TRADERS}
AUDITOR = Person(REGULATOR, "auditor")
SECOND_AUDITOR = Person(REGULATOR, "auditor", "second")
ADMIN = Person(REGULATOR, "admin")
NOBODY = Person(MAKER, "")


class Channel(Protocol):
    """Where calls go; both raise `Refused`."""

    async def submit(self, who: Person, function: str, given: dict[str, Any]) -> Any: ...

    async def evaluate(self, who: Person, function: str, *args: str) -> Any: ...


def gtin(number: int, owner: str = MAKER, indicator: int = 0) -> str:
    """The n-th GTIN of an organisation."""
    return _with_check_digit(f"{indicator}{PREFIXES[owner]}{number:05d}")


def gln(owner: str) -> str:
    """The GLN of an organisation's premises."""
    return _with_check_digit(f"{PREFIXES[owner]}00001")


def sscc(number: int, owner: str = MAKER) -> str:
    """The id of the n-th logistic unit of an organisation."""
    return "00/" + _with_check_digit(f"0{PREFIXES[owner]}{number:09d}")


def unit(serial: str, product: str | None = None) -> str:
    """The id of a unit."""
    return f"01/{product or gtin(1)}/21/{serial}"


def digest(item: str) -> str:
    """How the ledger names an item."""
    return _ids.digest(item)


def event(text: str) -> str:
    """The hash of an EPCIS event, made up."""
    return hashlib.sha256(text.encode()).hexdigest()


def _with_check_digit(digits: str) -> str:
    return f"{digits}{_ids._check_digit(digits)}"


def endorsers(who: Person, function: str) -> list[str] | None:
    """Whom a client names as endorsers; None: the gateway chooses.

    Unpack writes keys whose own policy was taken away; a gateway peer takes the empty policy for
    one that nobody meets, and finds no plan (Fabric 3.1.5).
    """
    named = {"KeepEvent": [who.msp], "Unpack": [who.msp, REGULATOR]}
    return named.get(function)


def ledger(state: Mapping[str, bytes]) -> Ledger:
    """The channel, with this state to begin with."""
    return Ledger(
        PharmaContract,
        organizations=[*TRADERS, REGULATOR],
        collections=[
            Collection(
                name=f"trade-{'-'.join(sorted(pair))}",
                members=pair,
                endorsement_policy=all_of(*pair),
            )
            for pair in combinations(TRADERS, 2)
        ],
        policy=all_of(REGULATOR, any_of(*TRADERS)),
        name="pharma",
        state=state,
    )


@dataclass
class InMemory:
    """The channel `supply` as `medfab_network` deploys it."""

    ledger: Ledger = field(default_factory=lambda: ledger({}))

    async def submit(self, who: Person, function: str, given: dict[str, Any]) -> Any:
        try:
            result = await self.ledger.submit(
                function,
                caller=identity(who),
                transient={"input": json.dumps(given).encode()},
                endorsing_organizations=endorsers(who, function),
            )
        except EndorseError as error:
            raise _refused(error) from error
        return json.loads(result) if result else None

    async def evaluate(self, who: Person, function: str, *args: str) -> Any:
        try:
            result = await self.ledger.evaluate(function, *args, caller=identity(who))
        except EvaluateError as error:
            raise _refused(error) from error
        return json.loads(result) if result else None

    def pass_time(self, **time: int) -> None:
        self.ledger.now += timedelta(**time)

    def items(self) -> dict[str, Any]:
        """The items in public state, by digest."""
        found = {}
        for key, value in self.ledger.state().items():
            if key.startswith("\0item\0"):
                found[key.split("\0")[2]] = json.loads(value)
        return found


def identity(who: Person) -> Identity:
    attributes = {"medfab.role": who.role} if who.role not in ("", "admin") else {}
    return Identity(
        who.msp,
        f"user {who.role}{who.name}",
        attributes,
        role="admin" if who.role == "admin" else "client",
    )


def _refused(error: EndorseError | EvaluateError) -> Exception:
    # What is no refusal of the contract is a failure of the test.
    if error.chaincode is None or error.chaincode.code in ("", "INTERNAL"):
        return error
    return Refused(error.chaincode.code or "", error.chaincode.message)


async def found(channel: Channel, traders: Iterable[str] = TRADERS) -> None:
    """Authorities, partners, prefixes, places and the products with number 1 to 3.

    1 is a tablet, 2 a bottle of ten doses, 3 a case. Of the maker and the rival each.
    """
    await channel.submit(ADMIN, "Establish", {"authorities": [REGULATOR]})
    for msp in traders:
        await channel.submit(
            AUDITOR,
            "RegisterPartner",
            {
                "msp": msp,
                "name": msp.removesuffix("MSP"),
                "glns": [gln(msp)],
                "capacities": CAPACITIES[msp],
                "licence": f"L-{msp}",
                "valid_from": 0,
                "valid_to": LONG,
            },
        )
        await channel.submit(AUDITOR, "AssignPrefix", {"prefix": PREFIXES[msp], "owner": msp})
        latitude, longitude = PLACES.get(msp, FAR_AWAY)
        await channel.submit(
            OPERATOR[msp],
            "RegisterLocation",
            {
                "gln": gln(msp),
                "name": "premises",
                "latitude_e6": latitude,
                "longitude_e6": longitude,
            },
        )
    for msp in {MAKER, RIVAL} & set(traders):
        for number, more in ((1, {}), (2, {"doses": 10}), (3, {"level": "container"})):
            await channel.submit(
                OPERATOR[msp], "RegisterProduct", product(gtin(number, msp), **more)
            )


def product(number: str, **more: Any) -> dict[str, Any]:
    """Input of RegisterProduct."""
    key_hash = hashlib.sha256(bytes.fromhex(LOT_KEY)).hexdigest()
    return {
        "gtin": number,
        "name": "medicine",
        "level": "unit",
        "lot_key_hash": key_hash,
        **more,
    }


def lot(number: str = "L1", product: str | None = None, expiry: int = EXPIRY) -> dict[str, Any]:
    """What names a lot in an input."""
    return {
        "gtin": product or gtin(1),
        "lot": number,
        "expiry": expiry,
        "lot_key": LOT_KEY,
    }


class Chain:
    """Short ways to say what a test does; what is left out is the maker, product 1, lot L1."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    async def __call__(self, who: Person, function: str, **given: Any) -> Any:
        return await self.channel.submit(who, function, given)

    async def ask(self, who: Person, function: str, *args: str) -> Any:
        return await self.channel.evaluate(who, function, *args)

    async def commission(self, *serials: str, number: str = "L1", **more: Any) -> list[str]:
        given = lot(number) | more
        await self(OPERATOR[MAKER], "Commission", **given, serials=list(serials))
        return [unit(serial, given["gtin"]) for serial in serials]

    async def pack(self, container: str, *items: str, by: str = MAKER) -> str:
        await self(OPERATOR[by], "Pack", container=container, items=list(items))
        return container

    async def ship(self, *items: str, by: str = MAKER, to: str = WHOLESALER, **more: Any) -> str:
        answer = await self(OPERATOR[by], "Ship", items=list(items), consignee=to, **more)
        return str(answer["shipment"])

    async def receive(self, shipment: str, *items: str, by: str = WHOLESALER, **more: Any) -> Any:
        return await self(OPERATOR[by], "Receive", shipment=shipment, items=list(items), **more)

    async def move(self, *items: str, by: str = MAKER, to: str = WHOLESALER) -> None:
        await self.receive(await self.ship(*items, by=by, to=to), *items, by=to)

    async def status(self, item: str) -> str:
        return str((await self.ask(AUDITOR, "ReadItem", item))["status"])

    async def holder(self, item: str) -> str:
        return str((await self.ask(AUDITOR, "ReadItem", item))["holder"])
