"""Input of the functions for events, readings and what regulators ask for."""

from dataclasses import dataclass

from ._ids import check_digits, check_item, check_secret, require
from ._inputs import OneItem, check_hex, check_many, check_text
from ._inputs_goods import ScannedInput
from ._inputs_master import check_limits
from ._model import ColdChain, NoticeKind


@dataclass(frozen=True, kw_only=True)
class RecordEventInput:
    event: str
    step: str
    items: tuple[str, ...] = ()

    def check(self) -> None:
        check_hex(self.event, "input.event")
        check_text(self.step, "input.step")
        check_many(self.items, "input.items", least=0)
        for index, item in enumerate(self.items):
            check_item(item, f"input.items[{index}]")


@dataclass(frozen=True, kw_only=True)
class DeclareErrorInput:
    event: str
    reason: str
    corrective: tuple[str, ...] = ()

    def check(self) -> None:
        check_hex(self.event, "input.event")
        check_text(self.reason, "input.reason")
        check_many(self.corrective, "input.corrective", least=0)
        for index, event in enumerate(self.corrective):
            check_hex(event, f"input.corrective[{index}]")


@dataclass(frozen=True, kw_only=True)
class KeepEventInput:
    event: str
    body: str
    salt: str

    def check(self) -> None:
        check_hex(self.event, "input.event")
        check_body(self.body)
        check_secret(self.salt, "input.salt")


def check_body(body: str) -> None:
    """Refuse a document that is too large for one value."""
    require(0 < len(body.encode()) <= 1_000_000, "input.body", "1 to 1000000 bytes")


@dataclass(frozen=True, kw_only=True)
class DeviceInput:
    device: str
    public_key: str

    def check(self) -> None:
        check_text(self.device, "input.device")
        require(0 < len(self.public_key) <= 1000, "input.public_key", "a P-256 key, PEM")


@dataclass(frozen=True, kw_only=True)
class MonitorInput(OneItem):
    device: str
    min: int
    max: int
    budget_ms: int
    max_gap_ms: int

    def check(self) -> None:
        super().check()
        check_text(self.device, "input.device")
        limits = ColdChain(
            min=self.min, max=self.max, budget_ms=self.budget_ms, max_gap_ms=self.max_gap_ms
        )
        check_limits(limits, "input")


@dataclass(frozen=True, kw_only=True)
class ReadingsInput(OneItem):
    payload: str
    signature: str

    def check(self) -> None:
        super().check()
        require(0 < len(self.payload) <= 1_000_000, "input.payload", "1 to 1000000 letters")


@dataclass(frozen=True, kw_only=True)
class InquiryInput(ScannedInput):
    gtin: str

    def check(self) -> None:
        super().check()
        check_digits(self.gtin, 14, "input.gtin")


@dataclass(frozen=True, kw_only=True)
class AnswerInput:
    gtin: str
    request: str
    verified: bool
    reason: str | None = None

    def check(self) -> None:
        check_digits(self.gtin, 14, "input.gtin")
        check_hex(self.request, "input.request")
        if self.reason is not None:
            check_text(self.reason, "input.reason")


@dataclass(frozen=True, kw_only=True)
class NotifyInput(OneItem):
    kind: NoticeKind
    reason: str

    def check(self) -> None:
        super().check()
        check_text(self.reason, "input.reason")
