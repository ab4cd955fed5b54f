"""Functions that write records to their holder's collection: the holder alone endorses them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from medfab_chaincode import (
    Context,
    Contract,
    ContractError,
    Stub,
    Transient,
    canonical_json,
    submit,
)

from ._caller import PRACTITIONERS, Caller, caller_of
from ._checks import check_patient, refuse
from ._codes import Code, FilingKind
from ._data_keys import check_seals
from ._folder import Folder, put_receipt
from ._holders import HolderEntry, HolderStatus
from ._keys import ObjectType, implicit_collection, number_part
from ._log import now_of
from ._record_model import (
    AmendmentBatch,
    Changed,
    Filed,
    FilingBatch,
    Record,
    RecordStatus,
    RecordVersion,
    WithdrawalBatch,
    parse_record,
)
from ._standing import Standing, standing_of
from ._store import Store

MAX_RECORD_BYTES = 1_000_000
"""Of a record as it is stored: a peer sends a range in batches of 100, each one message of 100 MiB
at most, and a larger batch ends the stream. One record too large would make all of a patient's
records unreadable, so what is larger belongs elsewhere, with its hash and address on file."""


class Filing(Contract):
    """What holders do with records. Each function always writes a receipt.

    A transaction without any write is judged by the chaincode's endorsement policy, which the
    holder alone cannot satisfy; the receipt keeps it under the collection's own.
    """

    @submit("FileRecords", access=PRACTITIONERS)
    async def file_records(
        self, context: Context, patient: str, records: Annotated[FilingBatch, Transient()]
    ) -> Filed:
        """File ``records`` with the practitioner's organisation, all or none.

        Endorsed by that organisation alone. Filing the same content again changes nothing.
        """
        caller, stub = caller_of(context), context.stub
        records.check()
        standing = await _check_holder(Store(stub), caller, check_patient(patient))
        await check_seals(stub, caller.msp_id, patient, standing, [r.seal for r in records.items])
        collection, now = implicit_collection(caller.msp_id), now_of(context)
        keys = _keys(stub, patient, [item.id for item in records.items])
        known = await stub.get_private_data_many(collection, keys)
        conflicts = unchanged = 0
        new: list[RecordVersion] = []
        for index, (key, item, old) in enumerate(zip(keys, records.items, known, strict=True)):
            record = Record(
                labels=item.labels,
                resource=item.resource,
                salt=item.salt,
                seal=item.seal,
                filed_by=caller.filer,
                filed_at=now,
            )
            if old is None:
                stub.put_private_data(collection, key, _bytes(record, f"records.items[{index}]"))
                new.append(RecordVersion(id=item.id, version=1))
            elif _same(parse_record(old), record):
                unchanged += 1
            else:
                conflicts += 1
        if conflicts:
            raise refuse(
                Code.CONFLICT,
                f"{conflicts} of {len(keys)} records are on file with other content, and records "
                "are never overwritten (AmendRecords makes the next version); nothing of this "
                "batch was filed",
                409,
            )
        folder = stub.create_composite_key(ObjectType.FOLDER, [patient])
        if await stub.get_private_data(collection, folder) is None:
            # Makes a read at a peer without the data fail: see `_folder.open_folder`.
            stub.put_private_data(
                collection, folder, canonical_json(Folder(opened_at=now, announced=True))
            )
        filed = Filed(filed=len(new), unchanged=unchanged)
        salt = records.items[0].salt
        put_receipt(
            context, caller, patient, FilingKind.FILED, records=new, unchanged=unchanged, salt=salt
        )
        return filed

    @submit("AmendRecords", access=PRACTITIONERS)
    async def amend_records(
        self, context: Context, patient: str, amendments: Annotated[AmendmentBatch, Transient()]
    ) -> Changed:
        """File the next version of records, each with its reason; the earlier one is kept."""
        caller, stub = caller_of(context), context.stub
        amendments.check()
        standing = await _check_holder(Store(stub), caller, check_patient(patient))
        items = amendments.items
        await check_seals(stub, caller.msp_id, patient, standing, [each.seal for each in items])
        old = await _current(
            stub, caller.msp_id, patient, {each.id: each.base_version for each in items}
        )
        new = {
            item.id: Record(
                labels=item.labels,
                resource=item.resource,
                salt=item.salt,
                seal=item.seal,
                version=item.base_version + 1,
                reason=item.reason,
                filed_by=caller.filer,
                filed_at=now_of(context),
            )
            for item in items
        }
        return _replace(context, caller, patient, old, new, FilingKind.AMENDED)

    @submit("WithdrawRecords", access=PRACTITIONERS)
    async def withdraw_records(
        self, context: Context, patient: str, withdrawals: Annotated[WithdrawalBatch, Transient()]
    ) -> Changed:
        """Mark records as entered in error: they stay on file, and are released no more."""
        caller, stub = caller_of(context), context.stub
        withdrawals.check()
        await _check_holder(Store(stub), caller, check_patient(patient))
        old = await _current(
            stub, caller.msp_id, patient, {each.id: each.base_version for each in withdrawals.items}
        )
        new = {
            item.id: replace(
                old[item.id],
                salt=withdrawals.salt,
                version=item.base_version + 1,
                status=RecordStatus.ENTERED_IN_ERROR,
                reason=item.reason,
                filed_by=caller.filer,
                filed_at=now_of(context),
            )
            for item in withdrawals.items
        }
        return _replace(context, caller, patient, old, new, FilingKind.WITHDRAWN)


async def _check_holder(store: Store, caller: Caller, patient: str) -> Standing:
    standing = await standing_of(store, caller, patient)
    standing.check()
    home = standing.registered().home_msp
    entry = await store.get(HolderEntry, ObjectType.HOLDER, patient, caller.msp_id)
    if entry is None and home != caller.msp_id:
        raise refuse(
            Code.NOT_ANNOUNCED,
            "the patient does not know yet that your organisation will hold records: "
            "call AnnounceHolder first",
            409,
        )
    if entry is not None and entry.status is HolderStatus.REJECTED:
        raise refuse(Code.NOT_ACCEPTED, "the patient has rejected your organisation as a holder")
    return standing


async def _current(
    stub: Stub, msp_id: str, patient: str, versions: Mapping[str, int]
) -> dict[str, Record]:
    """The records on file, if they are at these versions."""
    keys = _keys(stub, patient, list(versions))
    values = await stub.get_private_data_many(implicit_collection(msp_id), keys)
    if None in values:
        raise refuse(Code.NOT_FOUND, "one of these records is not on file here", 404)
    found = {
        id_: parse_record(value)
        for id_, value in zip(versions, values, strict=True)
        if value is not None
    }
    if any(found[id_].version != version for id_, version in versions.items()):
        raise refuse(
            Code.CONFLICT,
            "one of these records has another version by now: look at it, then try again",
            409,
        )
    return found


def _replace(
    context: Context,
    caller: Caller,
    patient: str,
    old: Mapping[str, Record],
    new: Mapping[str, Record],
    kind: FilingKind,
) -> Changed:
    stub, collection = context.stub, implicit_collection(caller.msp_id)
    for index, (id_, record) in enumerate(new.items()):
        earlier = stub.create_composite_key(
            ObjectType.RECORD_VERSION, [patient, id_, number_part(old[id_].version)]
        )
        stub.put_private_data(collection, earlier, canonical_json(old[id_]))
        (key,) = _keys(stub, patient, [id_])
        stub.put_private_data(collection, key, _bytes(record, f"items[{index}]"))
    changed = [
        RecordVersion(id=id_, version=record.version, reason=record.reason)
        for id_, record in new.items()
    ]
    salt = next(iter(new.values())).salt
    put_receipt(context, caller, patient, kind, records=changed, salt=salt)
    return Changed(changed=len(new))


def _keys(stub: Stub, patient: str, ids: Sequence[str]) -> list[str]:
    return [stub.create_composite_key(ObjectType.RECORD, [patient, id_]) for id_ in ids]


def _bytes(record: Record, field: str) -> bytes:
    value = canonical_json(record)
    if len(value) > MAX_RECORD_BYTES:
        raise ContractError(
            f"{field}: expected at most {MAX_RECORD_BYTES} bytes as JSON; "
            "keep large attachments elsewhere, and file their address and hash",
            code=Code.INVALID_ARGUMENT,
        )
    return value


def _same(one: Record, other: Record) -> bool:
    """Same content. Sealed twice it is another ciphertext, and nobody here can tell."""
    return (one.labels, one.resource) == (other.labels, other.resource)
