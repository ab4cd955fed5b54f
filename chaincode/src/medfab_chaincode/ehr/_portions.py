"""Portions: records of a category and a resource type."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product, starmap


@dataclass(frozen=True)
class Portion:
    """Records of a category and a resource type; None: of any."""

    category: str | None
    resource_type: str | None

    def meets(self, other: "Portion") -> "Portion | None":
        """What is in both; None: nothing can be said to be."""
        if not (_agree(self.category, other.category)):
            return None
        if not (_agree(self.resource_type, other.resource_type)):
            return None
        return Portion(self.category or other.category, self.resource_type or other.resource_type)

    def has(self, categories: Sequence[str], resource_type: str) -> bool:
        """Is a record of these in it?"""
        return self.category in (None, *categories) and self.resource_type in (None, resource_type)


def portions(categories: Sequence[str], resource_types: Sequence[str]) -> set[Portion]:
    """All combinations; an empty list leaves its part open."""
    open_: list[str | None] = [None]
    return set(starmap(Portion, product([*categories] or open_, [*resource_types] or open_)))


def common(one: Iterable[Portion], other: Sequence[Portion] | set[Portion]) -> set[Portion]:
    """What is in both."""
    return {both for first in one for second in other if (both := first.meets(second)) is not None}


def _agree(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other
