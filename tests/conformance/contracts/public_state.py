"""The part of the conformance contract about public state, with our contract API."""

from __future__ import annotations

from conformance.contracts.encoding import (
    collect,
    encode,
    hexadecimals,
    milliseconds,
    page_text,
    strings,
)
from medfab_chaincode import Context, Contract, ContractError, evaluate, submit


class PublicState(Contract):
    @evaluate("Get")
    async def get(self, context: Context, key: str) -> str:
        return (await context.stub.get_state(key) or b"").hex()

    @submit("GetMany")
    async def get_many(self, context: Context, keys: str) -> str:
        return hexadecimals(await context.stub.get_states(strings(keys)))

    @submit("Put")
    def put(self, context: Context, key: str, value: str) -> None:
        context.stub.put_state(key, bytes.fromhex(value))

    @submit("Delete")
    def delete(self, context: Context, key: str) -> None:
        context.stub.delete_state(key)

    @submit("PutTwice")
    def put_twice(self, context: Context, key: str, first: str, second: str) -> None:
        context.stub.put_state(key, bytes.fromhex(first))
        context.stub.put_state(key, bytes.fromhex(second))

    @submit("PutDelete")
    def put_delete(self, context: Context, key: str, value: str) -> None:
        context.stub.put_state(key, bytes.fromhex(value))
        context.stub.delete_state(key)

    @submit("DeletePut")
    def delete_put(self, context: Context, key: str, value: str) -> None:
        context.stub.delete_state(key)
        context.stub.put_state(key, bytes.fromhex(value))

    @submit("PutGet")
    async def put_get(self, context: Context, key: str, value: str) -> str:
        context.stub.put_state(key, bytes.fromhex(value))
        return (await context.stub.get_state(key) or b"").hex()

    @submit("PutFail")
    def put_fail(self, context: Context, key: str, value: str) -> None:
        context.stub.put_state(key, bytes.fromhex(value))
        raise ContractError("refused after a write")

    @submit("PutMany")
    def put_many(self, context: Context, keys: str, value: str) -> None:
        for key in strings(keys):
            context.stub.put_state(key, bytes.fromhex(value))

    @submit("Big")
    def big(self, context: Context, count: int) -> str:
        return "x" * count

    @submit("PutBig")
    def put_big(self, context: Context, key: str, count: int) -> None:
        context.stub.put_state(key, b"x" * count)

    # -- ranges, queries and history ---------------------------------------------------------

    @evaluate("Range")
    async def range(self, context: Context, start: str, end: str, limit: int) -> str:
        return await collect(context.stub.get_state_by_range(start, end), limit)

    @submit("RangePut")
    async def range_put(self, context: Context, start: str, end: str, key: str) -> str:
        found = await collect(context.stub.get_state_by_range(start, end))
        context.stub.put_state(key, b"1")
        return found

    @submit("RangePage")
    async def range_page(
        self, context: Context, start: str, end: str, size: int, bookmark: str
    ) -> str:
        return page_text(
            await context.stub.get_state_by_range_with_pagination(start, end, size, bookmark)
        )

    @submit("PagePut")
    async def page_put(self, context: Context, key: str) -> None:
        await context.stub.get_state_by_range_with_pagination("", "", 1)
        context.stub.put_state(key, b"1")

    @submit("Partial")
    async def partial(self, context: Context, kind: str, attributes: str, limit: int) -> str:
        results = context.stub.get_state_by_partial_composite_key(kind, strings(attributes))
        return await collect(results, limit)

    @submit("PartialPage")
    async def partial_page(
        self, context: Context, kind: str, attributes: str, size: int, bookmark: str
    ) -> str:
        return page_text(
            await context.stub.get_state_by_partial_composite_key_with_pagination(
                kind, strings(attributes), size, bookmark
            )
        )

    @submit("AllCompositePage")
    async def all_composite_page(self, context: Context, size: int, bookmark: str) -> str:
        return page_text(
            await context.stub.get_state_by_all_composite_keys_with_pagination(size, bookmark)
        )

    @submit("CreateKey")
    def create_key(self, context: Context, kind: str, attributes: str) -> str:
        return context.stub.create_composite_key(kind, strings(attributes)).encode().hex()

    @submit("SplitKey")
    def split_key(self, context: Context, key: str) -> str:
        kind, attributes = context.stub.split_composite_key(bytes.fromhex(key).decode())
        return encode([kind, *attributes])

    @submit("PutComposite")
    def put_composite(self, context: Context, kind: str, attributes: str, value: str) -> None:
        key = context.stub.create_composite_key(kind, strings(attributes))
        context.stub.put_state(key, bytes.fromhex(value))

    @submit("Query")
    async def query(self, context: Context, query: str) -> str:
        return await collect(context.stub.get_query_result(query))

    @submit("QueryPage")
    async def query_page(self, context: Context, query: str, size: int, bookmark: str) -> str:
        return page_text(await context.stub.get_query_result_with_pagination(query, size, bookmark))

    @submit("History")
    async def history(self, context: Context, key: str) -> str:
        return encode(
            [
                [
                    change.transaction_id,
                    (change.value or b"").hex(),
                    milliseconds(change.timestamp),
                    change.is_delete,
                ]
                async for change in context.stub.get_history_for_key(key)
            ]
        )
