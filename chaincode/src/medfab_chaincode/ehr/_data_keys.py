"""Functions about a patient's data keys at one holder (F2, C10). The contract never sees a key."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Annotated

from medfab_chaincode import (
    Context,
    Contract,
    Stub,
    Transient,
    canonical_json,
    evaluate,
    parse_state,
    submit,
)

from ._access_model import AccessEntry, Verdict
from ._appointment_model import Status
from ._caller import KEEPERS, caller_of
from ._checks import (
    check_digest,
    check_key_id,
    check_list,
    check_patient,
    check_salt,
    refuse,
    require,
)
from ._codes import Code, FilingKind
from ._folder import put_receipt, records_of
from ._keys import ObjectType, implicit_collection
from ._log import now_of
from ._permit import pins_hold
from ._record_model import MAX_BATCH, Changed, RecordVersion, Seal, check_batch, parse_record
from ._release_model import Wrap
from ._standing import Standing, standing_of
from ._store import PatientEntry, Store

_MOST_STALE = 500


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """Transient ``key`` of ``RotateKey``."""

    key_id: str
    previous: str | None = None
    """The key that is replaced; None: the first one."""
    salt: str


@dataclass(frozen=True, kw_only=True)
class KeyState:
    """Which data key a holder uses for a patient now."""

    key_id: str
    rotated_at: int
    after_revocation: int | None
    """The last revocation that it takes account of; None: there had been none."""
    salt: str


@dataclass(frozen=True, kw_only=True)
class KeyUsed:
    """Answer of ``RotateKey``."""

    key_id: str


@dataclass(frozen=True, kw_only=True)
class RewrapItem:
    """A record whose own key is wrapped anew."""

    id: str
    seal: Seal


@dataclass(frozen=True, kw_only=True)
class Rewrap:
    """Transient ``wraps`` of ``RewrapRecords``."""

    items: tuple[RewrapItem, ...]
    salt: str


@dataclass(frozen=True, kw_only=True)
class RequestIds:
    """Transient ``requests`` of ``DropKeyWraps``."""

    ids: tuple[str, ...]
    salt: str


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """Answer of ``DropKeyWraps``."""

    dropped: int


@dataclass(frozen=True, kw_only=True)
class KeyView:
    """Answer of ``ReadKeyState``."""

    key_id: str | None
    rotated_at: int | None
    rotation_due: bool
    stale_records: tuple[RewrapItem, ...]
    """Records whose key is wrapped under another data key, 500 at most; the rest next time."""


@dataclass(frozen=True, kw_only=True)
class PermitKey:
    """Answer of ``ReadPermitKey``: for whom a data key is to be wrapped."""

    public_key: str | None
    expires_at: int
    in_force: bool


class DataKeys(Contract):
    """The holder's side: which key is used, and for whom it is wrapped."""

    @submit("RotateKey", access=KEEPERS)
    async def rotate_key(
        self, context: Context, patient: str, key: Annotated[NewKey, Transient()]
    ) -> KeyUsed:
        """Use another data key from now on; sealed records are taken under this one alone."""
        caller, stub = caller_of(context), context.stub
        check_key_id(key.key_id, "key.key_id")
        check_salt(key.salt, "key.salt")
        standing = await standing_of(Store(stub), caller, check_patient(patient))
        standing.check()
        entry = standing.registered()
        state = await _state(stub, caller.msp_id, patient)
        if key.previous != (state.key_id if state else None) or key.previous == key.key_id:
            raise refuse(Code.CONFLICT, "another data key is in use than `previous`", 409)
        new = KeyState(
            key_id=key.key_id,
            rotated_at=now_of(context),
            after_revocation=entry.revoked_at,
            salt=key.salt,
        )
        stub.put_private_data(
            implicit_collection(caller.msp_id), _key(stub, patient), canonical_json(new)
        )
        put_receipt(context, caller, patient, FilingKind.ROTATED, salt=key.salt)
        return KeyUsed(key_id=key.key_id)

    @submit("RewrapRecords", access=KEEPERS)
    async def rewrap_records(
        self, context: Context, patient: str, wraps: Annotated[Rewrap, Transient()]
    ) -> Changed:
        """Replace the wrapped keys of sealed records; their content stays as it is."""
        caller, stub = caller_of(context), context.stub
        check_batch([item.id for item in wraps.items], "wraps.items")
        check_salt(wraps.salt, "wraps.salt")
        for index, item in enumerate(wraps.items):
            check_digest(item.id, f"wraps.items[{index}].id")
            item.seal.check(f"wraps.items[{index}].seal")
        standing = await standing_of(Store(stub), caller, check_patient(patient))
        standing.check()
        seals = [item.seal for item in wraps.items]
        await check_seals(stub, caller.msp_id, patient, standing, seals)
        collection = implicit_collection(caller.msp_id)
        keys = [
            stub.create_composite_key(ObjectType.RECORD, [patient, item.id]) for item in wraps.items
        ]
        values = await stub.get_private_data_many(collection, keys)
        changed = []
        for key, item, value in zip(keys, wraps.items, values, strict=True):
            record = None if value is None else parse_record(value)
            if record is None or record.seal is None:
                raise refuse(Code.NOT_FOUND, "one of these is not on file as a sealed record", 404)
            stub.put_private_data(collection, key, canonical_json(replace(record, seal=item.seal)))
            changed.append(RecordVersion(id=item.id, version=record.version))
        kind = FilingKind.REWRAPPED
        put_receipt(context, caller, patient, kind, records=changed, salt=wraps.salt)
        return Changed(changed=len(changed))

    @submit("PutKeyWrap", access=KEEPERS)
    async def put_key_wrap(
        self, context: Context, patient: str, request_id: str, wrap: Annotated[Wrap, Transient()]
    ) -> Status:
        """Keep the data key as wrapped for the requester of a permit in force."""
        caller, stub = caller_of(context), context.stub
        wrap.check()
        store = Store(stub)
        entry = await _permit(store, check_patient(patient), request_id)
        if not await _in_force(store, patient, entry, now_of(context)):
            raise refuse(Code.NOT_PERMITTED, "this permit is not in force any more")
        stub.put_private_data(
            implicit_collection(caller.msp_id),
            stub.create_composite_key(ObjectType.WRAP, [patient, request_id]),
            canonical_json(wrap),
        )
        put_receipt(context, caller, patient, FilingKind.WRAPPED, salt=wrap.salt)
        return Status(status="wrapped")

    @submit("DropKeyWraps", access=KEEPERS)
    async def drop_key_wraps(
        self, context: Context, patient: str, requests: Annotated[RequestIds, Transient()]
    ) -> Dropped:
        """Purge wraps, history included."""
        caller, stub = caller_of(context), context.stub
        check_patient(patient)
        check_salt(requests.salt, "requests.salt")
        require(0 < len(requests.ids) <= MAX_BATCH, "requests.ids", f"1 to {MAX_BATCH} entries")
        check_list(requests.ids, "requests.ids", most=MAX_BATCH)
        for id_ in requests.ids:
            key = stub.create_composite_key(
                ObjectType.WRAP, [patient, check_digest(id_, "requests.ids")]
            )
            stub.purge_private_data(implicit_collection(caller.msp_id), key)
        kind = FilingKind.WRAPS_DROPPED
        put_receipt(context, caller, patient, kind, salt=requests.salt)
        return Dropped(dropped=len(requests.ids))

    @evaluate("ReadKeyState", access=KEEPERS)
    async def read_key_state(self, context: Context, patient: str) -> KeyView:
        """Show which key is in use, whether a new one is due, and which records wait for it."""
        caller, store = caller_of(context), Store(context.stub)
        standing = await standing_of(store, caller, check_patient(patient))
        entry = standing.registered()
        state = await _state(context.stub, caller.msp_id, patient)
        stale: list[RewrapItem] = []
        if state is not None:
            async with aclosing(records_of(context.stub, caller.msp_id, patient)) as records:
                async for id_, record, _ in records:
                    if record.seal is not None and record.seal.key_id != state.key_id:
                        stale.append(RewrapItem(id=id_, seal=record.seal))
                    if len(stale) == _MOST_STALE:
                        break
        return KeyView(
            key_id=state.key_id if state else None,
            rotated_at=state.rotated_at if state else None,
            rotation_due=state is not None and _is_stale(state, entry),
            stale_records=tuple(stale),
        )

    @evaluate("ReadPermitKey", access=KEEPERS)
    async def read_permit_key(self, context: Context, patient: str, request_id: str) -> PermitKey:
        """Show for which public key a permit's data key is to be wrapped."""
        store = Store(context.stub)
        entry = await _permit(store, check_patient(patient), request_id)
        (details,) = await store.access_details(patient, [request_id])
        return PermitKey(
            public_key=details.public_key,
            expires_at=entry.expires_at or 0,
            in_force=await _in_force(store, patient, entry, now_of(context)),
        )


async def check_seals(
    stub: Stub, holder_msp: str, patient: str, standing: Standing, seals: Sequence[Seal | None]
) -> None:
    """Refuse records that are sealed under another data key than the one in use, or a stale one."""
    used = {seal.key_id for seal in seals if seal is not None}
    if not used:
        return
    state = await _state(stub, holder_msp, patient)
    if state is None or used != {state.key_id} or _is_stale(state, standing.registered()):
        raise refuse(
            Code.STALE_KEY,
            "these records are not sealed under the patient's present data key: a consent was "
            "revoked, or another key is in use (ReadKeyState shows it, RotateKey sets a new one)",
            409,
        )


async def wrap_of(stub: Stub, holder_msp: str, patient: str, request_id: str) -> Wrap | None:
    """The data key as wrapped for a permit; None: nobody has wrapped it yet."""
    key = stub.create_composite_key(ObjectType.WRAP, [patient, request_id])
    data = await stub.get_private_data(implicit_collection(holder_msp), key)
    return None if data is None else parse_state(Wrap, data)


def _is_stale(state: KeyState, entry: PatientEntry) -> bool:
    return state.after_revocation != entry.revoked_at


def _key(stub: Stub, patient: str) -> str:
    return stub.create_composite_key(ObjectType.DATA_KEY, [patient])


async def _state(stub: Stub, holder_msp: str, patient: str) -> KeyState | None:
    data = await stub.get_private_data(implicit_collection(holder_msp), _key(stub, patient))
    return None if data is None else parse_state(KeyState, data)


async def _permit(store: Store, patient: str, request_id: str) -> AccessEntry:
    check_digest(request_id, "request_id")
    entry = await store.get(AccessEntry, ObjectType.ACCESS, patient, request_id)
    if entry is None or entry.decision is not Verdict.PERMIT:
        raise refuse(Code.NOT_FOUND, "there is no permit with this id for this patient", 404)
    return entry


async def _in_force(store: Store, patient: str, entry: AccessEntry, now: int) -> bool:
    lasts = entry.expires_at is not None and now < entry.expires_at
    return lasts and await pins_hold(store, patient, entry)
