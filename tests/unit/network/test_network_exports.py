"""The door of the package."""

from __future__ import annotations

from types import ModuleType

import medfab_network
from medfab_network import NetworkError


def test_all_is_sorted_and_complete() -> None:
    assert medfab_network.__all__ == sorted(medfab_network.__all__)
    public = {
        name
        for name, value in vars(medfab_network).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert public - {"annotations"} == set(medfab_network.__all__)


def test_all_errors_have_one_root_and_an_exit_code() -> None:
    errors = [
        value
        for name, value in vars(medfab_network).items()
        if name.endswith("Error") and isinstance(value, type)
    ]
    assert len(errors) == 9
    for error in errors:
        assert issubclass(error, NetworkError)
        assert error.exit_code in {1, 2, 4, 6}
