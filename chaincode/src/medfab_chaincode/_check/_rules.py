"""The rules, and what a finding says."""

from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Rule:
    """Why something is found, and what to do instead."""

    why: str
    instead: str


RULES = {
    "clock": Rule(
        "every endorsing peer reads another time",
        "use context.timestamp, which is the proposal's",
    ),
    "random": Rule(
        "every endorsing peer draws another value",
        "let the client send it, in the transient map if it is secret, or derive it from"
        " context.transaction_id",
    ),
    "float": Rule(
        "a rounded number need not be the same everywhere, and state takes none",
        "use int in a smaller unit, Decimal, or //",
    ),
    "network": Rule(
        "the answer can differ from peer to peer and from day to day",
        "let the client fetch it and send it as an argument",
    ),
    "process": Rule(
        "it is a fact about one machine, not about the ledger",
        "keep it in state, or let the client send it",
    ),
    "order": Rule(
        "the order is another one in every process",
        "use sorted(...)",
    ),
    "gateway": Rule(
        "the chaincode's image holds the chaincode alone",
        "share plain data, or copy the constant",
    ),
    "hash": Rule(
        "the number is another one in every process",
        "use hashlib, or the value itself",
    ),
    "global": Rule(
        "it outlives the transaction: the next one sees it on this peer and on no other",
        "keep it in state, or in the contract's context_class for the length of a transaction",
    ),
    "allow": Rule(
        "a silenced rule must say what it is and why",
        "write: medfab: allow[rule] reason",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One place in the source that breaks a rule."""

    path: Path
    line: int
    rule: str
    what: str

    def __str__(self) -> str:
        rule = RULES[self.rule]
        return f"{self.path}:{self.line}: {self.rule}: {self.what}: {rule.why}; {rule.instead}"

    def as_dict(self) -> dict[str, object]:
        """Return the finding for JSON: file, line, rule, what, why, instead."""
        return {
            "file": str(self.path),
            "line": self.line,
            "rule": self.rule,
            "what": self.what,
            **asdict(RULES[self.rule]),
        }
