"""Errors of the pharma clients; refusals of the contract are ``GatewayError.chaincode``.

::

    MedfabError
    ├── IdentifierError    text that is no GS1 identifier, and why
    ├── ScanError          a code or picture that cannot be read
    ├── LabelError         a label that cannot be made
    ├── EpcisError         a document that is not EPCIS; names event and field of every problem
    ├── LotKeyError        the file with the owner's lot keys cannot be used
    ├── CaptureError       an event of a document was refused; the report says which
    └── QueryError         a query parameter that is not one of the standard's, or its value
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medfab_gateway.errors import MedfabError


class IdentifierError(MedfabError):
    """The text is not an identifier of that kind; the message says why."""


class ScanError(MedfabError):
    """What was scanned cannot be read as a code of GS1."""


class LabelError(MedfabError):
    """A label cannot be made of this."""


class LotKeyError(MedfabError):
    """The file with the secret behind an owner's lots cannot be read or made."""


class QueryError(MedfabError):
    """A query parameter is not one of EPCIS 2.0's, or its value is not of its type."""


@dataclass(frozen=True, kw_only=True)
class EpcisProblem:
    """One thing that is wrong with a document."""

    event: int | None
    """Index in the document's list of events, from 0; None: the document itself."""

    field: str
    """Path within the event or document, e.g. `sensorElementList[0].sensorReport[1].time`."""

    message: str

    def __str__(self) -> str:
        place = "document" if self.event is None else f"event {self.event}"
        return f"{place}, {self.field}: {self.message}"


class EpcisError(MedfabError):
    """A document or event is not valid EPCIS 2.0; `problems` has all that were found."""

    def __init__(self, problems: Sequence[EpcisProblem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems: tuple[EpcisProblem, ...] = tuple(problems)
