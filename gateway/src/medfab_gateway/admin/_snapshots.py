# Made by scripts/make_sync.py from _snapshots_async.py: change that, and run it.
"""Snapshots of a channel at one peer: asked for there, and joined with at another."""

from __future__ import annotations

import secrets
import time
from pathlib import PurePath
from typing import Any

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.peer import query_pb2, snapshot_pb2

from medfab_gateway import _blocking
from medfab_gateway._messages.proposal import NONCE_BYTES
from medfab_gateway._method import CANCEL_SNAPSHOT, PENDING_SNAPSHOTS, REQUEST_SNAPSHOT, Method
from medfab_gateway.admin._node import Node
from medfab_gateway.admin.errors import PeerAdminError
from medfab_gateway.errors import GatewayError

_POLL_SECONDS = 0.2


class Snapshots:
    """The snapshots of one peer, as `PeerAdmin.snapshots`.

        peer.snapshots.request("care")               # at once, of the newest block
        ...                                                # its folder is copied to another peer
        other.snapshots.join("/var/snapshots/care/1042")

    A snapshot has the state, and the hashes of private data, as of one block; it has no blocks
    before it, and no private data. It is written to `ledger.snapshots.rootDir` of the peer, in
    `completed/CHANNEL/BLOCK`. By Fabric's default ACLs an admin of the peer's own organisation may
    do all this. Methods raise as those of `PeerAdmin`.
    """

    def __init__(self, node: Node) -> None:
        self._node = node

    def request(self, channel_name: str, block_number: int | None = None) -> None:
        """Ask for a snapshot as of a block that is still to come; None: of the newest one now.

        Returns at once. Asking twice for the same block is a `PeerAdminError`.
        """
        self._call(
            REQUEST_SNAPSHOT,
            f"Asking for a snapshot of {channel_name}",
            snapshot_pb2.SnapshotRequest(channel_id=channel_name, block_number=block_number or 0),
        )

    def cancel(self, channel_name: str, block_number: int) -> None:
        """Take a request back that has not been begun with."""
        self._call(
            CANCEL_SNAPSHOT,
            f"Cancelling the snapshot of {channel_name} at block {block_number}",
            snapshot_pb2.SnapshotRequest(channel_id=channel_name, block_number=block_number),
        )

    def pending(self, channel_name: str) -> list[int]:
        """Numbers of the blocks of which snapshots are to be made, or are being made."""
        answer = self._call(
            PENDING_SNAPSHOTS,
            f"Listing the snapshots of {channel_name}",
            snapshot_pb2.SnapshotQuery(channel_id=channel_name),
        )
        return sorted(answer.block_numbers)

    def join(self, folder: PurePath | str) -> None:
        """Let the peer join the channel of a snapshot, in a folder that *it* can read.

        Returns at once; `joining` says when it is done. One at a time.
        """
        self._node.propose(
            "Joining with a snapshot", "cscc", "JoinChainBySnapshot", str(folder).encode()
        )

    def joining(self) -> str | None:
        """The folder of the snapshot that the peer is joining with now; None: of none."""
        payload = self._node.propose(
            "Asking for the state of joining", "cscc", "JoinBySnapshotStatus"
        )
        status = query_pb2.JoinBySnapshotStatus.FromString(payload)
        return str(status.bootstrapping_snapshot_dir) if status.in_progress else None

    def wait_until_joined(self, channel_name: str, *, timeout: float = 600.0) -> None:
        """Wait until a `join` is done; a `PeerAdminError` where the channel is not there then."""
        deadline = time.monotonic() + timeout
        while self.joining() is not None:
            if time.monotonic() > deadline:
                raise self._error(
                    f"Joining {channel_name} with a snapshot", f"not done in {timeout:.0f} s"
                )
            _blocking.sleep(_POLL_SECONDS)
        payload = self._node.propose("Listing channels", "cscc", "GetChannels")
        channels = query_pb2.ChannelQueryResponse.FromString(payload).channels
        if channel_name not in {channel.channel_id for channel in channels}:
            raise self._error(
                f"Joining {channel_name} with a snapshot", "the peer gave up; its log says why"
            )

    def _call(self, method: Method, action: str, request: Any) -> Any:
        request.signature_header.CopyFrom(
            common_pb2.SignatureHeader(
                creator=self._node.identity.serialized, nonce=secrets.token_bytes(NONCE_BYTES)
            )
        )
        serialized = request.SerializeToString()
        signed = snapshot_pb2.SignedSnapshotRequest(
            request=serialized, signature=self._node.sign(serialized)
        )
        try:
            return self._node.call(method, signed, action=f"{action} at {self._node.address}")
        except GatewayError as error:
            cause = error.__cause__
            if isinstance(cause, grpc.RpcError) and cause.code() is grpc.StatusCode.UNKNOWN:
                raise self._error(action, cause.details() or "") from error  # the peer's own no
            raise

    def _error(self, action: str, message: str) -> PeerAdminError:
        return PeerAdminError(
            f"{action} failed",
            address=self._node.address,
            message=message,
            status=None,
            advice=_ADVICE if "access denied" in message or "policy" in message else "",
        )


_ADVICE = "The peer wants an admin of its own organisation here"
