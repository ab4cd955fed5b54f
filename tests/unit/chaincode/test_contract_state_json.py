"""State read back into the type that was written, and what is said when it is another."""

from dataclasses import dataclass

import pytest

from medfab_chaincode import ContractError, StateFormatError, canonical_json, parse_state


@dataclass(frozen=True)
class Shipment:
    units: int
    notes: tuple[str, ...] = ()


def test_what_was_written_is_read_back() -> None:
    shipment = Shipment(units=3, notes=("cold", "urgent"))
    assert parse_state(Shipment, canonical_json(shipment)) == shipment
    assert parse_state(list[Shipment], canonical_json([shipment])) == [shipment]


def test_a_field_added_since_takes_its_default() -> None:
    assert parse_state(Shipment, b'{"units":3}') == Shipment(units=3)


@pytest.mark.parametrize("stored", [b"", b"{", b'{"units":"canary"}', b'{"canary":1,"units":2}'])
def test_other_state_is_the_contracts_failure_and_its_value_is_not_named(stored: bytes) -> None:
    with pytest.raises(StateFormatError) as caught:
        parse_state(Shipment, stored)
    assert not isinstance(caught.value, ContractError)  # not the client's mistake
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None
