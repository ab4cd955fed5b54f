"""A holder's folder about a patient: the mark that it is here, its receipts, and its records."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass

from medfab_chaincode import Context, Stub, canonical_json, parse_state
from medfab_chaincode.errors import PeerError

from ._caller import Caller
from ._checks import refuse
from ._codes import Code, FilingKind
from ._keys import ObjectType, implicit_collection
from ._log import now_of
from ._record_model import Receipt, Record, RecordVersion, parse_record


@dataclass(frozen=True, kw_only=True)
class Folder:
    """That this holder has records of the patient."""

    opened_at: int
    announced: bool = False
    """False: opened under the first slice, before holders were announced and accepted."""


async def open_folder(stub: Stub, holder_msp: str, patient: str) -> Folder:
    """Refuse where the holder has no records, or this peer does not hold them.

    A range over a collection that a peer lacks is silently empty, but a `get` of a key whose hash
    is committed fails there. The folder turns the one into the other.
    """
    key = stub.create_composite_key(ObjectType.FOLDER, [patient])
    try:
        data = await stub.get_private_data(implicit_collection(holder_msp), key)
    except PeerError as error:
        raise refuse(
            Code.DATA_UNAVAILABLE,
            f"the records of {holder_msp} are not on this peer: name {holder_msp} as the "
            "organisation to evaluate at",
            421,
        ) from error
    if data is None:
        raise refuse(Code.NO_RECORDS, f"{holder_msp} holds no records of this patient", 404)
    return parse_state(Folder, data)


async def records_of(
    stub: Stub, holder_msp: str, patient: str
) -> AsyncGenerator[tuple[str, Record, int]]:
    """Iterate over the current version of each record: id, record, and its size in bytes."""
    found = stub.get_private_data_by_partial_composite_key(
        implicit_collection(holder_msp), ObjectType.RECORD, [patient]
    )
    async with found:
        async for item in found:
            id_ = stub.split_composite_key(item.key)[1][1]
            yield id_, parse_record(item.value), len(item.value)


async def versions_of(stub: Stub, holder_msp: str, patient: str, record_id: str) -> list[Record]:
    """Every version of one record, oldest first; empty: it is not on file."""
    collection = implicit_collection(holder_msp)
    earlier = [
        parse_record(item.value)
        async for item in stub.get_private_data_by_partial_composite_key(
            collection, ObjectType.RECORD_VERSION, [patient, record_id]
        )
    ]
    key = stub.create_composite_key(ObjectType.RECORD, [patient, record_id])
    data = await stub.get_private_data(collection, key)
    return earlier if data is None else [*earlier, parse_record(data)]


async def receipts_of(
    stub: Stub, holder_msp: str, patient: str
) -> AsyncIterator[tuple[str, Receipt]]:
    """Iterate over the receipts: transaction id, receipt."""
    async for item in stub.get_private_data_by_partial_composite_key(
        implicit_collection(holder_msp), ObjectType.FILING, [patient]
    ):
        yield stub.split_composite_key(item.key)[1][1], parse_state(Receipt, item.value)


def put_receipt(
    context: Context,
    caller: Caller,
    patient: str,
    kind: FilingKind,
    *,
    records: Sequence[RecordVersion] = (),
    unchanged: int = 0,
    salt: str,
) -> None:
    """Write what this transaction did into the caller's organisation's folder."""
    stub = context.stub
    receipt = Receipt(
        filed=len(records),
        unchanged=unchanged,
        filed_at=now_of(context),
        kind=kind,
        practitioner=caller.subject,
        records=tuple(records),
        salt=salt,
    )
    key = stub.create_composite_key(ObjectType.FILING, [patient, stub.transaction_id])
    stub.put_private_data(implicit_collection(caller.msp_id), key, canonical_json(receipt))
    event = {
        "kind": f"records-{kind}",
        "patient": patient,
        "id": stub.transaction_id,
        "at": receipt.filed_at,
    }
    stub.set_event(f"records-{kind}", canonical_json(event))
