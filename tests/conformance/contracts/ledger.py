"""The conformance contract with our contract API: a function for every function of the stub.

Bytes are hexadecimal; lists are JSON.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.serialization import Encoding

from conformance.contracts.encoding import encode, hexadecimals, milliseconds, strings
from conformance.contracts.private_data import PrivateData
from conformance.contracts.public_state import PublicState
from medfab_chaincode import Context, ContractError, submit


class Ledger(PublicState, PrivateData):
    name = "ledger"

    # -- the transaction ---------------------------------------------------------------------

    @submit("Ids")
    def ids(self, context: Context) -> str:
        return encode([context.transaction_id, context.channel_id])

    @submit("Creator")
    def creator(self, context: Context) -> str:
        return context.stub.creator.hex()

    @submit("Binding")
    def binding(self, context: Context) -> str:
        return context.stub.binding.hex()

    @submit("Milliseconds")
    def timestamp(self, context: Context) -> int:
        return milliseconds(context.timestamp)

    @submit("Decorations")
    def decorations(self, context: Context) -> str:
        return encode({name: value.hex() for name, value in context.stub.decorations.items()})

    @submit("Transient")
    def transient(self, context: Context) -> str:
        return encode({name: value.hex() for name, value in context.transient.items()})

    @submit("Signature")
    def signature(self, context: Context) -> str:
        return context.stub.signed_proposal.signature.hex()

    @submit("SignedProposal")
    def signed_proposal(self, context: Context) -> str:
        return hashlib.sha256(context.stub.signed_proposal.proposal_bytes).hexdigest()

    @submit("Args")
    def args(self, context: Context, argument: bytes) -> str:
        """Called with bytes that need not be text."""
        return hexadecimals(context.stub.args)

    @submit("Call")
    async def call(self, context: Context, chaincode: str, channel: str, args: str) -> str:
        answer = await context.stub.invoke_chaincode(chaincode, strings(args), channel)
        return encode([answer.status, answer.message, answer.payload.hex()])

    @submit("Event")
    def event(self, context: Context, name: str, payload: str) -> None:
        context.stub.set_event(name, bytes.fromhex(payload))

    @submit("EventTwice")
    def event_twice(self, context: Context, first: str, second: str) -> None:
        context.stub.set_event(first, b"1")
        context.stub.set_event(second, b"2")

    @submit("EventFail")
    def event_fail(self, context: Context, name: str) -> None:
        context.stub.set_event(name, b"")
        raise ContractError("refused after an event")

    @submit("Fail")
    def fail(self, context: Context, message: str) -> None:
        raise ContractError(message)

    # -- its client --------------------------------------------------------------------------

    @submit("ClientId")
    def client_id(self, context: Context) -> str:
        return context.client_identity.id

    @submit("ClientMsp")
    def client_msp(self, context: Context) -> str:
        return context.client_identity.msp_id

    @submit("ClientAttribute")
    def client_attribute(self, context: Context, name: str) -> str:
        return encode(context.client_identity.attribute(name))

    @submit("ClientCertificate")
    def client_certificate(self, context: Context) -> str:
        certificate = context.client_identity.certificate.public_bytes(Encoding.DER)
        return hashlib.sha256(certificate).hexdigest()
