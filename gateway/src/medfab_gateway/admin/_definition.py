"""What organisations of a channel agree on before a chaincode runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from medfab_gateway.admin._policies import endorsement_policy
from medfab_gateway.admin.errors import DefinitionError

_NAME = re.compile(r"[a-zA-Z0-9]+([-_][a-zA-Z0-9]+)*")
_VERSION = re.compile(r"[A-Za-z0-9_.+-]+")
_SYSTEM_NAMES = {"cscc", "escc", "lscc", "qscc", "vscc"}
_CHANNEL_DEFAULT = endorsement_policy("/Channel/Application/Endorsement")


@dataclass(frozen=True, kw_only=True)
class ChaincodeDefinition:
    """A chaincode definition, with Fabric's own defaults.

    Two that compare equal are the same to Fabric.

    Raises:
        DefinitionError: A name, version or sequence that Fabric would refuse.
    """

    name: str
    """Name of the chaincode on the channel."""
    version: str
    """Any text of letters, digits and `_.+-`; Fabric only compares it."""
    sequence: int
    """1 for the first definition on the channel, one more for every change."""
    init_required: bool = False
    """Whether `Init` must be called before anything else; contracts of today do without."""
    endorsement_policy: bytes = field(default=_CHANNEL_DEFAULT, repr=False)
    """Serialised `protos.ApplicationPolicy`, see `endorsement_policy()`; by default the channel's
    policy `Endorsement`."""
    collections: bytes = field(default=b"", repr=False)
    """Serialised `protos.CollectionConfigPackage`, see `collection_config_package()`; empty for
    none but the implicit ones."""
    endorsement_plugin: str = "escc"
    """Endorsement plug-in of the peers."""
    validation_plugin: str = "vscc"
    """Validation plug-in of the peers."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name in _SYSTEM_NAMES:
            raise DefinitionError(
                f"{self.name!r} cannot be the name of a chaincode: letters and digits, with single "
                "'-' or '_' between them, and not the name of a system chaincode"
            )
        if not _VERSION.fullmatch(self.version):
            raise DefinitionError(
                f"{self.version!r} cannot be the version of chaincode {self.name}: letters, "
                "digits, '_', '.', '+' and '-'"
            )
        if self.sequence < 1:
            raise DefinitionError(
                f"The sequence of chaincode {self.name} is {self.sequence}; the first is 1"
            )


@dataclass(frozen=True, kw_only=True)
class ApprovedDefinition:
    """What an organisation has approved."""

    definition: ChaincodeDefinition
    """The definition."""
    package_id: str | None
    """The package that its peers run for it; None where they run none."""


def to_arguments(definition: ChaincodeDefinition, message_type: Any) -> Any:
    """The definition as an argument message of `_lifecycle` (approve, check, commit)."""
    arguments = message_type(
        name=definition.name,
        version=definition.version,
        sequence=definition.sequence,
        init_required=definition.init_required,
        endorsement_plugin=definition.endorsement_plugin,
        validation_plugin=definition.validation_plugin,
        validation_parameter=definition.endorsement_policy,
    )
    # Set even if empty: Fabric compares a definition without collections to one with none.
    arguments.collections.MergeFromString(definition.collections)
    arguments.collections.SetInParent()
    return arguments


def from_result(name: str, result: Any) -> ChaincodeDefinition:
    """The definition in a result message of `_lifecycle`, which does not repeat the name."""
    return ChaincodeDefinition(
        name=name,
        version=result.version,
        sequence=result.sequence,
        init_required=result.init_required,
        endorsement_policy=result.validation_parameter,
        collections=result.collections.SerializeToString(),
        endorsement_plugin=result.endorsement_plugin,
        validation_plugin=result.validation_plugin,
    )
