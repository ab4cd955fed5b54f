"""One contract function, ready to be called, and what a transaction runs around it."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from medfab_chaincode._access import check_access
from medfab_chaincode._canonical import encode_result
from medfab_chaincode._contract import Contract
from medfab_chaincode._definition import Definition
from medfab_chaincode._signature import Signature
from medfab_chaincode._stub import Stub
from medfab_chaincode._threads import run_in_thread
from medfab_chaincode.errors import DefinitionError, EvaluateWriteError

Call = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One contract function."""

    wire_name: str
    """`contract:function`, as in the log."""

    contract: Contract
    definition: Definition
    signature: Signature
    before: Call | None
    function: Call
    after: Call | None

    async def run(self, stub: Stub) -> bytes:
        """Run the function in one transaction and encode its result.

        In order: access rules, `before_transaction`, the arguments, the function,
        `after_transaction`. What raises is the end of it. The arguments come so late because a
        client that may not call the function shall not learn what it would take.
        """
        if self.definition.access:
            check_access(self.definition.access, stub.client_identity)
        context = self.contract.context_class(stub)
        if self.before is not None:
            await self.before(context)
        result = await self.function(context, *self.signature.bind(stub))
        if self.after is not None:
            await self.after(context, result)
        if self.definition.intent == "evaluate" and stub.has_effects:
            raise EvaluateWriteError(f"{self.wire_name} is marked @evaluate and has written")
        return encode_result(result)


def callable_of(function: Callable[..., Any]) -> Call:
    """Return what the event loop may await: a plain `def` is called in a thread."""
    return function if inspect.iscoroutinefunction(function) else partial(run_in_thread, function)


def hook_of(contract: Contract, name: str) -> Call | None:
    """Return a hook of the contract, or None if its class does not override it.

    Raises `DefinitionError` for a plain `def`.
    """
    if getattr(type(contract), name) is getattr(Contract, name):
        return None
    hook: Call = getattr(contract, name)
    if not inspect.iscoroutinefunction(hook):
        raise DefinitionError(f"{name} must be an `async def`")
    return hook
