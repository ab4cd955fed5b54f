"""The determinism check: what in a contract's source two endorsing peers could see differently.

It reads the source and runs none of it. It follows names, not values: what a library does inside,
or what hides behind a computed name, it does not see.
"""

from collections.abc import Iterable
from pathlib import Path

from ._allow import without_allowed
from ._floats import floats
from ._modules import contract_sources
from ._names import forbidden_names
from ._order import unordered
from ._rules import Finding
from ._shared_state import shared_state
from ._source import Source

__all__ = ["Finding", "check_modules", "check_source"]


def check_modules(names: Iterable[str]) -> list[Finding]:
    """Check modules by their names, and those of their own that they import.

    Raises `ModuleNotFoundError` for a name without a source file, and `SyntaxError`.
    """
    return [
        finding
        for path, text in contract_sources(names)
        for finding in check_source(text, path=path)
    ]


def check_source(text: str, *, path: Path) -> list[Finding]:
    """Check one module's source; findings in the order of lines. Raises `SyntaxError`."""
    source = Source(text, path)
    findings = [
        finding
        for check in (forbidden_names, floats, unordered, shared_state)
        for finding in check(source)
    ]
    return sorted(without_allowed(findings, source), key=lambda finding: finding.line)
