"""SMART App Launch v2 scopes, read as a ceiling: what an app was never allowed, nobody gives it."""

import re

from ._checks import require
from ._portions import Portion

_SCOPE = re.compile(
    r"(?:patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]{1,63})\.(?P<may>c?r?u?d?s?)"
    r"(?:\?category=(?:[^\s|&]*\|)?(?P<category>[A-Za-z][A-Za-z0-9-]{0,63}))?"
)


def scope_portion(scope: str, field: str) -> Portion | None:
    """What one scope lets be read; None: nothing. Refuses what is not such a scope.

    Of the parameters that SMART allows, ``category`` is known here: another one would have to be
    obeyed, and an ignored restriction is a leak.
    """
    match = _SCOPE.fullmatch(scope)
    require(
        match is not None and bool(match["may"]),
        field,
        "SMART v2 scopes such as patient/Observation.rs?category=laboratory",
    )
    if match is None or "r" not in match["may"]:
        return None
    resource_type = None if match["type"] == "*" else match["type"]
    return Portion(match["category"], resource_type)
