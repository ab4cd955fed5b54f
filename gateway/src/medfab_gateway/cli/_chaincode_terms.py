"""Options that say what organisations agree on: a chaincode's definition."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from medfab_gateway.cli._admin import read_text
from medfab_gateway.cli._exit_codes import NotFoundError

if TYPE_CHECKING:
    from medfab_gateway.admin import AsyncLifecycle, ChaincodeDefinition

_F = TypeVar("_F", bound=Callable[..., Any])


def definition_options(function: _F) -> _F:
    """What organisations agree on, beside the name; given as `terms`."""

    @click.option("--version", help="Any text; Fabric only compares it.")
    @click.option(
        "--sequence",
        type=click.IntRange(min=1),
        help="Default: that of the definition in force where this is the same, else the next.",
    )
    @click.option(
        "--policy",
        help="Who endorses: OR('AMSP.peer', …), AND(…), OutOf(2, …), or a policy of the channel "
        "by its path; default: /Channel/Application/Endorsement.",
    )
    @click.option(
        "--collections",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Private data collections: the JSON file that Fabric's peer takes.",
    )
    @click.option("--init-required", is_flag=True, help="Init must be called first.")
    def command(
        version: str | None,
        sequence: int | None,
        policy: str | None,
        collections: Path | None,
        init_required: bool,
        **others: Any,
    ) -> Any:
        if not others.get("in_force"):
            if version is None:
                raise click.UsageError("Missing option '--version'.")
            others["terms"] = Terms(version, sequence, policy, collections, init_required)
        elif version or sequence or policy or collections or init_required:
            raise click.UsageError("--in-force says all that there is to say of the definition.")
        else:
            others["terms"] = InForce()
        return function(**others)

    command.__name__ = function.__name__
    command.__doc__ = function.__doc__
    own = getattr(function, "__click_params__", [])
    command.__click_params__ = [*own, *command.__click_params__]  # type: ignore[attr-defined]
    return command  # type: ignore[return-value]


class Terms:
    """The options of a definition, checked before any node is asked."""

    def __init__(
        self,
        version: str,
        sequence: int | None,
        policy: str | None,
        collections: Path | None,
        init_required: bool,
    ) -> None:
        from medfab_gateway.admin import collection_config_package, endorsement_policy

        self._sequence = sequence
        self._facts: dict[str, Any] = {"version": version, "init_required": init_required}
        if policy is not None:
            self._facts["endorsement_policy"] = endorsement_policy(policy)
        if collections is not None:
            document = json_file(collections, "--collections", list)
            self._facts["collections"] = collection_config_package(document)

    async def definition(self, name: str, lifecycle: AsyncLifecycle) -> ChaincodeDefinition:
        """The definition, with its sequence."""
        from medfab_gateway.admin import ChaincodeDefinition

        if self._sequence is not None:
            return ChaincodeDefinition(name=name, sequence=self._sequence, **self._facts)
        committed = await lifecycle.committed(name)
        sequence = 1 if committed is None else committed.sequence
        wanted = ChaincodeDefinition(name=name, sequence=sequence, **self._facts)
        if committed is None or committed == wanted:
            return wanted
        return ChaincodeDefinition(name=name, sequence=sequence + 1, **self._facts)


class InForce(Terms):
    """The definition that the channel has."""

    def __init__(self) -> None:
        """There is nothing to check before."""

    async def definition(self, name: str, lifecycle: AsyncLifecycle) -> ChaincodeDefinition:
        """The definition in force. Raises `NotFoundError`."""
        committed = await lifecycle.committed(name)
        if committed is None:
            raise NotFoundError(f"The channel has no chaincode {name!r}")
        return committed


def json_file(path: Path, parameter: str, kind: type[Any]) -> Any:
    text = read_text(path, parameter)
    try:
        document = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{path} is no JSON: {error}", param_hint=parameter) from error
    if not isinstance(document, kind):
        wanted = "an object" if kind is dict else "a list"
        raise click.BadParameter(f"{path} must hold {wanted}", param_hint=parameter)
    return document
