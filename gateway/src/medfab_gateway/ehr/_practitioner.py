# Made by scripts/make_sync.py from _practitioner_async.py: change that, and run it.
"""The client of a practitioner who needs records that others hold."""

from __future__ import annotations

from collections.abc import Sequence

from medfab_gateway._contract import Contract
from medfab_gateway.ehr import _answers, _retries
from medfab_gateway.ehr._types import AccessDecision, Purpose, ReadResult


class Practitioner:
    """Asks for access, and reads what was permitted.

    ::

        practitioner = Practitioner(contract)
        decision = practitioner.request_access(
            patient, purpose=Purpose.TREATMENT, categories=["laboratory"]
        )
        if decision.permitted:
            result = practitioner.read(decision, holder_msp="HospitalMSP")

    ``contract``: the contract ``ehr`` on a gateway of the practitioner. ``custodians``: MSP ids of
    the organisations asked to endorse, a majority of the custodians; None: the gateway peer
    chooses.
    """

    def __init__(self, contract: Contract, *, custodians: Sequence[str] | None = None) -> None:
        self._contract = contract
        self._custodians = custodians

    def request_access(
        self,
        patient: str,
        *,
        purpose: Purpose | str,
        categories: Sequence[str] = (),
        resource_types: Sequence[str] = (),
    ) -> AccessDecision:
        """Ask for records with one of ``categories`` and one of ``resource_types``.

        An empty list asks for nothing in particular, but not both may be empty. The answer is on
        the ledger when this returns, a denial included; a denial is no error. Raises the errors of
        :meth:`Contract.submit`.
        """
        request = _answers.transient(
            purpose=purpose, categories=[*categories], resource_types=[*resource_types]
        )
        answer = self._contract.submit(
            "RequestAccess",
            patient,
            transient={"request": request},
            endorsing_organizations=self._custodians,
            retry=_retries.SUBMIT,
        )
        return _answers.access_decision(answer, patient=patient)

    def read(self, permit: AccessDecision, *, holder_msp: str) -> ReadResult:
        """Read at a peer of ``holder_msp`` what ``permit`` covers; may be repeated until it ends.

        Raises :class:`EvaluateError`, whose ``chaincode.code`` is ``NOT_PERMITTED``,
        ``PERMIT_EXPIRED``, ``CONSENT_REVOKED``, ``NO_RECORDS`` or ``DATA_UNAVAILABLE``.
        """
        answer = self._contract.evaluate(
            "ReadRecords",
            permit.patient,
            permit.request_id,
            holder_msp,
            target_organizations=[holder_msp],
            retry=_retries.READ_JUST_PERMITTED if permit.permitted else None,
        )
        return _answers.read_result(answer)
