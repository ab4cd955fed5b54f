"""One door: what the package exports is what it lists, and the error tree is drawn whole."""

import inspect

import medfab_chaincode
from medfab_chaincode import ChaincodeError, errors


def test_all_is_sorted_and_complete() -> None:
    public = [
        name
        for name, value in vars(medfab_chaincode).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    ]
    assert medfab_chaincode.__all__ == sorted(public)


def test_every_error_is_exported_documented_and_in_the_tree() -> None:
    for name, value in inspect.getmembers(errors, inspect.isclass):
        assert issubclass(value, ChaincodeError)
        assert name in medfab_chaincode.__all__
        assert f" {name}" in (errors.__doc__ or "")
