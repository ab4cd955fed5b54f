"""The functions of the raw chaincode: each gets the stub and its arguments as text."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Literal, cast

from cryptography.hazmat.primitives.serialization import Encoding

from conformance.contracts.encoding import (
    collect,
    encode,
    hexadecimals,
    milliseconds,
    page_text,
    strings,
)
from medfab_chaincode import KeyEndorsementPolicy, Stub

Function = Callable[..., str | Awaitable[str | None] | None]


class RefusedError(Exception):
    """What a function answers with status 500."""


# -- public state --------------------------------------------------------------------------------


async def get(stub: Stub, key: str) -> str:
    return (await stub.get_state(key) or b"").hex()


async def get_many(stub: Stub, keys: str) -> str:
    return hexadecimals(await stub.get_states(strings(keys)))


def put(stub: Stub, key: str, value: str) -> None:
    stub.put_state(key, bytes.fromhex(value))


def delete(stub: Stub, key: str) -> None:
    stub.delete_state(key)


def put_twice(stub: Stub, key: str, first: str, second: str) -> None:
    put(stub, key, first)
    put(stub, key, second)


def put_delete(stub: Stub, key: str, value: str) -> None:
    put(stub, key, value)
    delete(stub, key)


def delete_put(stub: Stub, key: str, value: str) -> None:
    delete(stub, key)
    put(stub, key, value)


async def put_get(stub: Stub, key: str, value: str) -> str:
    put(stub, key, value)
    return await get(stub, key)


def put_fail(stub: Stub, key: str, value: str) -> None:
    put(stub, key, value)
    raise RefusedError("refused after a write")


def put_many(stub: Stub, keys: str, value: str) -> None:
    for key in strings(keys):
        put(stub, key, value)


def big(stub: Stub, count: str) -> str:
    return "x" * int(count)


def put_big(stub: Stub, key: str, count: str) -> None:
    stub.put_state(key, b"x" * int(count))


async def range_(stub: Stub, start: str, end: str, limit: str) -> str:
    return await collect(stub.get_state_by_range(start, end), int(limit))


async def range_put(stub: Stub, start: str, end: str, key: str) -> str:
    found = await collect(stub.get_state_by_range(start, end))
    stub.put_state(key, b"1")
    return found


async def range_page(stub: Stub, start: str, end: str, size: str, bookmark: str) -> str:
    return page_text(await stub.get_state_by_range_with_pagination(start, end, int(size), bookmark))


async def page_put(stub: Stub, key: str) -> None:
    await stub.get_state_by_range_with_pagination("", "", 1)
    stub.put_state(key, b"1")


async def partial(stub: Stub, kind: str, attributes: str, limit: str) -> str:
    results = stub.get_state_by_partial_composite_key(kind, strings(attributes))
    return await collect(results, int(limit))


async def partial_page(stub: Stub, kind: str, attributes: str, size: str, bookmark: str) -> str:
    return page_text(
        await stub.get_state_by_partial_composite_key_with_pagination(
            kind, strings(attributes), int(size), bookmark
        )
    )


async def all_composite_page(stub: Stub, size: str, bookmark: str) -> str:
    return page_text(
        await stub.get_state_by_all_composite_keys_with_pagination(int(size), bookmark)
    )


def create_key(stub: Stub, kind: str, attributes: str) -> str:
    return stub.create_composite_key(kind, strings(attributes)).encode().hex()


def split_key(stub: Stub, key: str) -> str:
    kind, attributes = stub.split_composite_key(bytes.fromhex(key).decode())
    return encode([kind, *attributes])


def put_composite(stub: Stub, kind: str, attributes: str, value: str) -> None:
    put(stub, stub.create_composite_key(kind, strings(attributes)), value)


async def query(stub: Stub, text: str) -> str:
    return await collect(stub.get_query_result(text))


async def query_page(stub: Stub, text: str, size: str, bookmark: str) -> str:
    return page_text(await stub.get_query_result_with_pagination(text, int(size), bookmark))


async def history(stub: Stub, key: str) -> str:
    changes = [change async for change in stub.get_history_for_key(key)]
    return encode(
        [
            [
                change.transaction_id,
                (change.value or b"").hex(),
                milliseconds(change.timestamp),
                change.is_delete,
            ]
            for change in changes
        ]
    )


# -- collections and key policies ----------------------------------------------------------------


async def private_get(stub: Stub, collection: str, key: str) -> str:
    return (await stub.get_private_data(collection, key) or b"").hex()


async def private_get_many(stub: Stub, collection: str, keys: str) -> str:
    return hexadecimals(await stub.get_private_data_many(collection, strings(keys)))


async def private_hash(stub: Stub, collection: str, key: str) -> str:
    return (await stub.get_private_data_hash(collection, key) or b"").hex()


def private_put(stub: Stub, collection: str, key: str) -> None:
    stub.put_private_data(collection, key, stub.transient["value"])


def private_delete(stub: Stub, collection: str, key: str) -> None:
    stub.delete_private_data(collection, key)


def private_purge(stub: Stub, collection: str, key: str) -> None:
    stub.purge_private_data(collection, key)


async def private_range(stub: Stub, collection: str, start: str, end: str) -> str:
    return await collect(stub.get_private_data_by_range(collection, start, end))


async def private_partial(stub: Stub, collection: str, kind: str, attributes: str) -> str:
    return await collect(
        stub.get_private_data_by_partial_composite_key(collection, kind, strings(attributes))
    )


async def private_query(stub: Stub, collection: str, text: str) -> str:
    return await collect(stub.get_private_data_query_result(collection, text))


def policy(stub: Stub, role: str, organizations: str) -> str:
    made = KeyEndorsementPolicy()
    made.add_organizations(*strings(organizations), role=cast(Literal["MEMBER", "PEER"], role))
    return made.to_bytes().hex()


def policy_without(stub: Stub, parameter: str, organization: str) -> str:
    changed = KeyEndorsementPolicy.from_bytes(bytes.fromhex(parameter))
    changed.delete_organizations(organization)
    return changed.to_bytes().hex()


def set_policy(stub: Stub, key: str, parameter: str) -> None:
    stub.set_state_validation_parameter(key, bytes.fromhex(parameter))


def mixed(stub: Stub, collection: str, key: str, parameter: str) -> None:
    policy_bytes = bytes.fromhex(parameter)
    stub.put_state(key, b"1")
    stub.set_state_validation_parameter(key, b"")
    stub.put_private_data(collection, key, b"1")
    stub.set_private_data_validation_parameter(collection, key, policy_bytes)
    stub.set_state_validation_parameter(key, policy_bytes)
    stub.put_state(key, b"2")
    stub.put_private_data(collection, key, stub.transient["value"])
    stub.delete_state("b")
    stub.delete_private_data(collection, "p3")


async def get_policy(stub: Stub, key: str) -> str:
    return (await stub.get_state_validation_parameter(key) or b"").hex()


def private_set_policy(stub: Stub, collection: str, key: str, parameter: str) -> None:
    stub.set_private_data_validation_parameter(collection, key, bytes.fromhex(parameter))


async def private_get_policy(stub: Stub, collection: str, key: str) -> str:
    return (await stub.get_private_data_validation_parameter(collection, key) or b"").hex()


# -- the transaction and its client --------------------------------------------------------------


async def call(stub: Stub, chaincode: str, channel: str, args: str) -> str:
    answer = await stub.invoke_chaincode(chaincode, strings(args), channel)
    return encode([answer.status, answer.message, answer.payload.hex()])


def event(stub: Stub, name: str, payload: str) -> None:
    stub.set_event(name, bytes.fromhex(payload))


def event_twice(stub: Stub, first: str, second: str) -> None:
    stub.set_event(first, b"1")
    stub.set_event(second, b"2")


def event_fail(stub: Stub, name: str) -> None:
    stub.set_event(name, b"")
    raise RefusedError("refused after an event")


def fail(stub: Stub, message: str) -> None:
    raise RefusedError(message)


def client_certificate(stub: Stub) -> str:
    certificate = stub.client_identity.certificate.public_bytes(Encoding.DER)
    return hashlib.sha256(certificate).hexdigest()


FUNCTIONS: dict[str, Function] = {
    "Get": get,
    "GetMany": get_many,
    "Put": put,
    "Delete": delete,
    "PutTwice": put_twice,
    "PutDelete": put_delete,
    "DeletePut": delete_put,
    "PutGet": put_get,
    "PutFail": put_fail,
    "PutMany": put_many,
    "Big": big,
    "PutBig": put_big,
    "Range": range_,
    "RangePut": range_put,
    "RangePage": range_page,
    "PagePut": page_put,
    "Partial": partial,
    "PartialPage": partial_page,
    "AllCompositePage": all_composite_page,
    "CreateKey": create_key,
    "SplitKey": split_key,
    "PutComposite": put_composite,
    "Query": query,
    "QueryPage": query_page,
    "History": history,
    "PrivateGet": private_get,
    "PrivateGetMany": private_get_many,
    "PrivateHash": private_hash,
    "PrivatePut": private_put,
    "PrivateDelete": private_delete,
    "PrivatePurge": private_purge,
    "PrivateRange": private_range,
    "PrivatePartial": private_partial,
    "PrivateQuery": private_query,
    "Policy": policy,
    "PolicyWithout": policy_without,
    "SetPolicy": set_policy,
    "Mixed": mixed,
    "GetPolicy": get_policy,
    "PrivateSetPolicy": private_set_policy,
    "PrivateGetPolicy": private_get_policy,
    "Ids": lambda stub: encode([stub.transaction_id, stub.channel_id]),
    "Creator": lambda stub: stub.creator.hex(),
    "Binding": lambda stub: stub.binding.hex(),
    "Milliseconds": lambda stub: str(milliseconds(stub.timestamp)),
    "Decorations": lambda stub: encode({k: v.hex() for k, v in stub.decorations.items()}),
    "Transient": lambda stub: encode({k: v.hex() for k, v in stub.transient.items()}),
    "Signature": lambda stub: stub.signed_proposal.signature.hex(),
    "SignedProposal": lambda stub: hashlib.sha256(stub.signed_proposal.proposal_bytes).hexdigest(),
    "Args": lambda stub, argument: hexadecimals(stub.args),
    "Call": call,
    "Event": event,
    "EventTwice": event_twice,
    "EventFail": event_fail,
    "Fail": fail,
    "ClientId": lambda stub: stub.client_identity.id,
    "ClientMsp": lambda stub: stub.client_identity.msp_id,
    "ClientAttribute": lambda stub, name: encode(stub.client_identity.attribute(name)),
    "ClientCertificate": client_certificate,
}
