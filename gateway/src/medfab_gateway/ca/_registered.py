"""What a Fabric CA has in its registry: identities and affiliations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from medfab_gateway.ca._result import Result


@dataclass(frozen=True, kw_only=True)
class RegisteredIdentity:
    """An identity as the CA knows it; its certificates are another matter."""

    enrollment_id: str
    """Unique within the CA; the common name of its certificates."""
    type: str
    """`client`, `peer`, `orderer` or `admin`."""
    affiliation: str
    """Dotted path; empty for the root."""
    attributes: Mapping[str, tuple[str, bool]]
    """Name to (value, whether certificates carry it unless asked otherwise)."""
    max_enrollments: int
    """How often the secret may be used; -1 without limit, 0 not at all."""

    @classmethod
    def parse(cls, result: Result) -> RegisteredIdentity:
        return cls(
            enrollment_id=result.text("id"),
            type=result.optional_text("type"),
            affiliation=result.optional_text("affiliation"),
            attributes={
                part.text("name"): (part.optional_text("value"), part.flag("ecert"))
                for part in result.parts("attrs")
            },
            max_enrollments=result.number("max_enrollments"),
        )


@dataclass(frozen=True, kw_only=True)
class Affiliation:
    """A node of the tree of affiliations."""

    name: str
    """Dotted path; empty for the root."""
    children: tuple[Affiliation, ...] = ()
    """By name."""
    identities: tuple[RegisteredIdentity, ...] = ()
    """Those that have exactly this affiliation; told by `rename` and `remove` only."""

    @classmethod
    def parse(cls, result: Result) -> Affiliation:
        """The tree that the server told, put together anew: Fabric CA 1.5 tells some nodes twice
        (`fillAffiliationInfo` shortens a slice that its caller goes through).
        """
        identities: dict[str, tuple[RegisteredIdentity, ...]] = {}
        pending = [result]
        while pending:
            part = pending.pop()
            identities[part.optional_text("name")] = tuple(
                map(RegisteredIdentity.parse, part.parts("identities"))
            )
            pending += part.parts("affiliations")

        def build(name: str) -> Affiliation:
            below = sorted(other for other in identities if other and _parent(other) == name)
            return cls(
                name=name, children=tuple(map(build, below)), identities=identities.get(name, ())
            )

        return build(result.optional_text("name"))

    def find(self, name: str) -> Affiliation | None:
        """The one of that name, this one or below it; None where it is not there."""
        if self.name == name:
            return self
        return next((found for child in self.children if (found := child.find(name))), None)

    def names(self) -> tuple[str, ...]:
        """This one and all below it, parents first; the root has no name and is left out."""
        own = (self.name,) if self.name else ()
        return own + tuple(name for child in self.children for name in child.names())


def _parent(name: str) -> str:
    return name.rpartition(".")[0]


def attribute_list(attributes: Mapping[str, tuple[str, bool]]) -> list[dict[str, object]]:
    """Attributes as the server reads them."""
    return [
        {"name": name, "value": value, "ecert": in_certificate}
        for name, (value, in_certificate) in attributes.items()
    ]
