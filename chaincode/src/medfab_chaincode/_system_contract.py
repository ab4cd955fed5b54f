"""The contract that every chaincode has beside its own: it describes them all."""

from medfab_chaincode._contract import Context, Contract
from medfab_chaincode._definition import evaluate


class SystemContract(Contract):
    """Answers `org.hyperledger.fabric:GetMetadata`, as in the official contract APIs."""

    name = "org.hyperledger.fabric"

    metadata = ""
    """The answer, JSON; the router knows it once it has compiled all contracts."""

    @evaluate("GetMetadata")
    async def get_metadata(self, context: Context) -> str:
        """Return the metadata of the chaincode."""
        return self.metadata
