"""A contract that does what it is told: one list of operations is one transaction.

`test_ledger_differential.py` serves it on a real network and gives the same lists to the ledger
in memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from medfab_chaincode import (
    Context,
    Contract,
    ContractError,
    KeyEndorsementPolicy,
    KeyValueIterator,
    Page,
    PeerError,
    Stub,
    submit,
)

Operation = list[str]
"""The name of the operation, then its arguments."""


class Everything(Contract):
    name = "everything"

    @submit("Run")
    async def run(self, context: Context, operations: list[list[str]]) -> list[Any]:
        """Answer with the outcome of each operation; what the peer refuses is an outcome too."""
        return [await _outcome(context.stub, operation) for operation in operations]


async def _outcome(stub: Stub, operation: Operation) -> Any:
    name, *arguments = operation
    if name in _WRITES:
        _WRITES[name](stub, *arguments)
        return None
    try:
        return await _READS[name](stub, *arguments)
    except PeerError as error:
        return f"{error.request}: {error.reason}"


# -- reads -----------------------------------------------------------------------------------


async def _get(stub: Stub, collection: str, key: str) -> str | None:
    return _text(
        await (stub.get_private_data(collection, key) if collection else stub.get_state(key))
    )


async def _get_many(stub: Stub, collection: str, *keys: str) -> list[str | None]:
    values = await (
        stub.get_private_data_many(collection, keys) if collection else stub.get_states(keys)
    )
    return [_text(value) for value in values]


async def _get_hash(stub: Stub, collection: str, key: str) -> str | None:
    value = await stub.get_private_data_hash(collection, key)
    return None if value is None else value.hex()


async def _get_policy(stub: Stub, collection: str, key: str) -> str | None:
    parameter = await (
        stub.get_private_data_validation_parameter(collection, key)
        if collection
        else stub.get_state_validation_parameter(key)
    )
    return None if parameter is None else parameter.hex()


async def _range(stub: Stub, collection: str, start: str, end: str, most: str) -> list[str]:
    return await _first(
        stub.get_private_data_by_range(collection, start, end)
        if collection
        else stub.get_state_by_range(start, end),
        int(most),
    )


async def _composite(stub: Stub, collection: str, kind: str, part: str) -> list[str]:
    parts = [part] if part else []
    return await _first(
        stub.get_private_data_by_partial_composite_key(collection, kind, parts)
        if collection
        else stub.get_state_by_partial_composite_key(kind, parts),
        1000,
    )


async def _page(stub: Stub, start: str, end: str, size: str, bookmark: str) -> list[Any]:
    page: Page = await stub.get_state_by_range_with_pagination(start, end, int(size), bookmark)
    return [[item.key for item in page.items], page.bookmark, page.fetched_count]


async def _history(stub: Stub, key: str) -> list[Any]:
    return [
        [change.transaction_id, _text(change.value), change.timestamp, change.is_delete]
        async for change in stub.get_history_for_key(key)
    ]


async def _query(stub: Stub, collection: str) -> list[str]:
    query = '{"selector":{}}'
    return await _first(
        stub.get_private_data_query_result(collection, query)
        if collection
        else stub.get_query_result(query),
        1,
    )


async def _call(stub: Stub, chaincode: str, channel: str, operations: str) -> list[Any]:
    response = await stub.invoke_chaincode(chaincode, ["Run", operations], channel)
    return [response.status, response.message, _text(response.payload)]


async def _refuse(stub: Stub, status: str) -> None:
    raise ContractError("as it was told", code="TOLD", status=int(status))


async def _fail(stub: Stub) -> None:
    raise RuntimeError


# -- writes ----------------------------------------------------------------------------------


def _put(stub: Stub, collection: str, key: str, value: str) -> None:
    if collection:
        stub.put_private_data(collection, key, value.encode())
    else:
        stub.put_state(key, value.encode())


def _put_transient(stub: Stub, collection: str, key: str) -> None:
    stub.put_private_data(collection, key, stub.transient["value"])


def _fill(stub: Stub, prefix: str, count: str) -> None:
    for number in range(int(count)):
        stub.put_state(f"{prefix}{number:04}", b"filled")


def _put_composite(stub: Stub, collection: str, kind: str, part: str, value: str) -> None:
    _put(stub, collection, stub.create_composite_key(kind, [part]), value)


def _delete(stub: Stub, collection: str, key: str) -> None:
    if collection:
        stub.delete_private_data(collection, key)
    else:
        stub.delete_state(key)


def _set_policy(stub: Stub, collection: str, key: str, *msp_ids: str) -> None:
    parameter = b""
    if msp_ids:
        policy = KeyEndorsementPolicy()
        policy.add_organizations(*msp_ids)
        parameter = policy.to_bytes()
    if collection:
        stub.set_private_data_validation_parameter(collection, key, parameter)
    else:
        stub.set_state_validation_parameter(key, parameter)


def _set_event(stub: Stub, name: str, payload: str) -> None:
    stub.set_event(name, payload.encode())


_READS: dict[str, Callable[..., Coroutine[Any, Any, Any]]] = {
    "call": _call,
    "composite": _composite,
    "fail": _fail,
    "get": _get,
    "get_hash": _get_hash,
    "get_many": _get_many,
    "get_policy": _get_policy,
    "history": _history,
    "page": _page,
    "query": _query,
    "range": _range,
    "refuse": _refuse,
}

_WRITES: dict[str, Callable[..., None]] = {
    "delete": _delete,
    "event": _set_event,
    "fill": _fill,
    "purge": Stub.purge_private_data,
    "put": _put,
    "put_composite": _put_composite,
    "put_transient": _put_transient,
    "set_policy": _set_policy,
}


async def _first(results: KeyValueIterator, most: int) -> list[str]:
    found: list[str] = []
    async with results:
        async for item in results:
            found.append(f"{item.key}={item.value.decode()}")
            if len(found) == most:
                break
    return found


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def encode(operations: list[Operation]) -> str:
    """Write operations as the argument of `Run`."""
    return json.dumps(operations)
