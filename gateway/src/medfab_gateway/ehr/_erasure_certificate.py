# Made by scripts/make_sync.py from _erasure_certificate_async.py: change that, and run it.
"""Making a certificate of erasure out of what is on the ledger."""

from __future__ import annotations

from fabric_protos.peer import transaction_pb2

from medfab_gateway._network import Network
from medfab_gateway.ehr._auditor import Auditor
from medfab_gateway.ehr._erasure_proof import STEPS, write_certificate
from medfab_gateway.ehr.errors import CertificateOfErasureError


class ErasureCertifier:
    """Makes certificates that :func:`verify_erasure_certificate` checks.

    ::

        certifier = ErasureCertifier(gateway.network("care"))
        Path("certificate.json").write_text(certifier.certify(patient))

    ``network``: the channel, on a gateway of an auditor.
    """

    def __init__(self, network: Network, *, chaincode: str = "ehr") -> None:
        self._channel = network.channel_name
        self._auditor = Auditor(network.contract(chaincode))
        self._ledger = network.contract("qscc")

    def certify(self, patient: str) -> str:
        """The certificate of a completed erasure, as JSON.

        Raises :class:`CertificateOfErasureError` where it is not completed.
        """
        rows = self._auditor.log(patient)
        steps = sorted((row for row in rows if row.kind in STEPS), key=lambda row: row.at)
        if not any(row.kind == "erasure-completed" for row in steps):
            raise CertificateOfErasureError(
                "the erasure is not completed: every holder must erase, then it can be completed"
            )
        envelopes = []
        for row in steps:
            answer = self._ledger.evaluate("GetTransactionByID", self._channel, row.id)
            processed = transaction_pb2.ProcessedTransaction.FromString(answer)
            envelopes.append(processed.transactionEnvelope.SerializeToString())
        return write_certificate(patient=patient, channel=self._channel, envelopes=envelopes)
