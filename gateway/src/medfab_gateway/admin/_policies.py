"""Fabric's policy syntax to the protobuf messages that a chaincode definition holds.

Source: fabric v3.1 `common/policydsl`, whose bytes this gives, order of identities included: an
approval is compared byte by byte with those of other organisations, made with whatever tool.

Two policies that Fabric takes are refused here: `OutOf(0, …)`, which anyone satisfies, and
`OutOf(n, …)` of fewer than n parts, which no one can.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from fabric_protos.common import policies_pb2
from fabric_protos.msp import msp_principal_pb2
from fabric_protos.peer import policy_pb2

from medfab_gateway.admin.errors import PolicyError

_TOKEN = re.compile(r"""\s*(?:(\w+)|'([^']*)'|"([^"]*)"|([(),]))""", re.ASCII)
_PRINCIPAL = re.compile(r"([A-Za-z0-9.-]+)\.(member|admin|client|peer|orderer)")
_GATES = {
    spelling: gate
    for gate in ("And", "Or", "OutOf")
    for spelling in (gate, gate.lower(), gate.upper())
}
_ROLES = {
    "member": msp_principal_pb2.MSPRole.MEMBER,
    "admin": msp_principal_pb2.MSPRole.ADMIN,
    "client": msp_principal_pb2.MSPRole.CLIENT,
    "peer": msp_principal_pb2.MSPRole.PEER,
    "orderer": msp_principal_pb2.MSPRole.ORDERER,
}


def endorsement_policy(text: str) -> bytes:
    """A serialised `protos.ApplicationPolicy`.

    Args:
        text: A reference to a policy of the channel's configuration where it begins with `/`
            (`/Channel/Application/Endorsement`), else a signature policy
            (`AND('HospitalMSP.peer', 'ClinicMSP.peer')`).

    Raises:
        PolicyError: Neither of the two.
    """
    if text.startswith("/"):
        return _bytes(policy_pb2.ApplicationPolicy(channel_config_policy_reference=text))
    return _bytes(policy_pb2.ApplicationPolicy(signature_policy=parse_signature_policy(text)))


def signature_policy(text: str) -> bytes:
    """A serialised `common.SignaturePolicyEnvelope` for a signature policy.

    Raises:
        PolicyError: The text is none.
    """
    return _bytes(parse_signature_policy(text))


def parse_signature_policy(text: str) -> Any:
    """A `common.SignaturePolicyEnvelope` for a signature policy; raises `PolicyError`."""
    parser = _Parser(text)
    rule = parser.parse()
    return policies_pb2.SignaturePolicyEnvelope(version=0, rule=rule, identities=parser.identities)


def _bytes(message: Any) -> bytes:
    serialized: bytes = message.SerializeToString()
    return serialized


class _Parser:
    """Recursive descent over `GATE([n,] part, part, …)`."""

    def __init__(self, text: str) -> None:
        self.identities: list[Any] = []
        self._text = text
        self._position = 0
        self._start = 0
        self._kind = self._value = ""
        self._next()

    def parse(self) -> Any:
        rule = self._gate()
        if self._kind != "end":
            self._fail("Something follows the end")
        return rule

    def _gate(self) -> Any:
        start = self._start
        gate = _GATES.get(self._value) if self._kind == "word" else None
        if gate is None:
            self._fail("Expected AND, OR or OutOf")
        self._next()
        self._punctuation("(")
        required = None
        if gate == "OutOf":
            # Quoted numbers are taken too, as Fabric does.
            if not self._value.isdecimal():
                self._fail("Expected the number of parts that are needed")
            required = int(self._value)
            self._next()
            self._punctuation(",")
        parts = [self._part()]
        while self._value == "," and self._kind == "punctuation":
            self._next()
            parts.append(self._part())
        self._punctuation(")")
        if required is None:
            required = len(parts) if gate == "And" else 1
        if not 1 <= required <= len(parts):
            self._start = start
            self._fail(f"{required} of {len(parts)} parts is never or always satisfied")
        return policies_pb2.SignaturePolicy(
            n_out_of=policies_pb2.SignaturePolicy.NOutOf(
                n=required,
                # After all nested gates, which have numbered their identities by now.
                rules=[self._signed_by(p) if isinstance(p, tuple) else p for p in parts],
            )
        )

    def _part(self) -> Any:
        """A nested gate, or a principal as (msp id, role)."""
        if self._kind != "string":
            return self._gate()
        found = _PRINCIPAL.fullmatch(self._value)
        if found is None:
            self._fail(
                "Expected a principal 'MSPID.role', the MSP id of letters, digits, '.' and '-'"
            )
        self._next()
        return found.groups()

    def _signed_by(self, principal: tuple[str, str]) -> Any:
        msp_id, role = principal
        self.identities.append(
            msp_principal_pb2.MSPPrincipal(
                principal_classification=msp_principal_pb2.MSPPrincipal.ROLE,
                principal=msp_principal_pb2.MSPRole(
                    msp_identifier=msp_id, role=_ROLES[role]
                ).SerializeToString(),
            )
        )
        return policies_pb2.SignaturePolicy(signed_by=len(self.identities) - 1)

    def _punctuation(self, expected: str) -> None:
        if self._kind != "punctuation" or self._value != expected:
            self._fail(f"Expected {expected!r}")
        self._next()

    def _next(self) -> None:
        """Read a token into `_kind` and `_value`; `_start` is where it begins."""
        rest = self._text[self._position :]
        self._start = self._position + len(rest) - len(rest.lstrip())
        if not rest.strip():
            self._kind, self._value = "end", ""
            return
        found = _TOKEN.match(self._text, self._position)
        if found is None:
            self._fail("Unexpected character")
        word, single, double, punctuation = found.groups()
        self._position = found.end()
        if word is not None:
            self._kind, self._value = "word", word
        elif punctuation is not None:
            self._kind, self._value = "punctuation", punctuation
        else:
            self._kind, self._value = "string", single if single is not None else double

    def _fail(self, reason: str) -> NoReturn:
        raise PolicyError(reason, text=self._text, position=self._start)
