"""The client of an organisation that holds records."""

from __future__ import annotations

import json
from collections.abc import Callable

from medfab_gateway import _aio
from medfab_gateway._contract_async import AsyncContract
from medfab_gateway.ehr import _retries
from medfab_gateway.ehr._filing import filing_items, split
from medfab_gateway.ehr._filing_key import FilingKey
from medfab_gateway.ehr._types import FilingProgress, FilingResult
from medfab_gateway.ehr.fhir import Bundle, load_bundle

_CONCURRENCY = 4


class AsyncProvider:
    """Files records with the practitioner's own organisation.

    ::

        provider = AsyncProvider(contract, msp_id="HospitalMSP", filing_key=key)
        result = await provider.file_bundle(patient, Path("bundle.json").read_bytes())
        print(result.filed, result.unchanged)

    ``contract``: the contract ``ehr`` on a gateway of a practitioner. ``msp_id``: that
    practitioner's organisation, the only one that is sent the records.
    """

    def __init__(self, contract: AsyncContract, *, msp_id: str, filing_key: FilingKey) -> None:
        self._contract = contract
        self._msp_id = msp_id
        self._filing_key = filing_key

    async def file_bundle(
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
        :meth:`AsyncContract.submit`; ``error.chaincode.code`` is ``CONFLICT`` where a record is on
        file with other content, ``NOT_REGISTERED`` where the patient has not registered.
        """
        if isinstance(bundle, bytes):
            # In the background: the first validation imports for seconds.
            bundle = await _aio.in_background(load_bundle, bundle)
        items = filing_items(bundle, patient=patient, key=self._filing_key)
        batches = list(split(items))
        done: list[FilingResult] = []

        async def file(batch: bytes) -> FilingResult:
            return await self._file(patient, batch)

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
        count(await file(batches[0]))
        await _aio.for_each(file, batches[1:], at_once=_CONCURRENCY, done=count)
        return FilingResult(
            filed=sum(result.filed for result in done),
            unchanged=sum(result.unchanged for result in done),
            transactions=len(done),
        )

    async def _file(self, patient: str, batch: bytes) -> FilingResult:
        answer = await self._contract.submit(
            "FileRecords",
            patient,
            transient={"records": batch},
            endorsing_organizations=[self._msp_id],
            retry=_retries.SUBMIT,
        )
        counts = json.loads(answer)
        return FilingResult(filed=counts["filed"], unchanged=counts["unchanged"], transactions=1)
