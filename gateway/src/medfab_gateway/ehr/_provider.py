# Made by scripts/make_sync.py from _provider_async.py: change that, and run it.
"""The client of an organisation that holds records."""

from __future__ import annotations

import json
from collections.abc import Callable

from medfab_gateway import _blocking
from medfab_gateway._contract import Contract
from medfab_gateway.ehr import _retries
from medfab_gateway.ehr._filing import filing_items, split
from medfab_gateway.ehr._filing_key import FilingKey
from medfab_gateway.ehr._types import FilingProgress, FilingResult
from medfab_gateway.ehr.fhir import Bundle, load_bundle

_CONCURRENCY = 4


class Provider:
    """Files records with the practitioner's own organisation.

    ::

        provider = Provider(contract, msp_id="HospitalMSP", filing_key=key)
        result = provider.file_bundle(patient, Path("bundle.json").read_bytes())
        print(result.filed, result.unchanged)

    ``contract``: the contract ``ehr`` on a gateway of a practitioner. ``msp_id``: that
    practitioner's organisation, the only one that is sent the records.
    """

    def __init__(self, contract: Contract, *, msp_id: str, filing_key: FilingKey) -> None:
        self._contract = contract
        self._msp_id = msp_id
        self._filing_key = filing_key

    def file_bundle(
        self,
        patient: str,
        bundle: Bundle | bytes,
        *,
        progress: Callable[[FilingProgress], None] | None = None,
    ) -> FilingResult:
        """File every resource of ``bundle`` under the pseudonym ``patient``.

        What does not fit into one transaction is split. Filing the same bundle again, also after
        it broke off in the middle, files what is missing. ``progress`` is called after each
        transaction.

        Raises :class:`BundleError` before anything is sent, and the errors of
        :meth:`Contract.submit`; ``error.chaincode.code`` is ``CONFLICT`` where a record is on
        file with other content, ``NOT_REGISTERED`` where the patient has not registered.
        """
        if isinstance(bundle, bytes):
            # In the background: the first validation imports for seconds.
            bundle = _blocking.in_background(load_bundle, bundle)
        items = filing_items(bundle, patient=patient, key=self._filing_key)
        batches = list(split(items))
        done: list[FilingResult] = []

        def file(batch: bytes) -> FilingResult:
            return self._file(patient, batch)

        def count(result: FilingResult) -> None:
            done.append(result)
            if progress is not None:
                progress(
                    FilingProgress(
                        records=sum(result.filed + result.unchanged for result in done),
                        of_records=len(items),
                        transactions=len(done),
                        of_transactions=len(batches),
                    )
                )

        # The first alone: it opens the folder that the others read, so that they cannot conflict.
        count(file(batches[0]))
        _blocking.for_each(file, batches[1:], at_once=_CONCURRENCY, done=count)
        return FilingResult(
            filed=sum(result.filed for result in done),
            unchanged=sum(result.unchanged for result in done),
            transactions=len(done),
        )

    def _file(self, patient: str, batch: bytes) -> FilingResult:
        answer = self._contract.submit(
            "FileRecords",
            patient,
            transient={"records": batch},
            endorsing_organizations=[self._msp_id],
            retry=_retries.SUBMIT,
        )
        counts = json.loads(answer)
        return FilingResult(filed=counts["filed"], unchanged=counts["unchanged"], transactions=1)
