"""One transaction's view of the ledger at one peer: reads, collected writes, what is forbidden.

It follows Fabric's `core/ledger/kvledger/txmgmt/txmgr`, in the words of its errors too.
"""

from collections.abc import Mapping, Sequence

from medfab_chaincode.testing._definitions import ChaincodeDefinition
from medfab_chaincode.testing._lifecycle import LIFECYCLE, definition_keys
from medfab_chaincode.testing._range_scan import RangeScan
from medfab_chaincode.testing._read_write_set import MetadataEntries, ReadWriteSet, sha256
from medfab_chaincode.testing._refusal import RefusalError
from medfab_chaincode.testing._world import Space, Version, Versioned, World, in_range


class Simulation:
    """What one transaction reads and writes on one channel at the peer of one organisation."""

    def __init__(
        self,
        world: World,
        chaincodes: Mapping[str, ChaincodeDefinition],
        holder: str,
        transaction_id: str,
    ) -> None:
        self.world = world
        self.sets = ReadWriteSet()
        self.private_reads: set[tuple[str, str]] = set()
        """(chaincode, collection) of the private values that were read."""
        self._chaincodes = chaincodes
        self._holder = holder
        self._transaction_id = transaction_id
        self._scans: list[tuple[str, RangeScan]] = []
        self._has_written = False
        self._has_queried_private_data = False
        self._has_paged = False

    def finish(self) -> ReadWriteSet:
        """Return the read-write set with the range queries in it. Called once."""
        for chaincode, scan in self._scans:
            scan.record(self.sets, chaincode)
        return self.sets

    # -- definitions -------------------------------------------------------------------------

    def check_collection(self, chaincode: str, collection: str) -> None:
        """Refuse a collection that the chaincode does not have on this channel."""
        self.read_definition(chaincode)
        if collection not in self._chaincodes[chaincode].collections:
            raise RefusalError(
                f"collection [{collection}] not defined in the collection config for chaincode"
                f" [{chaincode}]"
            )

    def read_definition(self, chaincode: str) -> None:
        """Read the chaincode's definition, as every use of a collection does."""
        for key in definition_keys(chaincode):
            self._read(LIFECYCLE, key)

    def read_sequence(self, chaincode: str) -> None:
        """Read the sequence of the chaincode's definition, as every call of it does."""
        self._read(LIFECYCLE, definition_keys(chaincode)[-1])

    # -- reads -------------------------------------------------------------------------------

    def get_state(self, chaincode: str, key: str) -> bytes:
        found = self._read(chaincode, key)
        return b"" if found is None else found.value

    def get_state_metadata(self, chaincode: str, key: str) -> Mapping[str, bytes]:
        found = self._read(chaincode, key)
        return {} if found is None else found.metadata

    def get_private_data(self, chaincode: str, collection: str, key: str) -> bytes:
        self.check_collection(chaincode, collection)
        found = self.world.get(Space(chaincode, collection, self._holder), key)
        known = self.world.get(Space(chaincode, collection), sha256(key.encode()))
        if _version(found) != _version(known):
            raise RefusalError(
                "private data matching public hash version is not available. Public hash version"
                f" = {_height(known)}, Private data version = {_height(found)}"
            )
        return self._read_private(chaincode, collection, key, found)

    def get_private_data_many(
        self, chaincode: str, collection: str, keys: Sequence[str]
    ) -> list[bytes]:
        """Values that this peer has lost look absent here: Fabric does not compare versions."""
        self.check_collection(chaincode, collection)
        table = self.world.table(Space(chaincode, collection, self._holder))
        return [self._read_private(chaincode, collection, key, table.get(key)) for key in keys]

    def get_private_data_hash(self, chaincode: str, collection: str, key: str) -> bytes:
        found = self._read_hash(chaincode, collection, key)
        return b"" if found is None else found.value

    def get_private_data_metadata(
        self, chaincode: str, collection: str, key: str
    ) -> Mapping[str, bytes]:
        found = self._read_hash(chaincode, collection, key)
        return {} if found is None else found.metadata

    # -- ranges ------------------------------------------------------------------------------

    def scan(self, chaincode: str, start: str, end: str) -> RangeScan:
        items = in_range(self.world.table(Space(chaincode)), start, end)
        scan = RangeScan(items, start, end)
        self._scans.append((chaincode, scan))
        return scan

    def begin_paged_query(self) -> None:
        if self._has_written:
            raise self._unsupported(
                "Paginated queries are supported only in a read-only transaction"
            )
        self._has_paged = True

    def begin_private_query(self) -> None:
        if self._has_written:
            raise self._unsupported(
                "Queries on pvt data is supported only in a read-only transaction"
            )
        self._has_queried_private_data = True

    def scan_private(self, chaincode: str, collection: str, start: str, end: str) -> RangeScan:
        """Such a scan leaves no trace in the read-write set."""
        self.begin_private_query()
        self.check_collection(chaincode, collection)
        table = self.world.table(Space(chaincode, collection, self._holder))
        return RangeScan(in_range(table, start, end), start, end)

    # -- writes ------------------------------------------------------------------------------

    def set_state(self, chaincode: str, key: str, value: bytes) -> None:
        self._before_write()
        self.sets[chaincode].writes[key] = value

    def set_state_metadata(self, chaincode: str, key: str, metadata: MetadataEntries) -> None:
        self._before_write()
        self.sets[chaincode].metadata_writes[key] = metadata

    def set_private_data(self, chaincode: str, collection: str, key: str, value: bytes) -> None:
        self.check_collection(chaincode, collection)
        self._before_write()
        into = self.sets[chaincode].collections[collection]
        into.writes[key] = value
        into.purges.discard(key)

    def purge_private_data(self, chaincode: str, collection: str, key: str) -> None:
        self.set_private_data(chaincode, collection, key, b"")
        self.sets[chaincode].collections[collection].purges.add(key)

    def set_private_data_metadata(
        self, chaincode: str, collection: str, key: str, metadata: MetadataEntries
    ) -> None:
        self.check_collection(chaincode, collection)
        self._before_write()
        self.sets[chaincode].collections[collection].metadata_writes[key] = metadata

    # -- inside ------------------------------------------------------------------------------

    def _read(self, chaincode: str, key: str) -> Versioned | None:
        found = self.world.get(Space(chaincode), key)
        self.sets[chaincode].reads[key] = _version(found)
        return found

    def _read_private(
        self, chaincode: str, collection: str, key: str, found: Versioned | None
    ) -> bytes:
        self.sets[chaincode].collections[collection].reads[key] = _version(found)
        self.private_reads.add((chaincode, collection))
        return b"" if found is None else found.value

    def _read_hash(self, chaincode: str, collection: str, key: str) -> Versioned | None:
        self.check_collection(chaincode, collection)
        found = self.world.get(Space(chaincode, collection), sha256(key.encode()))
        self.sets[chaincode].collections[collection].reads[key] = _version(found)
        return found

    def _before_write(self) -> None:
        if self._has_queried_private_data:
            raise self._unsupported(
                "Transaction has already performed queries on pvt data. Writes are not allowed"
            )
        if self._has_paged:
            raise self._unsupported(
                "Transaction has already performed a paginated query. Writes are not allowed"
            )
        self._has_written = True

    def _unsupported(self, reason: str) -> RefusalError:
        # Fabric's own spelling.
        return RefusalError(f"txid [{self._transaction_id}]: unsuppored transaction. {reason}")


def _version(item: Versioned | None) -> Version | None:
    return None if item is None else item.version


def _height(item: Versioned | None) -> str:
    if item is None:
        return "<nil>"
    return f"{{BlockNum: {item.version.block}, TxNum: {item.version.transaction}}}"
