"""Private data collections: Fabric's JSON form to the bytes that a chaincode definition holds.

Source: fabric v3.1 `internal/peer/chaincode` for the form and its defaults, and
`core/chaincode/lifecycle` for the rules, which peers apply only when a definition is approved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from fabric_protos.peer import collection_pb2, policy_pb2

from medfab_gateway.admin._policies import parse_signature_policy
from medfab_gateway.admin.errors import CollectionError, PolicyError

_NAME = re.compile(r"[A-Za-z0-9-][A-Za-z0-9_-]*")
_KEYS = {
    "name",
    "policy",
    "requiredPeerCount",
    "maxPeerCount",
    "blockToLive",
    "memberOnlyRead",
    "memberOnlyWrite",
    "endorsementPolicy",
}
_POLICY_KEYS = {"signaturePolicy", "channelConfigPolicy"}
_INT32_MAX = 2**31 - 1
_UINT64_MAX = 2**64 - 1


def collection_config_package(collections: Iterable[Mapping[str, object]]) -> bytes:
    """A serialised `protos.CollectionConfigPackage`.

    Args:
        collections: One mapping for each collection, as in the JSON file of
            `peer lifecycle chaincode --collections-config`: `name`, `policy` (members, an OR of
            principals), `requiredPeerCount` (default 0), `maxPeerCount` (1), `blockToLive` (0:
            for ever), `memberOnlyRead`, `memberOnlyWrite` (false), `endorsementPolicy` (either
            `signaturePolicy` or `channelConfigPolicy`; default: the chaincode's).

    Raises:
        CollectionError: A key is unknown, a value is of the wrong type or out of range, a name is
            used twice, or a policy is not understood. Fabric itself ignores unknown keys, so that
            a misspelt `memberOnlyRead` opens a collection to everyone.
    """
    package = collection_pb2.CollectionConfigPackage()
    names: set[str] = set()
    for index, collection in enumerate(collections):
        config = _static_config(_Reader(collection, f"collection {index + 1}"))
        if config.name in names:
            raise CollectionError(f"Two collections have the name {config.name!r}")
        names.add(config.name)
        package.config.add(static_collection_config=config)
    serialized: bytes = package.SerializeToString()
    return serialized


def _static_config(reader: _Reader) -> Any:
    name = reader.text("name")
    if not _NAME.fullmatch(name):
        raise CollectionError(
            f"{name!r} cannot be the name of a collection: letters, digits, '-' and '_', and not "
            "'_' first (Fabric's implicit collections begin with it and need no definition)"
        )
    reader.where = f"collection {name!r}"
    reader.allow(_KEYS)
    members = _members(reader)
    required = reader.integer("requiredPeerCount", default=0, maximum=_INT32_MAX)
    highest = reader.integer("maxPeerCount", default=1, maximum=_INT32_MAX)
    if highest < required:
        raise CollectionError(
            f"{reader.where}: maxPeerCount ({highest}) is less than requiredPeerCount ({required})"
        )
    return collection_pb2.StaticCollectionConfig(
        name=name,
        member_orgs_policy=collection_pb2.CollectionPolicyConfig(signature_policy=members),
        required_peer_count=required,
        maximum_peer_count=highest,
        block_to_live=reader.integer("blockToLive", default=0, maximum=_UINT64_MAX),
        member_only_read=reader.boolean("memberOnlyRead"),
        member_only_write=reader.boolean("memberOnlyWrite"),
        endorsement_policy=_endorsement_policy(reader),
    )


def _members(reader: _Reader) -> Any:
    policy = reader.policy("policy")
    if not _is_or(policy.rule):
        raise CollectionError(
            f"{reader.where}: its policy lists the members, so it may use OR only; what has to be "
            "signed by several belongs into endorsementPolicy"
        )
    return policy


def _is_or(rule: Any) -> bool:
    if rule.WhichOneof("Type") == "signed_by":
        return True
    return rule.n_out_of.n == 1 and all(map(_is_or, rule.n_out_of.rules))


def _endorsement_policy(reader: _Reader) -> Any:
    """A `protos.ApplicationPolicy`; None for the chaincode's own."""
    nested = reader.nested("endorsementPolicy")
    if nested is None:
        return None
    nested.allow(_POLICY_KEYS)
    match sorted(nested.keys()):
        case ["signaturePolicy"]:
            return policy_pb2.ApplicationPolicy(signature_policy=nested.policy("signaturePolicy"))
        case ["channelConfigPolicy"]:
            return policy_pb2.ApplicationPolicy(
                channel_config_policy_reference=nested.text("channelConfigPolicy")
            )
    raise CollectionError(f"{nested.where}: either signaturePolicy or channelConfigPolicy")


class _Reader:
    """Typed access to one JSON object, with errors that say where."""

    def __init__(self, values: object, where: str) -> None:
        if not isinstance(values, Mapping):
            raise CollectionError(f"{where}: an object is needed, not {values!r}")
        self._values = values
        self.where = where

    def keys(self) -> set[str]:
        return set(self._values)

    def allow(self, names: set[str]) -> None:
        if unknown := sorted(self.keys() - names):
            raise CollectionError(
                f"{self.where}: unknown {', '.join(map(repr, unknown))}; known are "
                f"{', '.join(sorted(names))}"
            )

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise CollectionError(f"{self.where}: {name} must be a text, not {value!r}")
        return value

    def boolean(self, name: str) -> bool:
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise CollectionError(f"{self.where}: {name} must be true or false, not {value!r}")
        return value

    def integer(self, name: str, *, default: int, maximum: int) -> int:
        value = self._values.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= maximum:
            raise CollectionError(
                f"{self.where}: {name} must be a whole number from 0 to {maximum}, not {value!r}"
            )
        return value

    def policy(self, name: str) -> Any:
        """A `common.SignaturePolicyEnvelope`."""
        try:
            return parse_signature_policy(self.text(name))
        except PolicyError as error:
            raise CollectionError(f"{self.where}: {name}: {error}") from error

    def nested(self, name: str) -> _Reader | None:
        value = self._values.get(name)
        return None if value is None else _Reader(value, f"{self.where}: {name}")
