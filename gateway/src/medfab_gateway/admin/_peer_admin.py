# Made by scripts/make_sync.py from _peer_admin_async.py: change that, and run it.
"""Administration of one peer, through its system chaincodes."""

from __future__ import annotations

from contextlib import suppress

from fabric_protos.common import ledger_pb2
from fabric_protos.peer import query_pb2, transaction_pb2
from fabric_protos.peer.lifecycle import lifecycle_pb2

from medfab_gateway import _blocking
from medfab_gateway._block import Block
from medfab_gateway._block_decoder import decode_block
from medfab_gateway._closing import Closing
from medfab_gateway.admin._channel_config import ChannelConfig
from medfab_gateway.admin._ledger_facts import ChainInfo, InstalledChaincode, JoinOutcome
from medfab_gateway.admin._node import Node
from medfab_gateway.admin._packaging import package_id
from medfab_gateway.admin._snapshots import Snapshots
from medfab_gateway.admin.errors import PeerAdminError
from medfab_gateway.endpoint import Endpoint
from medfab_gateway.identity import Hash, Identity, Signer

_INSTALL_TIMEOUT = 300.0  # the peer's own default, chaincode.installTimeout


class PeerAdmin(Closing):
    """Administration of one peer.

        with PeerAdmin(endpoint, identity, signer) as peer:
            peer.join_channel(genesis_block)
            peer.install_chaincode(package)

    By Fabric's default ACLs, joining, installing and reading packages need an admin of the peer's
    own organisation, `channels` any member of it, and what names a channel a reader of that
    channel. Methods raise `PeerAdminError` where the peer answers no, and `GatewayError` where it
    does not answer within `timeout` seconds or does not know the identity.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        identity: Identity,
        signer: Signer,
        *,
        hash: Hash | None = None,
        channel: _blocking.Channel | None = None,
        timeout: float = 30.0,
    ) -> None:
        """Prepare; the first call connects.

        Args:
            endpoint: The peer.
            identity: Who calls.
            signer: Signs for the identity.
            hash: None for the one that goes with the identity's key.
            channel: An open channel to that endpoint, to share its connection; it is left open.
            timeout: Seconds for a call; installing has 300.
        """
        self._node = Node(endpoint, identity, signer, hash=hash, channel=channel, timeout=timeout)
        self.snapshots: Snapshots = Snapshots(self._node)
        """Snapshots of its channels."""

    def close(self) -> None:
        """Close the connection, unless it was supplied."""
        self._node.close()

    # --- channels ------------------------------------------------------------------------------

    def join_channel(self, genesis_block: bytes) -> JoinOutcome:
        """Join the channel of a serialised genesis block (block 0).

        Raises:
            ConfigError: The bytes are no configuration block.
        """
        channel_name = ChannelConfig.from_block(genesis_block).channel_name
        action = f"Joining channel {channel_name}"
        try:
            self._node.propose(action, "cscc", "JoinChain", genesis_block)
        except PeerAdminError:
            # Fabric says "already exists" only in prose; the list of channels is as good.
            with suppress(PeerAdminError):
                if channel_name in self.channels():
                    return JoinOutcome.ALREADY_JOINED
            raise
        return JoinOutcome.JOINED

    def channels(self) -> list[str]:
        """Names of the channels that the peer has joined, sorted."""
        payload = self._node.propose("Listing channels", "cscc", "GetChannels")
        response = query_pb2.ChannelQueryResponse.FromString(payload)
        return sorted(channel.channel_id for channel in response.channels)

    def channel_config(self, channel_name: str) -> ChannelConfig:
        """The configuration of a channel that is in force at the peer."""
        try:
            return ChannelConfig.from_block(self.config_block(channel_name))
        except PeerAdminError:
            # A peer that has joined with a snapshot has the configuration, and no block of it.
            with suppress(PeerAdminError):
                config = self._node.propose(
                    f"Reading the configuration of {channel_name}",
                    "cscc",
                    "GetChannelConfig",
                    channel_name.encode(),
                    channel_name=channel_name,
                )
                return ChannelConfig(channel_name, config)
            raise

    def config_block(self, channel_name: str) -> bytes:
        """The newest configuration block that the peer has of a channel, serialised."""
        return self._node.propose(
            f"Reading the configuration of {channel_name}",
            "cscc",
            "GetConfigBlock",
            channel_name.encode(),
            channel_name=channel_name,
        )

    # --- the ledger ----------------------------------------------------------------------------

    def chain_info(self, channel_name: str) -> ChainInfo:
        """Height and hashes of a channel's ledger."""
        payload = self._ledger(
            f"Asking for the height of {channel_name}", "GetChainInfo", channel_name
        )
        info = ledger_pb2.BlockchainInfo.FromString(payload)
        return ChainInfo(
            height=info.height,
            current_block_hash=info.currentBlockHash,
            previous_block_hash=info.previousBlockHash,
        )

    def block_by_number(self, channel_name: str, number: int) -> Block:
        """The block of that number."""
        return decode_block(
            self._ledger(
                f"Reading block {number} of {channel_name}",
                "GetBlockByNumber",
                channel_name,
                str(number).encode(),
            )
        )

    def block_by_hash(self, channel_name: str, block_hash: bytes) -> Block:
        """The block whose header has that hash."""
        return decode_block(
            self._ledger(
                f"Reading block {block_hash.hex()} of {channel_name}",
                "GetBlockByHash",
                channel_name,
                block_hash,
            )
        )

    def block_by_transaction(self, channel_name: str, transaction_id: str) -> Block:
        """The block that a transaction is in."""
        return decode_block(
            self._ledger(
                f"Reading the block of transaction {transaction_id} of {channel_name}",
                "GetBlockByTxID",
                channel_name,
                transaction_id.encode(),
            )
        )

    def processed_transaction(self, channel_name: str, transaction_id: str) -> bytes:
        """A serialised `protos.ProcessedTransaction`: the envelope, and how it was validated."""
        payload = self._ledger(
            f"Reading transaction {transaction_id} of {channel_name}",
            "GetTransactionByID",
            channel_name,
            transaction_id.encode(),
        )
        transaction_pb2.ProcessedTransaction.FromString(payload)
        return payload

    # --- packages ------------------------------------------------------------------------------

    def install_chaincode(self, package: bytes) -> str:
        """Install a package, unless it is installed; returns its package id.

        Raises:
            PackageError: The bytes are no package.
        """
        expected_id = package_id(package)
        arguments = lifecycle_pb2.InstallChaincodeArgs(chaincode_install_package=package)
        try:
            payload = self._node.propose(
                f"Installing {expected_id}",
                "_lifecycle",
                "InstallChaincode",
                arguments.SerializeToString(),
                timeout=max(self._node.timeout, _INSTALL_TIMEOUT),
            )
        except PeerAdminError:
            with suppress(PeerAdminError):
                installed = self.installed_chaincodes()
                if expected_id in {chaincode.package_id for chaincode in installed}:
                    return expected_id
            raise
        return str(lifecycle_pb2.InstallChaincodeResult.FromString(payload).package_id)

    def installed_chaincodes(self) -> list[InstalledChaincode]:
        """The packages on the peer, sorted by package id."""
        payload = self._node.propose(
            "Listing installed chaincodes",
            "_lifecycle",
            "QueryInstalledChaincodes",
            lifecycle_pb2.QueryInstalledChaincodesArgs().SerializeToString(),
        )
        result = lifecycle_pb2.QueryInstalledChaincodesResult.FromString(payload)
        return sorted(
            map(InstalledChaincode.from_message, result.installed_chaincodes),
            key=lambda chaincode: chaincode.package_id,
        )

    def installed_package(self, package_id: str) -> bytes:
        """An installed package, the very bytes that were installed."""
        arguments = lifecycle_pb2.GetInstalledChaincodePackageArgs(package_id=package_id)
        payload = self._node.propose(
            f"Reading the package {package_id}",
            "_lifecycle",
            "GetInstalledChaincodePackage",
            arguments.SerializeToString(),
        )
        result = lifecycle_pb2.GetInstalledChaincodePackageResult.FromString(payload)
        return bytes(result.chaincode_install_package)

    def _ledger(self, action: str, function: str, channel_name: str, *arguments: bytes) -> bytes:
        return self._node.propose(
            action,
            "qscc",
            function,
            channel_name.encode(),
            *arguments,
            channel_name=channel_name,
        )
