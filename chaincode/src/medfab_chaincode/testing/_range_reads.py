"""What a range query read, in the form that a block keeps for the check for phantoms."""

import hashlib
from collections.abc import Iterable
from typing import Any

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from medfab_chaincode.testing._world import Version

_MAX_DEGREE = 50
"""More results than this are kept as hashes (Fabric's `maxDegreeQueryReadsHashing`)."""


def kv_read(key: str, version: Version | None) -> Any:
    """Build a `kvrwset.KVRead`."""
    read = kv_rwset_pb2.KVRead(key=key)
    if version is not None:
        read.version.CopyFrom(proto_version(version))
    return read


def proto_version(version: Version) -> Any:
    """Build a `kvrwset.Version`."""
    return kv_rwset_pb2.Version(block_num=version.block, tx_num=version.transaction)


def range_query_info(
    start: str, end: str, *, exhausted: bool, reads: Iterable[tuple[str, Version]]
) -> Any:
    """Build a `kvrwset.RangeQueryInfo`: the reads, or a summary of their hashes if many."""
    info = kv_rwset_pb2.RangeQueryInfo(start_key=start, end_key=end, itr_exhausted=exhausted)
    found = [kv_read(key, version) for key, version in reads]
    if len(found) > _MAX_DEGREE:
        info.reads_merkle_hashes.CopyFrom(_summary(found))
    elif found:
        info.raw_reads.kv_reads.extend(found)
    return info


def _summary(reads: list[Any]) -> Any:
    levels = _Levels()
    width = _MAX_DEGREE + 1  # Fabric hashes a group once it has grown over the degree
    for start in range(0, len(reads), width):
        group = kv_rwset_pb2.QueryReads(kv_reads=reads[start : start + width])
        levels.add(hashlib.sha256(group.SerializeToString()).digest())
    level, hashes = levels.finish()
    return kv_rwset_pb2.QueryReadsMerkleSummary(
        max_degree=_MAX_DEGREE, max_level=level, max_level_hashes=hashes
    )


class _Levels:
    """The Merkle tree of Fabric's `rwsetutil`: only the hashes not yet joined are kept."""

    def __init__(self) -> None:
        self._hashes: list[list[bytes]] = [[]]

    def add(self, leaf: bytes) -> None:
        self._hashes[0].append(leaf)
        for level, hashes in enumerate(self._hashes):
            if len(hashes) <= _MAX_DEGREE:
                return
            if level + 1 == len(self._hashes):
                self._hashes.append([])
            self._hashes[level + 1].append(_joined(hashes))
            hashes.clear()

    def finish(self) -> tuple[int, list[bytes]]:
        """Return the number of the highest level, from 1, and its hashes."""
        for level, hashes in enumerate(self._hashes[:-1]):
            if hashes:
                lone = len(hashes) == 1
                self._hashes[level + 1].append(hashes[0] if lone else _joined(hashes))
        highest = self._hashes[-1]
        if len(highest) > _MAX_DEGREE:
            return len(self._hashes) + 1, [_joined(highest)]
        return len(self._hashes), highest


def _joined(hashes: list[bytes]) -> bytes:
    return hashlib.sha256(b"".join(hashes)).digest()
