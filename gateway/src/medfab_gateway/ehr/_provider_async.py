"""The client of an organisation that holds records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

from medfab_gateway import _aio
from medfab_gateway._contract_async import AsyncContract
from medfab_gateway.ehr import _answers, _wire
from medfab_gateway.ehr._data_keys_async import AsyncDataKeys
from medfab_gateway.ehr._documents import DocumentStore
from medfab_gateway.ehr._ehr_async import AsyncEhr
from medfab_gateway.ehr._erasable import Erasable, portions
from medfab_gateway.ehr._filing import FilingItem, filing_items, split
from medfab_gateway.ehr._filing_key import FilingKey
from medfab_gateway.ehr._keys.key_store import KeyStore
from medfab_gateway.ehr._labels import LabelPolicy
from medfab_gateway.ehr._sealing import Sealer
from medfab_gateway.ehr._types import FilingProgress, FilingResult
from medfab_gateway.ehr.fhir import Bundle, load_bundle, load_resource
from medfab_gateway.errors import GatewayError

_CONCURRENCY = 4


class AsyncProvider:
    """Files records with the practitioner's own organisation.

    ::

        provider = AsyncProvider(contract, msp_id="HospitalMSP", filing_key=key)
        result = await provider.file_bundle(patient, Path("bundle.json").read_bytes())
        print(result.filed, result.unchanged)

    ``contract``: the contract ``ehr`` on a gateway of a practitioner. ``msp_id``: that
    practitioner's organisation, the only one that is sent the records. ``keys``: seals every
    record; None: they are filed as they are, and none may have more than 100 KiB. ``documents``:
    keeps larger ones. ``labels``: what the organisation adds to the records' own labels; None:
    nothing, and what carries no label counts as restricted. ``custodians``: as of
    :class:`AsyncPatient`.
    """

    def __init__(
        self,
        contract: AsyncContract,
        *,
        msp_id: str,
        filing_key: FilingKey,
        keys: KeyStore | None = None,
        documents: DocumentStore | None = None,
        labels: LabelPolicy | None = None,
        custodians: Sequence[str] | None = None,
    ) -> None:
        self._ehr = AsyncEhr(contract, custodians=custodians)
        self._msp_id = msp_id
        self._filing_key = filing_key
        self._keys = keys
        self._documents = documents
        self._labels = labels
        self._data_keys = None
        if keys is not None:
            self._data_keys = AsyncDataKeys(self._ehr, msp_id=msp_id, keys=keys)

    async def announce(self, patient: str) -> str:
        """Tell the patient that the organisation holds records; ``pending`` until accepted."""
        return _answers.text_field(await self._ehr.submit("AnnounceHolder", patient), "status")

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
        if self._labels is not None:
            bundle = bundle.under(self._labels)
        try:
            return await self._file_all(patient, bundle, progress)
        except GatewayError as error:
            if _code(error) != "STALE_KEY":
                raise
        # A consent was revoked meanwhile: once more, under a new key; what is filed stays.
        return await self._file_all(patient, bundle, progress)

    async def _file_all(
        self,
        patient: str,
        bundle: Bundle,
        progress: Callable[[FilingProgress], None] | None,
    ) -> FilingResult:
        items = await self._items(patient, bundle)
        batches = list(split([item.data for item in items]))
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
        count(await self._first(patient, batches[0]))
        await _aio.for_each(file, batches[1:], at_once=_CONCURRENCY, done=count)
        return FilingResult(
            filed=sum(result.filed for result in done),
            unchanged=sum(result.unchanged for result in done),
            transactions=len(done),
            documents=sum(item.is_document for item in items),
        )

    async def amend(
        self,
        patient: str,
        resource: bytes,
        *,
        base_version: int,
        reason: str,
        references: Mapping[str, str] | None = None,
    ) -> None:
        """File the next version of a record: ``resource`` has the id of the one that it replaces.

        ``base_version``: the version it was made from; ``CONFLICT`` where there is a later one.
        ``references``: as of :func:`load_resource`.
        """
        loaded = await _aio.in_background(
            lambda: load_resource(resource, policy=self._labels, references=references)
        )
        (item,) = await self._items(patient, Bundle(resources=(loaded,)))
        fields = json.loads(item.data) | {"base_version": base_version, "reason": reason}
        entry = json.dumps({"items": [fields]}, separators=(",", ":")).encode()
        await self._ehr.submit(
            "AmendRecords", patient, transient={"amendments": entry}, holder=self._msp_id
        )

    async def withdraw(
        self, patient: str, reference: str, *, base_version: int, reason: str
    ) -> None:
        """Mark the record ``reference`` (``Type/id``) as entered in error; it stays in history."""
        record_id = self.record_id(patient, reference)
        item = {"id": record_id, "base_version": base_version, "reason": reason}
        await self._ehr.submit(
            "WithdrawRecords",
            patient,
            transient={"withdrawals": _wire.transient(items=[item])},
            holder=self._msp_id,
        )

    def record_id(self, patient: str, reference: str) -> str:
        """The ledger's id of the record ``Type/id``."""
        return self._filing_key.record_id(patient, reference)

    async def erase(self, patient: str, *, progress: Callable[[int], None] | None = None) -> int:
        """After the patient's request: purge every record, destroy keys and documents, confirm.

        Returns how many entries were purged; ``progress`` is told after each transaction. It may
        be repeated until it succeeds. Raises the errors of :meth:`AsyncContract.submit`;
        ``LEGAL_HOLD`` and ``NOT_ERASED`` are codes.
        """
        purged = 0
        erasable = await self._ehr.one(Erasable, "ListErasable", patient, holder=self._msp_id)
        for portion in portions(erasable):
            answer = await self._ehr.submit(
                "EraseRecords",
                patient,
                transient={"records": _wire.transient(portion)},
                holder=self._msp_id,
            )
            purged += _answers.count(answer, "purged")
            if progress is not None:
                progress(purged)
        names = await _aio.in_background(self._shred, patient)
        digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
        destroyed = _wire.transient(documents=len(names), digest=digest if names else None)
        await self._ehr.submit("ConfirmErasure", patient, transient={"destroyed": destroyed})
        return purged

    def _shred(self, patient: str) -> tuple[str, ...]:
        """Documents first: without the folder's name, which needs no key, nobody finds them."""
        names: tuple[str, ...] = ()
        if self._keys is not None:
            if self._documents is not None:
                names = self._documents.delete_folder(self._keys.folder_name(patient))
            self._keys.shred(patient)
        return names

    async def _items(self, patient: str, bundle: Bundle) -> list[FilingItem]:
        if self._keys is None or self._data_keys is None:
            return filing_items(bundle, patient=patient, key=self._filing_key)
        data_key = await self._data_keys.current(patient)
        keys = self._keys

        def sealed() -> list[FilingItem]:
            sealer = Sealer(patient, keys, self._documents)
            return filing_items(
                bundle, patient=patient, key=self._filing_key, sealer=sealer, data_key=data_key
            )

        return await _aio.in_background(sealed)

    async def _first(self, patient: str, batch: bytes) -> FilingResult:
        try:
            return await self._file(patient, batch)
        except GatewayError as error:
            if _code(error) != "NOT_ANNOUNCED":
                raise
        await self.announce(patient)
        return await self._file(patient, batch)

    async def _file(self, patient: str, batch: bytes) -> FilingResult:
        answer = await self._ehr.submit(
            "FileRecords", patient, transient={"records": batch}, holder=self._msp_id
        )
        counts = json.loads(answer)
        return FilingResult(filed=counts["filed"], unchanged=counts["unchanged"], transactions=1)


def _code(error: GatewayError) -> str | None:
    return error.chaincode.code if error.chaincode is not None else None
