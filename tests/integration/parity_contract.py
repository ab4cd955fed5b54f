"""A contract that calls everything a stub has, for `test_shim_parity.py`: served by the network."""

from __future__ import annotations

import asyncio
from typing import Any

from medfab_chaincode import (
    Context,
    Contract,
    KeyEndorsementPolicy,
    Page,
    PeerError,
    evaluate,
    submit,
)


class Parity(Contract):
    name = "parity"

    # -- public state ------------------------------------------------------------------------

    @evaluate("PeerMsp")
    async def peer_msp(self, context: Context) -> str:
        return context.stub.peer_msp_id

    @submit("Put")
    def put(self, context: Context, key: str, value: str) -> None:
        context.stub.put_state(key, value.encode())

    @submit("Delete")
    def delete(self, context: Context, key: str) -> None:
        context.stub.delete_state(key)

    @submit("Fill")
    def fill(self, context: Context, count: int) -> None:
        """Write simple keys and composite keys of two types."""
        stub = context.stub
        for number in range(count):
            stub.put_state(f"fill{number:04}", str(number).encode())
            for kind in ("even", "odd"):
                stub.put_state(stub.create_composite_key(kind, ["x", f"{number:04}"]), b"1")

    @evaluate("Gather")
    async def gather(self, context: Context, keys: list[str]) -> list[Any]:
        """Read all at once; answers with the values and the number of messages it took."""
        before = context.stub._conversation.messages
        values = await asyncio.gather(*(context.stub.get_state(key) for key in keys))
        return [
            [None if value is None else value.decode() for value in values],
            context.stub._conversation.messages - before,
        ]

    @submit("Touch")
    async def touch(self, context: Context, keys: list[str]) -> None:
        """Write what was read: a read that another transaction overtakes must not be valid."""
        values = await asyncio.gather(*(context.stub.get_state(key) for key in keys))
        context.stub.put_state("touched", b"".join(value or b"-" for value in values))

    @evaluate("History")
    async def history(self, context: Context, key: str) -> list[list[Any]]:
        return [
            [
                change.transaction_id,
                None if change.value is None else change.value.decode(),
                change.timestamp,
                change.is_delete,
            ]
            async for change in context.stub.get_history_for_key(key)
        ]

    # -- pages -------------------------------------------------------------------------------

    @evaluate("Page")
    async def page(
        self, context: Context, start: str, end: str, size: int, bookmark: str
    ) -> list[Any]:
        return _plain(
            await context.stub.get_state_by_range_with_pagination(start, end, size, bookmark)
        )

    @evaluate("CompositePage")
    async def composite_page(
        self, context: Context, parts: list[str], size: int, bookmark: str
    ) -> list[Any]:
        """A page of a partial composite key; of all composite keys where there are no parts."""
        stub = context.stub
        if not parts:
            return _plain(
                await stub.get_state_by_all_composite_keys_with_pagination(size, bookmark)
            )
        kind, *attributes = parts
        return _plain(
            await stub.get_state_by_partial_composite_key_with_pagination(
                kind, attributes, size, bookmark
            )
        )

    @evaluate("AllComposite")
    async def all_composite(self, context: Context) -> list[str]:
        return [item.key async for item in context.stub.get_state_by_all_composite_keys()]

    @submit("PageAndPut")
    async def page_and_put(self, context: Context) -> None:
        await context.stub.get_state_by_range_with_pagination("", "", 1)
        context.stub.put_state("after a page", b"1")

    # -- rich queries ------------------------------------------------------------------------

    @evaluate("Query")
    async def query(self, context: Context, kind: str) -> str:
        """Whichever form it has, LevelDB refuses it."""
        stub = context.stub
        query = '{"selector":{}}'
        try:
            if kind == "page":
                await stub.get_query_result_with_pagination(query, 3)
            else:
                results = (
                    stub.get_private_data_query_result(kind, query)
                    if kind
                    else stub.get_query_result(query)
                )
                await anext(results)
        except PeerError as error:
            return f"{error.request}: {error.reason}"
        raise AssertionError("the peer has answered")

    # -- endorsement of single keys ----------------------------------------------------------

    @submit("Protect")
    async def protect(
        self, context: Context, collection: str, key: str, msp_ids: list[str]
    ) -> None:
        """Only these organisations together may change the key; nobody: the usual policy."""
        stub = context.stub
        parameter = b""
        if msp_ids:
            policy = KeyEndorsementPolicy()
            policy.add_organizations(*msp_ids)
            parameter = policy.to_bytes()
        if collection:
            stub.put_private_data(collection, key, b"protected")
            stub.set_private_data_validation_parameter(collection, key, parameter)
        else:
            stub.put_state(key, b"protected")
            stub.set_state_validation_parameter(key, parameter)

    @evaluate("Protectors")
    async def protectors(self, context: Context, collection: str, key: str) -> list[str] | None:
        stub = context.stub
        parameter = (
            await stub.get_private_data_validation_parameter(collection, key)
            if collection
            else await stub.get_state_validation_parameter(key)
        )
        if parameter is None:
            return None
        return KeyEndorsementPolicy.from_bytes(parameter).list_organizations()

    @submit("PutPrivate")
    def put_private(self, context: Context, collection: str, key: str, value: str) -> None:
        context.stub.put_private_data(collection, key, value.encode())

    # -- other chaincode, and the proposal ---------------------------------------------------

    @submit("Call")
    async def call(
        self, context: Context, chaincode: str, channel: str, args: list[str]
    ) -> list[Any]:
        answer = await context.stub.invoke_chaincode(chaincode, args, channel)
        return [answer.status, answer.message, answer.payload.decode()]

    @evaluate("CallNobody")
    async def call_nobody(self, context: Context, chaincode: str, channel: str) -> str:
        try:
            await context.stub.invoke_chaincode(chaincode, ["Get", "x"], channel)
        except PeerError as error:
            return f"{error.request}: {error.reason}"
        raise AssertionError("the peer has answered")

    @evaluate("Proposal")
    def proposal(self, context: Context) -> list[str]:
        signed = context.stub.signed_proposal
        return [
            context.stub.binding.hex(),
            signed.proposal_bytes.hex(),
            signed.signature.hex(),
            repr(dict(context.stub.decorations)),
        ]


class Other(Contract):
    name = "other"

    @submit("Put")
    def put(self, context: Context, key: str, value: str) -> str:
        context.stub.put_state(key, value.encode())
        context.stub.set_event("other", b"")
        return f"{context.transaction_id} {context.channel_id}"

    @evaluate("Get")
    async def get(self, context: Context, key: str) -> bytes | None:
        return await context.stub.get_state(key)


def _plain(page: Page) -> list[Any]:
    return [[item.key for item in page.items], page.bookmark, page.fetched_count]
