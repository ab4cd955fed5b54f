"""The client of an organisation that holds records."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from medfab_gateway._contract_async import AsyncContract
from medfab_gateway.ehr._filing import FilingKey, filing_items, split
from medfab_gateway.ehr._retry_async import submit_with_retry
from medfab_gateway.ehr._types import FilingProgress, FilingResult
from medfab_gateway.ehr.fhir import Bundle, load_bundle
from medfab_gateway.errors import MedfabError

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
            # In a thread: the first validation imports for seconds.
            bundle = await asyncio.to_thread(load_bundle, bundle)
        items = filing_items(bundle, patient=patient, key=self._filing_key)
        batches = list(split(items))
        done: list[FilingResult] = []

        async def file(batch: bytes) -> None:
            done.append(await self._file(patient, batch))
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
        await file(batches[0])
        remaining = iter(batches[1:])

        async def file_remaining() -> None:
            for batch in remaining:
                await file(batch)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_CONCURRENCY):
                    group.create_task(file_remaining())
        except* MedfabError as failures:
            # The first: callers branch on the error of a transaction, not on a group.
            raise failures.exceptions[0] from None
        return FilingResult(
            filed=sum(result.filed for result in done),
            unchanged=sum(result.unchanged for result in done),
            transactions=len(done),
        )

    async def _file(self, patient: str, batch: bytes) -> FilingResult:
        answer = await submit_with_retry(
            self._contract,
            "FileRecords",
            patient,
            transient={"records": batch},
            endorsing_organizations=[self._msp_id],
        )
        counts = json.loads(answer)
        return FilingResult(filed=counts["filed"], unchanged=counts["unchanged"], transactions=1)
