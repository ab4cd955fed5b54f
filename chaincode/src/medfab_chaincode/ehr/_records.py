"""Records in their holder's implicit collection: filing and release."""

from collections.abc import Sequence
from dataclasses import dataclass

from medfab_chaincode import ContractError, Stub, canonical_json, parse_state
from medfab_chaincode.errors import PeerError

from ._codes import Code
from ._decision import releases
from ._keys import ObjectType, implicit_collection
from ._model import Filed, FilingBatch, Labels, Portion, Released

MAX_RECORD_BYTES = 1_000_000
"""Of a record as it is stored: a peer sends a range in batches of 100, each one message of 100 MiB
at most, and a larger batch ends the stream. One record too large would make all of a patient's
records unreadable, so what is larger belongs elsewhere, with its hash and address on file."""

MAX_RELEASED_BYTES = 96 * 1024 * 1024
"""Of all records in one answer, as they are stored: an answer is one message, too."""


@dataclass(frozen=True, kw_only=True)
class _Record:
    labels: Labels
    resource: str
    salt: str


async def file(stub: Stub, holder_msp: str, patient: str, batch: FilingBatch, now: int) -> Filed:
    """Write what is new; refuse the whole batch if anything is there with other content."""
    collection = implicit_collection(holder_msp)
    keys = [
        stub.create_composite_key(ObjectType.RECORD, [patient, item.id]) for item in batch.items
    ]
    known = await stub.get_private_data_many(collection, keys)
    conflicts = unchanged = 0
    for index, (key, item, old) in enumerate(zip(keys, batch.items, known, strict=True)):
        record = _Record(labels=item.labels, resource=item.resource, salt=item.salt)
        if old is None:
            value = canonical_json(record)
            if len(value) > MAX_RECORD_BYTES:
                raise ContractError(
                    f"records.items[{index}]: expected at most {MAX_RECORD_BYTES} bytes as JSON; "
                    "keep large attachments elsewhere, and file their address and hash",
                    code=Code.INVALID_ARGUMENT,
                )
            stub.put_private_data(collection, key, value)
        elif _same(parse_state(_Record, old), record):
            unchanged += 1
        else:
            conflicts += 1
    if conflicts:
        raise ContractError(
            f"{conflicts} of {len(keys)} records are on file with other content, and records are "
            "never overwritten; nothing of this batch was filed",
            code=Code.CONFLICT,
            status=409,
        )
    folder = stub.create_composite_key(ObjectType.FOLDER, [patient])
    if await stub.get_private_data(collection, folder) is None:
        # Makes a read at a peer without the data fail: see release().
        stub.put_private_data(collection, folder, canonical_json({"opened_at": now}))
    filed = Filed(filed=len(keys) - unchanged, unchanged=unchanged)
    # A transaction without any write is judged by the chaincode's endorsement policy, which the
    # holder alone cannot satisfy; the receipt keeps it under the collection's own.
    receipt = stub.create_composite_key(ObjectType.FILING, [patient, stub.transaction_id])
    stub.put_private_data(
        collection,
        receipt,
        canonical_json({"filed": filed.filed, "unchanged": unchanged, "filed_at": now}),
    )
    return filed


async def release(
    stub: Stub,
    holder_msp: str,
    patient: str,
    grants: Sequence[tuple[Sequence[Portion], Sequence[Portion]]],
) -> Released:
    """Return the holder's records that each of ``grants`` (portions, exclusions) lets out."""
    collection = implicit_collection(holder_msp)
    folder = stub.create_composite_key(ObjectType.FOLDER, [patient])
    try:
        opened = await stub.get_private_data(collection, folder)
    except PeerError as error:
        raise ContractError(
            f"the records of {holder_msp} are not on this peer: name {holder_msp} as the "
            "organisation to evaluate at",
            code=Code.DATA_UNAVAILABLE,
            status=421,
        ) from error
    if opened is None:
        raise ContractError(
            f"{holder_msp} holds no records of this patient", code=Code.NO_RECORDS, status=404
        )
    resources = []
    withheld = size = 0
    async for item in stub.get_private_data_by_partial_composite_key(
        collection, ObjectType.RECORD, [patient]
    ):
        record = parse_state(_Record, item.value)
        if all(releases(portions, without, record.labels) for portions, without in grants):
            size += len(item.value)
            if size > MAX_RELEASED_BYTES:
                raise ContractError(
                    f"what the permit covers is more than the {MAX_RELEASED_BYTES} bytes that one "
                    "answer can hold: request access to fewer categories or resource types",
                    code=Code.TOO_LARGE,
                    status=413,
                )
            resources.append(record.resource)
        else:
            withheld += 1
    return Released(holder=holder_msp, resources=tuple(resources), withheld=withheld)


def _same(one: _Record, other: _Record) -> bool:
    return (one.labels, one.resource) == (other.labels, other.resource)
