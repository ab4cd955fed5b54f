"""One submitted call: who calls, whether it may, and what it leaves behind."""

import asyncio
import hashlib
from datetime import UTC
from functools import cached_property
from typing import Protocol

from medfab_chaincode import Attribute, Context, canonical_json

from ._answers import Done
from ._codes import Code, refusal
from ._keys import Kind
from ._model import Capacity, Charter, EventEntry, Partner
from ._store import Store, milliseconds

_ROLE = "medfab.role"
_EVENT_ITEMS = 50

EVENT_NAME = "pharma"
"""Name of the chaincode event that every submitted call sets."""

AUDITOR = "auditor"
OPERATORS = (Attribute(_ROLE, "operator"),)
"""Access for those who move goods."""
HANDLERS = (Attribute(_ROLE, "operator", "quality"),)
"""Access for those who move or judge goods."""
JUDGES = (Attribute(_ROLE, "quality", AUDITOR),)
"""Access for those who judge goods."""
AUDITORS = (Attribute(_ROLE, AUDITOR),)
"""Access for an authority's staff."""
ANYBODY = (Attribute(_ROLE, "operator", "quality", AUDITOR),)
"""Access for everybody who has a role here."""


class Checked(Protocol):
    """Input that can check itself."""

    def check(self) -> None: ...


class SupplyContext(Context):
    """What the functions share about one transaction."""

    @cached_property
    def store(self) -> Store:
        """The public state."""
        return Store(self.stub)

    @cached_property
    def now(self) -> int:
        """The client's clock: milliseconds since 1970."""
        return milliseconds(self.timestamp)

    @cached_property
    def today(self) -> int:
        """The date of it in UTC, as 20271231."""
        at = self.timestamp.astimezone(UTC)
        return at.year * 10000 + at.month * 100 + at.day

    @property
    def msp(self) -> str:
        """The caller's organisation."""
        return self.client_identity.msp_id

    @cached_property
    def person(self) -> str:
        """SHA-256 (hex) of the client's id: tells people apart without naming them."""
        return hashlib.sha256(self.client_identity.id.encode()).hexdigest()


class Call:
    """A call that was let in: `open` checks, `finish` leaves the traces."""

    def __init__(
        self,
        context: SupplyContext,
        function: str,
        *,
        charter: Charter,
        partner: Partner | None,
        event: str | None = None,
        known: EventEntry | None = None,
    ) -> None:
        self.context = context
        self.store = context.store
        self.now = context.now
        self.msp = context.msp
        self.transaction_id = context.transaction_id
        self.function = function
        self.authorities = charter.authorities
        self.partner = partner
        """The caller's organisation; None: an authority's staff."""
        self._event = event
        self._known = known

    @classmethod
    async def open(cls, context: SupplyContext, function: str, given: Checked) -> "Call":
        """Check the input's form and the caller's organisation.

        An auditor must belong to an authority, everybody else to a partner with a valid licence.
        """
        given.check()
        event: str | None = getattr(given, "event", None)
        store = context.store
        charter, partner, known = await asyncio.gather(
            store.get(Charter, Kind.CHARTER),
            store.get(Partner, Kind.PARTNER, context.msp),
            _nothing() if event is None else store.get(EventEntry, Kind.EVENT, event),
        )
        charter = established(charter)
        if context.client_identity.attribute(_ROLE) == AUDITOR:
            if context.msp not in charter.authorities:
                raise refusal(
                    Code.NOT_AUTHORITY, "your organisation is no authority of this channel"
                )
        else:
            licensed(partner, context.now, "your organisation")
        if known is not None and (known.by, known.step) != (context.msp, function):
            raise refusal(
                Code.EVENT_CONFLICT,
                "this event was captured by another organisation, or as another step",
            )
        return cls(context, function, charter=charter, partner=partner, event=event, known=known)

    @property
    def is_authority(self) -> bool:
        """Is the caller an auditor of an authority?"""
        return self.context.client_identity.attribute(_ROLE) == AUDITOR

    @property
    def repeated(self) -> str | None:
        """The transaction that has captured this event already; nothing is left to do then."""
        return self._known.transaction_id if self._known else None

    def done_before(self) -> Done:
        """Answer a repeated call."""
        return Done(transaction_id=self.repeated or "", repeated=True)

    def require_capacity(self, *capacities: Capacity) -> None:
        """Refuse an organisation that is licensed for none of these."""
        if self.partner is None or not set(capacities) & set(self.partner.capacities):
            wanted = " or ".join(capacities)
            raise refusal(Code.NOT_CAPABLE, f"your organisation is not licensed as {wanted}")

    def finish(self, *digests: str, **shown: str) -> Done:
        """Record the EPCIS event, tell listeners, and answer.

        Everybody on the channel reads what listeners are told: digests, and what is public.
        """
        if self._event is not None:
            entry = EventEntry(
                step=self.function, by=self.msp, at=self.now, transaction_id=self.transaction_id
            )
            self.store.put(Kind.EVENT, self._event, value=entry)
        self.tell(*digests, **shown)
        return Done(transaction_id=self.transaction_id, repeated=False)

    def tell(self, *digests: str, **shown: str) -> None:
        """Set the chaincode event."""
        told = {
            "function": self.function,
            "event": self._event,
            "by": self.msp,
            "items": digests if len(digests) <= _EVENT_ITEMS else (),
            **shown,
        }
        self.context.stub.set_event(EVENT_NAME, canonical_json(told))


def established(charter: Charter | None) -> Charter:
    """Return the charter; nothing works without."""
    if charter is None:
        raise refusal(
            Code.NOT_ESTABLISHED, "the channel has no authorities yet: call Establish first"
        )
    return charter


def licensed(partner: Partner | None, now: int, who: str) -> Partner:
    """Return the partner if its licence is valid now."""
    if partner is None:
        raise refusal(
            Code.NOT_PARTNER, f"{who} is no trading partner here: an authority registers it"
        )
    if not partner.valid_from <= now < partner.valid_to:
        raise refusal(
            Code.LICENCE_INVALID,
            f"the licence of {who} is not valid at this time: an authority renews it",
        )
    return partner


async def _nothing() -> None:
    return None
