"""The door of the package: what it exports, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import medfab_gateway


def test_all_is_sorted_and_complete() -> None:
    assert medfab_gateway.__all__ == sorted(medfab_gateway.__all__)
    public = {
        name
        for name, value in vars(medfab_gateway).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert public == set(medfab_gateway.__all__)


def test_importing_it_loads_nothing_heavy_that_calls_do_not_need() -> None:
    heavy = (
        *("httpx", "yaml", "click", "rich", "fhir", "opentelemetry", "pkcs11"),
        *("google.protobuf.descriptor_pb2", "medfab_gateway.channel_config"),
    )
    program = (
        f"import sys, medfab_gateway\nprint([name for name in {heavy!r} if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30
    )
    assert run.stdout.strip() == "[]", run.stderr
