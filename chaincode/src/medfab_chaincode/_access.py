"""Who may call a function: rules declared at its decorator, checked before it runs.

::

    @submit("FileRecords", access=[Role("client"), Attribute("medfab.role", "practitioner")])

All rules of a function must let the client in; each of them takes any of its values. What depends
on the ledger or on arguments belongs into the function, or into `Contract.before_transaction`.
"""

from collections.abc import Iterable
from typing import Literal

from medfab_chaincode._identity import ClientIdentity
from medfab_chaincode.errors import AccessDeniedError, DefinitionError


class Organisation:
    """The client belongs to one of these organisations, named by their MSP ids."""

    def __init__(self, *msp_ids: str) -> None:
        self._msp_ids = _given("Organisation", msp_ids)

    def __str__(self) -> str:
        return f"organisation {_any_of(self._msp_ids)}"

    def admits(self, client: ClientIdentity) -> bool:
        """Return whether the client's MSP is one of them."""
        return client.msp_id in self._msp_ids

    def metadata(self) -> dict[str, object]:
        """Return the rule as `GetMetadata` shows it."""
        return {"kind": "organisation", "values": self._msp_ids}


class Role:
    """The client has one of Fabric's roles.

    A role is an organisational unit of the certificate. It means something where the client's
    MSP has `NodeOUs` enabled: peers then take only certificates with exactly one role.
    """

    def __init__(self, *roles: Literal["client", "admin", "peer", "orderer"]) -> None:
        self._roles = _given("Role", roles)

    def __str__(self) -> str:
        return f"role {_any_of(self._roles)}"

    def admits(self, client: ClientIdentity) -> bool:
        """Return whether one of the roles is among the certificate's units."""
        return not client.organisational_units.isdisjoint(self._roles)

    def metadata(self) -> dict[str, object]:
        """Return the rule as `GetMetadata` shows it."""
        return {"kind": "role", "values": self._roles}


class Attribute:
    """The client's certificate has a Fabric CA attribute with one of these values.

    Without values it is enough that the attribute is there and not empty.
    """

    def __init__(self, name: str, *values: str) -> None:
        (self._name,) = _given("Attribute", (name,))
        self._values = values

    def __str__(self) -> str:
        values = f" = {_any_of(self._values)}" if self._values else ""
        return f"attribute {self._name}{values}"

    def admits(self, client: ClientIdentity) -> bool:
        """Return whether the attribute has one of the values."""
        value = client.attribute(self._name)
        return value in self._values if self._values else bool(value)

    def metadata(self) -> dict[str, object]:
        """Return the rule as `GetMetadata` shows it."""
        return {"kind": "attribute", "name": self._name, "values": self._values}


AccessRule = Organisation | Role | Attribute


def check_access(rules: Iterable[AccessRule], client: ClientIdentity) -> None:
    """Raise `AccessDeniedError` if a rule does not let the client in.

    It names the first such rule, and nothing of the client. Raises `IdentityError` where the
    certificate cannot be read.
    """
    for rule in rules:
        if not rule.admits(client):
            raise AccessDeniedError(f"only clients with {rule} may call this function")


def _any_of(values: Iterable[str]) -> str:
    return " or ".join(values)


def _given(rule: str, values: tuple[str, ...]) -> tuple[str, ...]:
    if not values or not all(values):
        raise DefinitionError(f"{rule} needs at least one name, and no empty one")
    return values
