"""Calling contracts through the router alone: no stream, no peer."""

from collections.abc import Callable, Mapping

from medfab_chaincode import Contract, Stub
from medfab_chaincode._conversation import Batching, Conversation
from medfab_chaincode._router import Router
from unit.chaincode.fake_peer import proposal_bytes


def stub_of(
    *args: str | bytes, transient: Mapping[str, bytes] | None = None, creator: bytes = b""
) -> Stub:
    """A transaction whose requests reach nobody."""
    conversation = Conversation(
        channel_id="care", transaction_id="t1", batching=Batching(), send=lambda message: None
    )
    return Stub(
        conversation,
        args=[arg.encode() if isinstance(arg, str) else arg for arg in args],
        proposal_bytes=proposal_bytes(creator=creator, transient=transient or {}),
    )


async def run(router: Router, stub: Stub) -> bytes:
    return await router.resolve(stub.function).run(stub)


def router_of(function: Callable[..., object]) -> Router:
    """A router over one contract, `bad`, with one function, `function`."""
    return Router([type("Bad", (Contract,), {"name": "bad", "function": function})()])
