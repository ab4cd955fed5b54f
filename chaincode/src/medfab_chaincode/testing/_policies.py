"""Endorsement policies: whose peers have to sign."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from fabric_protos.common import policies_pb2
from fabric_protos.msp import msp_principal_pb2

_PEER_ROLES = (msp_principal_pb2.MSPRole.MEMBER, msp_principal_pb2.MSPRole.PEER)


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Met by the signature of the organisation's peer."""

    msp_id: str
    possible: bool = True
    """False for principals that no peer is, e.g. an administrator."""


@dataclass(frozen=True, slots=True)
class EndorsementPolicy:
    """Met when enough of its rules are; see `all_of`, `any_of`, `majority_of`, `out_of`."""

    count: int
    rules: "tuple[Rule, ...]"

    def organizations(self) -> set[str]:
        """Return the MSP ids that it names."""
        found: set[str] = set()
        for rule in self.rules:
            found |= {rule.msp_id} if isinstance(rule, SignedBy) else rule.organizations()
        return found

    def is_met_by(self, endorsers: Collection[str]) -> bool:
        """Say whether the signatures of these organisations' peers are enough.

        As in Fabric, one signature does not count for two rules.
        """
        return _met(self, set(endorsers)) is not None


Rule = SignedBy | EndorsementPolicy


def out_of(count: int, *rules: "str | EndorsementPolicy") -> EndorsementPolicy:
    """Require `count` of these organisations (MSP ids) or nested policies.

    Raises `ValueError` where the count is negative or larger than the number of rules.
    """
    if not 0 <= count <= len(rules):
        raise ValueError("a policy requires none to all of its rules")
    return EndorsementPolicy(
        count, tuple(SignedBy(rule) if isinstance(rule, str) else rule for rule in rules)
    )


def all_of(*rules: "str | EndorsementPolicy") -> EndorsementPolicy:
    """Require all of these organisations or nested policies."""
    return out_of(len(rules), *rules)


def any_of(*rules: "str | EndorsementPolicy") -> EndorsementPolicy:
    """Require one of these organisations or nested policies."""
    return out_of(1, *rules)


def majority_of(*rules: "str | EndorsementPolicy") -> EndorsementPolicy:
    """Require more than half of these organisations, as a channel's own policy does."""
    return out_of(len(rules) // 2 + 1, *rules)


def key_policy(parameter: bytes) -> EndorsementPolicy:
    """Decode a key's validation parameter. Raises protobuf's `DecodeError`."""
    envelope = policies_pb2.SignaturePolicyEnvelope.FromString(parameter)
    principals = [_principal(identity) for identity in envelope.identities]
    rule = _rule(envelope.rule, principals)
    return rule if isinstance(rule, EndorsementPolicy) else EndorsementPolicy(1, (rule,))


def _principal(principal: Any) -> SignedBy:
    if principal.principal_classification != msp_principal_pb2.MSPPrincipal.ROLE:
        return SignedBy("", possible=False)
    role = msp_principal_pb2.MSPRole.FromString(principal.principal)
    return SignedBy(role.msp_identifier, possible=role.role in _PEER_ROLES)


def _rule(rule: Any, principals: Sequence[SignedBy]) -> Rule:
    if rule.WhichOneof("Type") == "signed_by":
        index: int = rule.signed_by
        return principals[index]
    nested = rule.n_out_of
    return EndorsementPolicy(nested.n, tuple(_rule(each, principals) for each in nested.rules))


def _met(rule: Rule, unused: set[str]) -> set[str] | None:
    """Return the signatures left over when the rule is met, None when it is not."""
    if isinstance(rule, SignedBy):
        return unused - {rule.msp_id} if rule.possible and rule.msp_id in unused else None
    met = 0
    for nested in rule.rules:
        left = _met(nested, unused)
        if left is not None:
            met += 1
            unused = left
    return unused if met >= rule.count else None
