"""Running one transaction: whatever the contract does, exactly one outcome."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, NoReturn

from medfab_chaincode import _keys
from medfab_chaincode._canonical import canonical_json
from medfab_chaincode._chaincode import Chaincode
from medfab_chaincode._conversation import Conversation
from medfab_chaincode._log import describe_failure
from medfab_chaincode._router import UNKNOWN, Router
from medfab_chaincode._stub import Stub
from medfab_chaincode._transport import PAYLOAD_BYTES
from medfab_chaincode.errors import ChaincodeError, ContractError

_log = logging.getLogger("medfab_chaincode.contract")

ERROR_THRESHOLD = 400
"""The lowest status with which a peer takes a response for a refusal."""

RAW = "invoke"
"""What the log calls every function of a chaincode without the contract API."""

_INTERNAL_MESSAGE = canonical_json(
    {
        "code": "INTERNAL",
        "message": "the contract failed; see the chaincode log of the endorsing organisation",
    }
).decode()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a transaction ended: what goes into COMPLETED, and the function for the log."""

    function: str
    status: int
    message: str = ""
    payload: bytes = b""
    event: Any = None


class Executor:
    """Runs transactions. Never raises, except when it is cancelled."""

    def __init__(self, target: Router | Chaincode, *, msp_id: str = "") -> None:
        self._target = target
        self._msp_id = msp_id

    async def execute(
        self, conversation: Conversation, *, payload: bytes, proposal: Any
    ) -> Outcome:
        """Call the contract and send its writes if it succeeds."""
        function = UNKNOWN
        try:
            stub = Stub.from_message(
                conversation, payload=payload, proposal=proposal, msp_id=self._msp_id
            )
            if isinstance(self._target, Chaincode):
                function = RAW
                return await _invoke(self._target, stub)
            route = self._target.resolve(stub.function)
            function = route.wire_name
            result = await route.run(stub)
            if len(result) > PAYLOAD_BYTES:
                _too_large()
            await stub.flush()
            return Outcome(function=function, status=200, payload=result, event=stub.event)
        except ContractError as error:
            return _refusal(function, error)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or (task.cancelling() and not conversation.abandoned):
                raise  # the process ends
            failure: BaseException = error  # the contract cancelled something of its own
        except (Exception, SystemExit) as error:
            failure = error
        if not conversation.abandoned:
            _log.error(
                "the contract failed",
                extra={
                    "transaction_id": conversation.transaction_id,
                    "function": function,
                    "error": describe_failure(failure),
                },
            )
        return Outcome(function=function, status=500, message=_INTERNAL_MESSAGE)


async def _invoke(chaincode: Chaincode, stub: Stub) -> Outcome:
    response = await chaincode.invoke(stub)
    if response.status not in range(200, 600):
        raise ChaincodeError("the status of a response is 200 to 599")
    if response.status < ERROR_THRESHOLD:
        if len(response.payload) > PAYLOAD_BYTES:
            _too_large()
        await stub.flush()
    return Outcome(
        function=RAW,
        status=response.status,
        message=_keys.encodable(response.message, "a response's message"),
        payload=response.payload,
        event=stub.event,
    )


def _refusal(function: str, error: ContractError) -> Outcome:
    try:
        message = canonical_json(error.document).decode()
    except ChaincodeError:  # a code or a message that is no UTF-8 text
        return Outcome(function=function, status=500, message=_INTERNAL_MESSAGE)
    return Outcome(function=function, status=error.status, message=message)


def _too_large() -> NoReturn:
    raise ChaincodeError(f"a result is at most {PAYLOAD_BYTES} bytes")
