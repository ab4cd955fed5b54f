"""What a refusal is called: clients branch on these, so they never change meaning."""

from enum import StrEnum

from medfab_chaincode import ContractError


class Code(StrEnum):
    """The ``code`` of a :class:`~medfab_chaincode.ContractError` of this contract."""

    NOT_ESTABLISHED = "NOT_ESTABLISHED"
    ALREADY_ESTABLISHED = "ALREADY_ESTABLISHED"
    NOT_AUTHORITY = "NOT_AUTHORITY"
    NOT_PARTNER = "NOT_PARTNER"
    LICENCE_INVALID = "LICENCE_INVALID"
    NOT_CAPABLE = "NOT_CAPABLE"
    NOT_PREFIX_OWNER = "NOT_PREFIX_OWNER"
    NOT_OWNER = "NOT_OWNER"
    NOT_HOLDER = "NOT_HOLDER"
    NOT_CONSIGNEE = "NOT_CONSIGNEE"
    SAME_PERSON = "SAME_PERSON"
    NOT_FOUND = "NOT_FOUND"
    EXISTS = "EXISTS"
    WRONG_STATE = "WRONG_STATE"
    IN_CONTAINER = "IN_CONTAINER"
    NOT_EMPTY = "NOT_EMPTY"
    CYCLE = "CYCLE"
    HELD = "HELD"
    RECALLED = "RECALLED"
    EXPIRED = "EXPIRED"
    EVENT_CONFLICT = "EVENT_CONFLICT"
    LOT_MISMATCH = "LOT_MISMATCH"
    TOO_LATE = "TOO_LATE"
    TOO_MUCH = "TOO_MUCH"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    NO_COLLECTION = "NO_COLLECTION"
    PRICE_MISMATCH = "PRICE_MISMATCH"
    AMOUNT_MISMATCH = "AMOUNT_MISMATCH"
    NOT_ELIGIBLE = "NOT_ELIGIBLE"
    OUT_OF_TERM = "OUT_OF_TERM"
    NOT_COVERED = "NOT_COVERED"
    DUPLICATE_INVOICE = "DUPLICATE_INVOICE"


_FORBIDDEN = (
    Code.NOT_AUTHORITY, Code.NOT_PARTNER, Code.LICENCE_INVALID, Code.NOT_CAPABLE,
    Code.NOT_PREFIX_OWNER, Code.NOT_OWNER, Code.NOT_HOLDER, Code.NOT_CONSIGNEE,
    Code.SAME_PERSON, Code.BAD_SIGNATURE,
)  # fmt: skip


def refusal(code: Code, message: str) -> ContractError:
    """Make the error of a refusal; the message says what to do, and names no pack."""
    status = 404 if code is Code.NOT_FOUND else 403 if code in _FORBIDDEN else 409
    return ContractError(message, code=code, status=status)
