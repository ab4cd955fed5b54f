"""Whether a caller may read or write a collection through the contract."""

from medfab_chaincode.testing._definitions import ChaincodeDefinition, Collection, is_implicit
from medfab_chaincode.testing._refusal import RefusalError
from medfab_chaincode.testing._simulation import Simulation


class CollectionAccess:
    """What the caller of one transaction may do with the collections of one chaincode."""

    def __init__(
        self,
        channel_id: str,
        chaincode: ChaincodeDefinition,
        creator_msp_id: str,
        simulation: Simulation,
    ) -> None:
        self._channel_id = channel_id
        self._chaincode = chaincode
        self._creator_msp_id = creator_msp_id
        self._simulation = simulation

    def check_read(self, name: str) -> None:
        """Raise `RefusalError` where the caller may not read the collection."""
        collection = self._find(name)
        if collection is not None and collection.member_only_read:
            self._check_member(collection, "read")

    def check_write(self, name: str) -> None:
        """Raise `RefusalError` where the caller may not write to the collection."""
        collection = self._find(name)
        if collection is not None and collection.member_only_write:
            self._check_member(collection, "write")

    def _find(self, name: str) -> Collection | None:
        """Find a collection; None for what looks like one of an unknown organisation.

        Fabric takes such a name here, and refuses it when it is used.
        """
        self._simulation.read_definition(self._chaincode.name)
        found = self._chaincode.collections.get(name)
        if found is None and not is_implicit(name):
            raise RefusalError(
                f"collection {self._channel_id}/{self._chaincode.name}/{name} could not be found"
            )
        return found

    def _check_member(self, collection: Collection, access: str) -> None:
        if self._creator_msp_id not in collection.members:
            raise RefusalError(
                f"tx creator does not have {access} access permission on privatedata in"
                f" chaincodeName:{self._chaincode.name} collectionName: {collection.name}"
            )
