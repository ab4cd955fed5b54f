"""A channel: its organisations, what is deployed on it, and its state now."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from medfab_chaincode._chaincode import Chaincode
from medfab_chaincode._contract import Contract
from medfab_chaincode._execution import Executor
from medfab_chaincode._router import Router
from medfab_chaincode.testing._definitions import ChaincodeDefinition
from medfab_chaincode.testing._lifecycle import LIFECYCLE, definition_keys
from medfab_chaincode.testing._world import Space, Version, Versioned, World


class Channel:
    """What the peers of a channel share; only `deploy` and commits change it."""

    def __init__(
        self, channel_id: str, organizations: tuple[str, ...], others: "Sequence[Channel]"
    ) -> None:
        self.id = channel_id
        self.organizations = organizations
        self.others = {other.id: other for other in others}
        """The channels that its peers have joined besides."""
        self.chaincodes: dict[str, ChaincodeDefinition] = {}
        self.world = World(MappingProxyType({}), MappingProxyType({}), height=1)
        self.transaction_ids: set[str] = set()
        """Those in the chain, the invalid ones too."""
        self._executors: dict[tuple[str, str], Executor] = {}

    def deploy(self, chaincode: ChaincodeDefinition) -> None:
        """Define a chaincode in a block of its own, and start its process at every organisation.

        Raises `DefinitionError` if a contract cannot be served, and `ValueError` if an earlier
        definition had a collection that is missing now.
        """
        before = self.chaincodes.get(chaincode.name)
        if before and (lost := sorted(before.collections.keys() - chaincode.collections.keys())):
            raise ValueError(f"collection {lost[0]!r} is missing: a collection stays for ever")
        for msp_id in self.organizations:
            self._executors[msp_id, chaincode.name] = _executor(chaincode)
        self.chaincodes[chaincode.name] = chaincode
        defined = Versioned(b"defined", Version(self.world.height, 0))
        keys = definition_keys(chaincode.name)
        world = self.world.updated({(Space(LIFECYCLE), key): defined for key in keys})
        self.world = replace(world, height=self.world.height + 1)

    def executor(self, msp_id: str, chaincode: str) -> Executor:
        """Return the process of a deployed chaincode at an organisation."""
        return self._executors[msp_id, chaincode]

    def put_initial(self, updates: Mapping[tuple[Space, str | bytes], bytes]) -> None:
        """Put state there as if an earlier block had written it."""
        version = Version(0, 0)
        self.world = self.world.updated(
            {place: Versioned(value, version) for place, value in updates.items()}
        )


def _executor(definition: ChaincodeDefinition) -> Executor:
    contracts = [make() for make in definition.contracts]
    if isinstance(contracts[0], Chaincode):
        return Executor(contracts[0])
    return Executor(Router([each for each in contracts if isinstance(each, Contract)]))
