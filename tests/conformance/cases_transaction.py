"""The transaction, its client, events and other chaincode: chaincode.md §2."""

from __future__ import annotations

from conformance.calls import call, submit
from conformance.case import Case
from conformance.cases_state import GO, hexadecimal
from conformance.consortium import OTHER_CHANNEL
from conformance.identities import IDENTITIES

NOT_THERE = (
    "A chaincode that cannot be called: Go answers status 500 with the peer's words as the payload"
    " of the response; Node raises an error. Ours raises one (`PeerError`): a refusal by a"
    " chaincode and a call that did not happen are different things."
)
CLIENT_ID = (
    "The client's id: Go encodes `x509::` subject `::` issuer in base64, with the names in its own"
    " order and form; Node leaves it as text, `/C=…/CN=…` in the certificate's order. Ours is Go's,"
    " byte by byte, so that ids which Go chaincode has written to a ledger can be compared."
)
EMPTY_ATTRIBUTE = (
    "A certificate attribute with an empty value: Node says that there is none; Go gives the empty"
    " text, and so does ours: it is there."
)

TRANSACTION = [
    Case(name="transaction id and channel", calls=(call("Ids"),)),
    Case(
        name="creator",
        calls=(call("Creator"),),
        among=GO,
        why="The creator: Node gives its parts, not the serialised identity.",
    ),
    Case(name="binding", calls=(call("Binding"),)),
    Case(name="timestamp", calls=(call("Milliseconds"),)),
    Case(
        name="decorations",
        calls=(call("Decorations"),),
        among=GO,
        why="Decorations: Node does not give them.",
    ),
    Case(name="transient", calls=(call("Transient", transient={"a": b"\x00\xff", "ü": b""}),)),
    Case(name="no transient", calls=(call("Transient"),)),
    Case(name="signature", calls=(call("Signature"),)),
    Case(
        name="signed proposal",
        calls=(call("SignedProposal"),),
        among=GO,
        why="The signed proposal: Node gives it decoded, not the bytes that were signed.",
    ),
    Case(
        name="arguments of any bytes",
        calls=(call("Args", b"\x00\xff\xfe\x80"), call("Args", ""), call("ledger:Args", "ü")),
    ),
]

CALLS = [
    Case(
        name="a chaincode of the same channel writes",
        calls=(
            call("Call", "callee", "", '["Put","called","01"]'),
            call("Call", "callee", "care", '["Put","called","01"]'),
        ),
    ),
    Case(
        name="a chaincode of the same channel refuses",
        calls=(call("Call", "callee", "", '["Fail","no"]'),),
    ),
    Case(name="its event is dropped", calls=(call("Call", "callee", "", '["Event","e","01"]'),)),
    Case(
        name="a chaincode of another channel is read",
        calls=(
            call("Call", "remote", OTHER_CHANNEL, '["Get","x"]'),
            call("Call", "remote", OTHER_CHANNEL, '["Put","x","01"]'),
        ),
    ),
    Case(
        name="a chaincode that is not there",
        calls=(call("Call", "nobody", "", '["Get"]'),),
        follows="node",
        words=True,
        why=NOT_THERE,
    ),
    Case(
        name="a channel that is not there",
        calls=(call("Call", "remote", "no", '["Get"]'),),
        follows="node",
        words=True,
        why=NOT_THERE,
    ),
    Case(
        name="a chaincode without a name",
        calls=(call("Call", "", "", '["Get"]'),),
        follows="node",
        why=NOT_THERE,
    ),
]

EVENTS = [
    Case(name="an event", calls=(submit("Event", "happened", hexadecimal("ü")),)),
    Case(name="an event without a payload", calls=(call("Event", "happened", ""),)),
    Case(name="two events: the last one", calls=(call("EventTwice", "one", "two"),)),
    Case(name="an event without a name", calls=(call("Event", "", "01"),)),
    Case(
        name="a refusal drops the event",
        calls=(call("EventFail", "happened"),),
        code="REFUSED",
        words=True,
    ),
]

CLIENT = [
    Case(name="the client's organisation", calls=(call("ClientMsp"),)),
    Case(name="the client's certificate", calls=(call("ClientCertificate"),)),
    *(
        Case(
            name=f"client id: {name}",
            calls=(call("ClientId", identity=name),),
            follows="go",
            exact=True,
            why=CLIENT_ID,
        )
        for name in IDENTITIES
    ),
    Case(
        name="attributes",
        calls=(
            call("ClientAttribute", "medfab.role", identity="attributes"),
            call("ClientAttribute", "ünïcode", identity="attributes"),
            call("ClientAttribute", "absent", identity="attributes"),
            call("ClientAttribute", "medfab.role"),
        ),
    ),
    Case(
        name="an empty attribute",
        calls=(call("ClientAttribute", "empty", identity="attributes"),),
        follows="go",
        why=EMPTY_ATTRIBUTE,
    ),
]
