# Made by scripts/make_sync.py from _proposal_async.py: change that, and run it.
"""A proposal: one call of a transaction function, ready to be evaluated or endorsed."""

from __future__ import annotations

from typing import Any

from fabric_protos.gateway import gateway_pb2

from medfab_gateway._calls import Client
from medfab_gateway._method import ENDORSE, EVALUATE
from medfab_gateway._signable import Signable
from medfab_gateway._transaction import Transaction


class Proposal(Signable):
    """What `Contract.proposal()` gives. One proposal is one transaction id.

        proposal = contract.proposal("MoveAsset", "asset-1", "ward-3")
        print(proposal.transaction_id)
        transaction = proposal.endorse()

    `bytes` is a `gateway.ProposedTransaction`; it holds the arguments and the transient data.
    """

    def __init__(
        self, client: Client, proposed: Any, *, channel_name: str, description: str
    ) -> None:
        """proposed: a `gateway.ProposedTransaction`. description: for errors; no arguments."""
        proposal = proposed.proposal
        super().__init__(client, proposed, signed=proposal, content=proposal.proposal_bytes)
        self._client = client
        self._channel_name = channel_name
        self._description = description

    @property
    def transaction_id(self) -> str:
        transaction_id: str = self._message.transaction_id
        return transaction_id

    def evaluate(self, *, timeout: float | None = None) -> bytes:
        """What the function answers; nothing is submitted, and no block records it.

        timeout: seconds; None: the gateway's `evaluate_timeout`. Raises `EvaluateError`,
        `ConnectionFailedError`, `RequestLimitError`.
        """
        self._sign()
        response = self._client.call(
            EVALUATE,
            gateway_pb2.EvaluateRequest(
                transaction_id=self.transaction_id,
                channel_id=self._channel_name,
                proposed_transaction=self._message.proposal,
                target_organizations=self._message.endorsing_organizations,
            ),
            action=f"Evaluating {self._description}",
            timeout=self._client.options.evaluate_timeout if timeout is None else timeout,
            transaction_id=self.transaction_id,
        )
        result: bytes = response.result.payload
        return result

    def endorse(self, *, timeout: float | None = None) -> Transaction:
        """Collects endorsements from as many organisations as the policies ask for.

        timeout: seconds; None: the gateway's `endorse_timeout`. Raises `EndorseError`,
        `ConnectionFailedError`, `RequestLimitError`. Nothing is submitted yet.
        """
        self._sign()
        response = self._client.call(
            ENDORSE,
            gateway_pb2.EndorseRequest(
                transaction_id=self.transaction_id,
                channel_id=self._channel_name,
                proposed_transaction=self._message.proposal,
                endorsing_organizations=self._message.endorsing_organizations,
            ),
            action=f"Endorsing {self._description}",
            timeout=self._client.options.endorse_timeout if timeout is None else timeout,
            transaction_id=self.transaction_id,
        )
        prepared = gateway_pb2.PreparedTransaction(
            transaction_id=self.transaction_id, envelope=response.prepared_transaction
        )
        return Transaction(self._client, prepared)
