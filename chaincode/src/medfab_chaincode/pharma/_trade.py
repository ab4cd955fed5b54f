"""What two trading partners alone know: terms, chargebacks, documents.

Each pair has a collection that both peers endorse, so neither can write terms, or grant itself a
chargeback, without the other's peer having checked it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, TypeVar

from medfab_chaincode import (
    Contract,
    Transient,
    canonical_json,
    evaluate,
    parse_state,
    submit,
)
from medfab_chaincode.errors import PeerError

from ._answers import Done
from ._call import HANDLERS, OPERATORS, Call, SupplyContext
from ._codes import Code, refusal
from ._ids import check_digits, check_secret, require
from ._inputs import check_text
from ._inputs_events import check_body
from ._keys import Kind, trade_collection
from ._store import alike

T = TypeVar("T")

_MOST = 10**15


class TermsStatus(StrEnum):
    """State of terms."""

    OFFERED = "offered"
    ACCEPTED = "accepted"


class DocumentKind(StrEnum):
    """What a document is."""

    T3 = "T3"
    EPCIS = "EPCIS"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class _ToCounterparty:
    counterparty: str
    salt: str

    def check(self) -> None:
        check_text(self.counterparty, "input.counterparty")
        check_secret(self.salt, "input.salt")


@dataclass(frozen=True, kw_only=True)
class TermsInput(_ToCounterparty):
    contract: str
    gtin: str
    price_cents: int
    contract_price_cents: int
    eligible: tuple[str, ...]
    valid_from: int
    valid_to: int

    def check(self) -> None:
        super().check()
        check_text(self.contract, "input.contract")
        check_digits(self.gtin, 14, "input.gtin")
        require(0 < self.price_cents < _MOST, "input.price_cents", "a price")
        lower = 0 <= self.contract_price_cents <= self.price_cents
        require(lower, "input.contract_price_cents", "no more than price_cents")
        require(len(self.eligible) <= 1000, "input.eligible", "at most 1000 customers")
        require(self.valid_from < self.valid_to, "input.valid_to", "later than valid_from")


@dataclass(frozen=True, kw_only=True)
class AcceptTermsInput(_ToCounterparty):
    contract: str

    def check(self) -> None:
        super().check()
        check_text(self.contract, "input.contract")


@dataclass(frozen=True, kw_only=True)
class ChargebackInput(_ToCounterparty):
    contract: str
    invoice: str
    gtin: str
    customer: str
    quantity: int
    unit_price_cents: int
    """What the customer was charged for each."""
    amount_cents: int
    """What is claimed: the difference to the wholesale price, for all of them."""
    sold_at: int

    def check(self) -> None:
        super().check()
        check_text(self.contract, "input.contract")
        check_text(self.invoice, "input.invoice")
        check_digits(self.gtin, 14, "input.gtin")
        check_text(self.customer, "input.customer")
        require(0 < self.quantity < _MOST, "input.quantity", "at least 1")
        require(0 <= self.unit_price_cents < _MOST, "input.unit_price_cents", "a price")
        require(self.amount_cents >= 0, "input.amount_cents", "an amount")


@dataclass(frozen=True, kw_only=True)
class DocumentInput(_ToCounterparty):
    reference: str
    kind: DocumentKind
    body: str

    def check(self) -> None:
        super().check()
        check_text(self.reference, "input.reference")
        check_body(self.body)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """A contract between a supplier and a buyer."""

    contract: str
    supplier: str
    buyer: str
    gtin: str
    price_cents: int
    contract_price_cents: int
    eligible: tuple[str, ...]
    valid_from: int
    valid_to: int
    status: TermsStatus
    salt: str


@dataclass(frozen=True, kw_only=True)
class Chargeback:
    """What a buyer gets back for a sale at the contract price."""

    contract: str
    invoice: str
    gtin: str
    customer: str
    quantity: int
    unit_price_cents: int
    amount_cents: int
    sold_at: int
    claimed_by: str
    claimed_at: int
    salt: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document of a shipment or event, e.g. a T3 statement."""

    reference: str
    kind: DocumentKind
    body: str
    by: str
    at: int
    salt: str


class Trade(Contract):
    """Terms between two."""

    @submit("OfferTerms", access=OPERATORS)
    async def offer_terms(
        self, context: SupplyContext, given: Annotated[TermsInput, Transient("input")]
    ) -> Done:
        """Offer a buyer a contract price; what was accepted is not replaced."""
        call = await Call.open(context, "OfferTerms", given)
        shared = _Shared(context, given.counterparty)
        known = await shared.get(Terms, Kind.TERMS, given.contract)
        if known is not None and (
            known.status is TermsStatus.ACCEPTED or known.supplier != call.msp
        ):
            raise refusal(Code.EXISTS, "there are terms under this contract's id already")
        terms = alike(
            Terms,
            given,
            supplier=call.msp,
            buyer=given.counterparty,
            status=TermsStatus.OFFERED,
        )
        shared.put(Kind.TERMS, given.contract, value=terms)
        return Done(transaction_id=call.transaction_id, repeated=False)

    @submit("AcceptTerms", access=OPERATORS)
    async def accept_terms(
        self, context: SupplyContext, given: Annotated[AcceptTermsInput, Transient("input")]
    ) -> Done:
        """Accept what the counterparty offers."""
        call = await Call.open(context, "AcceptTerms", given)
        shared = _Shared(context, given.counterparty)
        known = await shared.get(Terms, Kind.TERMS, given.contract)
        if known is None or known.buyer != call.msp:
            raise refusal(Code.NOT_FOUND, "you have no offer with this contract's id")
        if known.status is TermsStatus.ACCEPTED:
            raise refusal(Code.EXISTS, "these terms are accepted already")
        accepted = replace(known, status=TermsStatus.ACCEPTED, salt=given.salt)
        shared.put(Kind.TERMS, given.contract, value=accepted)
        return Done(transaction_id=call.transaction_id, repeated=False)

    @submit("ClaimChargeback", access=OPERATORS)
    async def claim_chargeback(
        self, context: SupplyContext, given: Annotated[ChargebackInput, Transient("input")]
    ) -> Done:
        """Claim the difference of a sale at the contract price, as the terms bear it."""
        call = await Call.open(context, "ClaimChargeback", given)
        shared = _Shared(context, given.counterparty)
        terms = await shared.get(Terms, Kind.TERMS, given.contract)
        if terms is None or terms.status is not TermsStatus.ACCEPTED or terms.buyer != call.msp:
            raise refusal(Code.NOT_FOUND, "you have not accepted terms with this contract's id")
        _require_borne(terms, given)
        if await shared.get(Chargeback, Kind.CHARGEBACK, given.contract, given.invoice):
            raise refusal(Code.DUPLICATE_INVOICE, "this invoice was claimed already")
        chargeback = alike(Chargeback, given, claimed_by=call.msp, claimed_at=call.now)
        shared.put(Kind.CHARGEBACK, given.contract, given.invoice, value=chargeback)
        return Done(transaction_id=call.transaction_id, repeated=False)

    @submit("ShareDocument", access=HANDLERS)
    async def share_document(
        self, context: SupplyContext, given: Annotated[DocumentInput, Transient("input")]
    ) -> Done:
        """Give the counterparty a document, e.g. the T3 statement of a shipment."""
        call = await Call.open(context, "ShareDocument", given)
        document = alike(Document, given, by=call.msp, at=call.now)
        shared = _Shared(context, given.counterparty)
        shared.put(Kind.DOCUMENT, given.reference, call.transaction_id, value=document)
        return Done(transaction_id=call.transaction_id, repeated=False)

    @evaluate("ReadTerms", access=HANDLERS)
    async def read_terms(self, context: SupplyContext, counterparty: str) -> list[Terms]:
        """Return all terms with a counterparty."""
        return await _Shared(context, counterparty).list(Terms, Kind.TERMS)

    @evaluate("ListChargebacks", access=HANDLERS)
    async def list_chargebacks(self, context: SupplyContext, counterparty: str) -> list[Chargeback]:
        """Return all chargebacks with a counterparty."""
        return await _Shared(context, counterparty).list(Chargeback, Kind.CHARGEBACK)

    @evaluate("ListDocuments", access=HANDLERS)
    async def list_documents(
        self, context: SupplyContext, counterparty: str, reference: str
    ) -> list[Document]:
        """Return the documents shared with a counterparty about one reference."""
        return await _Shared(context, counterparty).list(Document, Kind.DOCUMENT, reference)


def _require_borne(terms: Terms, given: ChargebackInput) -> None:
    if given.gtin != terms.gtin:
        raise refusal(Code.NOT_COVERED, "the contract is about another product")
    if given.customer not in terms.eligible:
        raise refusal(Code.NOT_ELIGIBLE, "the customer is not eligible under this contract")
    if not terms.valid_from <= given.sold_at < terms.valid_to:
        raise refusal(Code.OUT_OF_TERM, "the contract was not in force when this was sold")
    if given.unit_price_cents != terms.contract_price_cents:
        raise refusal(Code.PRICE_MISMATCH, "the customer was not charged the contract price")
    due = (terms.price_cents - terms.contract_price_cents) * given.quantity
    if given.amount_cents != due:
        raise refusal(
            Code.AMOUNT_MISMATCH,
            "the amount is not the difference of the two prices times the quantity",
        )


class _Shared:
    """The collection of the caller and a counterparty."""

    def __init__(self, context: SupplyContext, counterparty: str) -> None:
        if counterparty == context.msp:
            raise refusal(Code.NO_COLLECTION, "the counterparty is another organisation than yours")
        self._stub = context.stub
        self._name = trade_collection(context.msp, counterparty)

    async def get(self, type_: type[T], kind: Kind, *attributes: str) -> T | None:
        try:
            value = await self._stub.get_private_data(self._name, self._key(kind, *attributes))
        except PeerError as error:
            raise _no_collection() from error
        return None if value is None else parse_state(type_, value)

    async def list(self, type_: type[T], kind: Kind, *attributes: str) -> "list[T]":
        found = self._stub.get_private_data_by_partial_composite_key(self._name, kind, attributes)
        try:
            return [parse_state(type_, item.value) async for item in found]
        except PeerError as error:
            raise _no_collection() from error

    def put(self, kind: Kind, *attributes: str, value: object) -> None:
        self._stub.put_private_data(self._name, self._key(kind, *attributes), canonical_json(value))

    def _key(self, kind: Kind, *attributes: str) -> str:
        return self._stub.create_composite_key(kind, attributes)


def _no_collection() -> Exception:
    return refusal(
        Code.NO_COLLECTION,
        "this peer has no collection of the two organisations: ask at a peer of one of them, and "
        "see that the topology's `pairwise` names both",
    )
