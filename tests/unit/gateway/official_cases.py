"""The cases for which our bytes are compared with those of the official clients."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class TransactionCase:
    """One transaction; the names are those that the programs in tests/official read."""

    channel: str = "care"
    chaincode: str = "ehr"
    contract: str | None = None
    function: str = "Read"
    args: tuple[bytes, ...] = ()
    transient: tuple[tuple[str, bytes], ...] = ()
    organizations: tuple[str, ...] = ()

    def as_input(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class EventsCase:
    """One position from which events are wanted."""

    channel: str = "care"
    chaincode: str = "ehr"
    start_block: int | None = None
    after_transaction: str = ""
    """Together with `start_block` only: it is the checkpoint's."""

    def as_input(self) -> dict[str, Any]:
        return asdict(self)


def case(**fields: Any) -> TransactionCase:
    return TransactionCase(**fields)


def many(count: int, *, width: int = 0) -> tuple[tuple[str, bytes], ...]:
    """Transient entries, given in no order."""
    return tuple((f"key{number * 7 % count:0{width}}", bytes([number])) for number in range(count))


TRANSACTIONS = (
    case(),
    case(args=(b"",)),
    case(args=(b"", b"", b"")),
    case(args=(b"one",)),
    case(args=(b"one", b"two", b"three")),
    case(args=tuple(str(number).encode() for number in range(300))),
    case(args=(b"\x00",)),
    case(args=(b"\xff\xfe\x00\x80", bytes(range(256)))),
    case(args=("Zürich".encode(), "患者".encode(), "🏥".encode())),
    case(args=(b"x" * 127, b"x" * 128, b"x" * 16383, b"x" * 16384)),
    case(args=(b"x" * 100_000,)),
    case(args=(b'{"resourceType":"Patient"}',)),
    case(function=""),
    case(function="Zürich"),
    case(function="a:b"),
    case(contract="audit"),
    case(contract="audit", args=(b"one",)),
    case(contract="Prüfung", function="Lesen"),
    case(contract="org.example.audit", function="Log"),
    case(chaincode="a"),
    case(chaincode="ehr_v2-beta", function="Read"),
    case(channel="a"),
    case(channel="care.north-1"),
    case(channel="c" * 249),
    case(transient=(("record", b"secret"),)),
    case(transient=(("record", b""),)),
    case(transient=(("", b"under the empty key"),)),
    case(transient=(("b", b"2"), ("a", b"1"))),
    case(transient=(("a", b"1"), ("B", b"2"), ("b", b"3"), ("A", b"4"))),
    case(transient=(("10", b"ten"), ("9", b"nine"), ("1", b"one"))),
    case(transient=(("Zürich", b"1"), ("患者", b"2"), ("plain", b"3"))),
    case(transient=(("bytes", bytes(range(256))), ("long", b"x" * 20_000))),
    case(transient=many(40), args=(b"one",)),
    case(transient=many(120, width=3)),
    case(organizations=("HospitalMSP",)),
    case(organizations=("HospitalMSP", "ClinicMSP")),
    case(organizations=("ClinicMSP", "HospitalMSP", "ClinicMSP")),
    case(organizations=("Ärzte-MSP",)),
    case(
        channel="north",
        chaincode="registry",
        contract="audit",
        function="Log",
        args=(b"one", b"\x00\xff"),
        transient=(("record", b"secret"), ("note", b"")),
        organizations=("HospitalMSP", "ClinicMSP"),
    ),
)

EVENTS = (
    EventsCase(),
    EventsCase(start_block=0),
    EventsCase(start_block=1),
    EventsCase(start_block=127),
    EventsCase(start_block=128),
    EventsCase(start_block=2**32),
    EventsCase(start_block=2**53 - 1),
    EventsCase(start_block=7, after_transaction="0f" * 32),
    EventsCase(channel="care.north-1", chaincode="ehr_v2-beta", start_block=3),
)
