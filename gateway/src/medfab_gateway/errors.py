"""Everything this library raises on purpose.

    MedfabError
    ├── IdentityError                  a certificate or key cannot be used
    ├── HsmError                       a module, token, PIN or key of an HSM cannot be used
    ├── SigningError                   nothing to sign with, or a digest that cannot be signed
    ├── SignableError                  bytes that are not the proposal, … that they were taken for
    ├── WalletError                    a wallet folder or one of its files is not usable
    │   └── IdentityNotFoundError      no identity under that label
    ├── ProfileError                   a connection profile lacks something, and where
    ├── EndpointError                  an address or TLS setting that cannot be used
    ├── CheckpointError                a checkpoint is in use, damaged, or of another channel
    ├── BlockDecodeError               bytes that are not a block
    ├── MissingExtraError              a part whose extra is not installed; an ImportError as well
    ├── ResultError                    a contract's answer is not of the type asked for
    ├── CommitError                    in a block, but invalid: the transaction changed nothing
    └── GatewayError                   a call failed: gRPC code, and what each peer said
        ├── ConnectionFailedError      never reached the peer; the call had no effect
        ├── RequestLimitError          the peer was busy; the call had no effect
        ├── EvaluateError
        ├── EndorseError               nothing was submitted
        ├── SubmitError                the orderers did not take the transaction
        ├── OutcomeUnknownError        it may be on the ledger: ask again by its transaction id
        │   └── CommitStatusError      asked, and no answer
        └── DeliverError               a stream of blocks or events ended

After any `GatewayError` but `OutcomeUnknownError` it is certain that nothing was written.

The message of an error says what happened, which peer of which organisation said what, and what
to do next; the same facts are in its fields, for programs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import grpc


class MedfabError(Exception):
    """The root of the errors of medfab's client library."""


class IdentityError(MedfabError):
    """A certificate or private key cannot be used."""


class MissingExtraError(MedfabError, ImportError):
    """A part of this library needs packages that come with an extra of it."""

    def __init__(self, part: str, extra: str) -> None:
        super().__init__(f"{part} needs the extra: pip install 'medfab-gateway[{extra}]'")
        self.extra = extra


class SigningError(MedfabError):
    """There is no signer, or the signer cannot sign what it was given."""


class HsmError(MedfabError):
    """A PKCS#11 module, a token, its PIN or a key in it cannot be used."""


class SignableError(MedfabError):
    """Bytes from elsewhere are not the message that they were taken for, or not this caller's."""


class WalletError(MedfabError):
    """A wallet folder, or a file in it, cannot be used."""


class IdentityNotFoundError(WalletError):
    """The wallet has no identity under that label."""


class ProfileError(MedfabError):
    """A connection profile cannot be read, or lacks something; the message names the place."""


class EndpointError(MedfabError):
    """The address or the TLS settings of an endpoint cannot be used."""


class CheckpointError(MedfabError):
    """A checkpoint cannot be gone on with: in use, damaged, or of another channel."""


class BlockDecodeError(MedfabError):
    """The bytes are not a block."""


class ResultError(MedfabError):
    """The contract's answer is not of the type that was asked for with `result=`.

    The message says what was expected and where, and never what was there. For `submit()`:
    nothing was submitted.
    """


class CommitError(MedfabError):
    """The transaction is in a block, but was found invalid: it changed nothing."""

    def __init__(
        self, *, code: str, transaction_id: str, block_number: int, result: bytes | None = None
    ) -> None:
        advice = _COMMIT_ADVICE.get(code, _COMMIT_ADVICE_OTHERWISE)
        super().__init__(
            f"Transaction {transaction_id} is in block {block_number} but not valid ({code}): "
            f"it changed nothing. {advice}"
        )
        self.code = code
        """The name of Fabric's validation code, e.g. `MVCC_READ_CONFLICT`."""
        self.transaction_id = transaction_id
        self.block_number = block_number
        self.result = result
        """What the contract answered when it was endorsed; None where it is not at hand."""


_CONFLICT = (
    "Another transaction changed what this one had read: submit it again, as a new proposal."
)
_COMMIT_ADVICE = {
    "MVCC_READ_CONFLICT": _CONFLICT,
    "PHANTOM_READ_CONFLICT": _CONFLICT,
    "ENDORSEMENT_POLICY_FAILURE": (
        "The endorsements do not satisfy the endorsement policy of the chaincode, a collection "
        "or a key: check which organizations endorsed against the policy."
    ),
    "DUPLICATE_TXID": "The same transaction was submitted before: ask for its first outcome.",
    "BAD_CREATOR_SIGNATURE": (
        "The signature does not fit the certificate: check that key and certificate belong "
        "together, and the hash (SHA-256; Hash.NONE for Ed25519)."
    ),
    "CHAINCODE_VERSION_CONFLICT": "The chaincode was upgraded in between: submit it again.",
    "EXPIRED_CHAINCODE": "The chaincode was upgraded in between: submit it again.",
}
_COMMIT_ADVICE_OTHERWISE = "The log of the peer says why."


@dataclass(frozen=True, kw_only=True)
class ErrorDetail:
    """What one node said (`gateway.ErrorDetail`)."""

    address: str
    """host:port of the peer or orderer, as the gateway peer knows it."""

    msp_id: str
    """The MSP id of its organisation."""

    message: str
    """Its words."""

    def __str__(self) -> str:
        return f"{self.address} ({self.msp_id}): {self.message}"


@dataclass(frozen=True, kw_only=True)
class ChaincodeFailure:
    """The answer of a contract that refused, or failed.

    ::

        try:
            answer = await contract.evaluate("ReadAsset", "asset-0")
        except EvaluateError as error:
            if error.chaincode is None or error.chaincode.code != "NOT_FOUND":
                raise
    """

    status: int
    """400…499: the contract refused the request. 500 and above: it failed."""

    code: str | None
    """The contract's own code, to branch on, e.g. `CONSENT_REQUIRED`; None where the answer is
    not in the form `{"code", "message"}`."""

    message: str
    """The contract's words; the whole text where the answer is not in that form."""

    fields: Mapping[str, str] = field(default_factory=dict)
    """Which parts of the input are wrong, by their path, e.g. `transient.terms.code`, and how."""

    @classmethod
    def parse(cls, text: str) -> ChaincodeFailure | None:
        """The failure that a peer reports in `text`; None where it reports no chaincode answer."""
        found = _CHAINCODE_RESPONSE.search(text)
        if found is None:
            return None
        status, answer = int(found[1]), found[2]
        try:
            body = json.loads(answer)
        except ValueError:
            body = None
        if not isinstance(body, dict) or not isinstance(body.get("code"), str):
            return cls(status=status, code=None, message=answer)
        fields = body.get("fields")
        return cls(
            status=status,
            code=body["code"],
            message=str(body.get("message", "")),
            fields={name: str(text) for name, text in fields.items()}
            if isinstance(fields, dict)
            else {},
        )


# The words of a gateway peer: fabric/internal/pkg/gateway/apiutils.go, responseStatus().
_CHAINCODE_RESPONSE = re.compile(r"chaincode response (\d+), (.*)", re.DOTALL)


class GatewayError(MedfabError):
    """A call to a peer failed."""

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode,
        details: Sequence[ErrorDetail] = (),
        transaction_id: str | None = None,
        address: str | None = None,
        msp_id: str | None = None,
        chaincode: ChaincodeFailure | None = None,
        result: bytes | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        """The gRPC status code."""
        self.address = address
        """host:port of the peer that was called; None where it is not known."""
        self.msp_id = msp_id
        """The MSP id of its organisation, where the endpoint tells it."""
        self.details: tuple[ErrorDetail, ...] = tuple(details)
        """What each peer or orderer involved said; may be empty."""
        self.transaction_id = transaction_id
        """None where the call is about no transaction."""
        self.chaincode = chaincode
        """What the contract answered; None where the failure is not a contract's."""
        self.result = result
        """What the contract answered when it was endorsed, where a failure after that is told;
        None otherwise."""


class ConnectionFailedError(GatewayError):
    """The peer could not be reached, or the gateway was closed before the call was begun.

    The call had no effect; it can be repeated as it is.
    """


class RequestLimitError(GatewayError):
    """The peer has too many requests under way and turned this one away unread.

    The call had no effect; it can be repeated as it is, after a pause. The limit is
    `peer.limits.concurrency` in the peer's core.yaml.
    """


class EvaluateError(GatewayError):
    """Evaluating a transaction function failed; an evaluation changes nothing."""


class EndorseError(GatewayError):
    """Too few organisations endorsed the proposal. Nothing was submitted."""


class SubmitError(GatewayError):
    """The orderers refused an endorsed transaction, or it was not sent on to them."""


class OutcomeUnknownError(GatewayError):
    """A transaction was sent to the orderers, and what became of it is not known.

    Keep `transaction_id`, and ask `network.commit(transaction_id).status()`, at any time and of
    any peer of the channel, before the same is submitted again. A transaction that no peer has
    after a few minutes was most probably never ordered; nothing but the ledger can say so.
    """


class CommitStatusError(OutcomeUnknownError):
    """The outcome of a transaction was asked for and could not be learnt."""


class DeliverError(GatewayError):
    """A stream of blocks or chaincode events could not be opened, or ended before its end."""
