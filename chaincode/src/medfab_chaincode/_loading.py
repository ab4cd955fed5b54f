"""Contracts by name, as the commands take them."""

import importlib
import sys
from pathlib import Path

import click

from medfab_chaincode._contract import Contract


def search_working_directory() -> None:
    """Let modules be found in the working directory.

    Last, so that a file there can hide no installed module.
    """
    sys.path.append(str(Path.cwd()))


def load_contract(name: str) -> Contract:
    """Make a contract from `module:Class`. Raises `click.ClickException`."""
    module_name, _, class_name = name.partition(":")
    try:
        contract = getattr(importlib.import_module(module_name), class_name)
    except (ModuleNotFoundError, ValueError) as error:
        raise click.ClickException(
            f"{name}: cannot import {module_name!r}: {error} (is its folder in PYTHONPATH?)"
        ) from error
    except AttributeError as error:
        raise click.ClickException(f"{name}: {module_name} has no class {class_name!r}") from error
    if not (isinstance(contract, type) and issubclass(contract, Contract)):
        raise click.ClickException(f"{name} is not a subclass of medfab_chaincode.Contract")
    return contract()
