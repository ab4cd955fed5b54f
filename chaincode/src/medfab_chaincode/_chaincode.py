"""A chaincode without the contract API: one function that gets the stub."""

from abc import ABC, abstractmethod

from medfab_chaincode._chaincode_call import Response
from medfab_chaincode._stub import Stub


class Chaincode(ABC):
    """What `serve` calls for every transaction, for those who route and parse by themselves.

    ::

        class Echo(Chaincode):
            async def invoke(self, stub: Stub) -> Response:
                return Response(200, "", b" ".join(stub.args))

    One instance serves all transactions at once: keep nothing in `self` that a transaction
    changes.
    """

    @abstractmethod
    async def invoke(self, stub: Stub) -> Response:
        """Run one transaction.

        A status of 400 or more refuses it: nothing is written, and the client gets the status
        and the message (the payload does not reach it). An exception is answered as one that a
        contract raises: status 500 without its text, or the status of a `ContractError`.
        """
