"""Administration of one peer, through its system chaincodes."""

from __future__ import annotations

import enum
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from fabric_protos.common import common_pb2, ledger_pb2
from fabric_protos.peer import peer_pb2_grpc, proposal_pb2, query_pb2
from fabric_protos.peer.lifecycle import lifecycle_pb2
from google.protobuf.message import DecodeError

from medfab_gateway._aio import sign
from medfab_gateway._closing_async import AsyncClosing
from medfab_gateway._messages.proposal import NONCE_BYTES, build_proposal
from medfab_gateway._rpc_errors import translate_rpc_error
from medfab_gateway.admin._packaging import package_id
from medfab_gateway.admin.errors import AdministrationError, PeerAdminError
from medfab_gateway.endpoint import Endpoint
from medfab_gateway.errors import GatewayError
from medfab_gateway.identity import Hash, Identity, Signer

_SUCCESS_BELOW = 400  # shim: statuses from 400 on are errors
_INSTALL_TIMEOUT = 300.0  # the peer's own default, chaincode.installTimeout


class JoinOutcome(enum.Enum):
    """What joining a channel came to."""

    JOINED = "joined"
    """The node has joined now."""
    ALREADY_JOINED = "already joined"
    """It had joined before; nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class ChainInfo:
    """The ledger of a channel at one peer."""

    height: int
    """Number of blocks; the newest is `height - 1`."""
    current_block_hash: bytes
    """Hash of the newest block's header."""
    previous_block_hash: bytes
    """Hash of the header of the block before it; empty for the genesis block."""


@dataclass(frozen=True, kw_only=True)
class InstalledChaincode:
    """A package on a peer."""

    package_id: str
    """`label:sha256`."""
    label: str
    """Label of the package."""
    references: dict[str, tuple[tuple[str, str], ...]]
    """Channel → (name, version) of the definitions that use it."""


class PeerAdmin(AsyncClosing):
    """Administration of one peer.

        async with PeerAdmin(endpoint, identity, signer) as peer:
            await peer.join_channel(genesis_block)
            await peer.install_chaincode(package)

    By Fabric's default ACLs, joining and installing need an admin of the peer's own organisation,
    `channels` any member of it, and `chain_info` a reader of the channel. Methods raise
    `PeerAdminError` where the peer answers no, and `GatewayError` where it does not answer within
    `timeout` seconds or does not know the identity.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        identity: Identity,
        signer: Signer,
        *,
        hash: Hash | None = None,
        channel: grpc.aio.Channel | None = None,
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
        self._address = endpoint.address
        self._identity = identity
        self._signer = signer
        self._hash = hash or identity.default_hash()
        self._own_channel = endpoint.open_channel() if channel is None else None
        self._endorser = peer_pb2_grpc.EndorserStub(channel or self._own_channel)
        self._timeout = timeout

    async def close(self) -> None:
        """Close the connection, unless it was supplied."""
        if self._own_channel is not None:
            await self._own_channel.close()

    async def join_channel(self, genesis_block: bytes) -> JoinOutcome:
        """Join the channel of a serialised genesis block (block 0)."""
        channel_name = _channel_of(genesis_block)
        try:
            await self._call(f"Joining channel {channel_name}", "cscc", "JoinChain", genesis_block)
        except PeerAdminError:
            # Fabric says "already exists" only in prose; the list of channels is as good.
            with suppress(PeerAdminError):
                if channel_name in await self.channels():
                    return JoinOutcome.ALREADY_JOINED
            raise
        return JoinOutcome.JOINED

    async def channels(self) -> list[str]:
        """Names of the channels that the peer has joined, sorted."""
        payload = await self._call("Listing channels", "cscc", "GetChannels")
        response = query_pb2.ChannelQueryResponse.FromString(payload)
        return sorted(channel.channel_id for channel in response.channels)

    async def chain_info(self, channel_name: str) -> ChainInfo:
        """Height and hashes of a channel's ledger."""
        payload = await self._call(
            f"Asking for the height of {channel_name}",
            "qscc",
            "GetChainInfo",
            channel_name.encode(),
            channel_name=channel_name,
        )
        info = ledger_pb2.BlockchainInfo.FromString(payload)
        return ChainInfo(
            height=info.height,
            current_block_hash=info.currentBlockHash,
            previous_block_hash=info.previousBlockHash,
        )

    async def install_chaincode(self, package: bytes) -> str:
        """Install a package, unless it is installed; returns its package id.

        Raises:
            PackageError: The bytes are no package.
        """
        expected_id = package_id(package)
        arguments = lifecycle_pb2.InstallChaincodeArgs(chaincode_install_package=package)
        try:
            payload = await self._call(
                f"Installing {expected_id}",
                "_lifecycle",
                "InstallChaincode",
                arguments.SerializeToString(),
                timeout=max(self._timeout, _INSTALL_TIMEOUT),
            )
        except PeerAdminError:
            with suppress(PeerAdminError):
                installed = await self.installed_chaincodes()
                if expected_id in {chaincode.package_id for chaincode in installed}:
                    return expected_id
            raise
        return str(lifecycle_pb2.InstallChaincodeResult.FromString(payload).package_id)

    async def installed_chaincodes(self) -> list[InstalledChaincode]:
        """The packages on the peer, sorted by package id."""
        payload = await self._call(
            "Listing installed chaincodes",
            "_lifecycle",
            "QueryInstalledChaincodes",
            lifecycle_pb2.QueryInstalledChaincodesArgs().SerializeToString(),
        )
        result = lifecycle_pb2.QueryInstalledChaincodesResult.FromString(payload)
        return sorted(
            (_installed(chaincode) for chaincode in result.installed_chaincodes),
            key=lambda chaincode: chaincode.package_id,
        )

    async def _call(
        self,
        action: str,
        chaincode_name: str,
        function: str,
        *arguments: bytes,
        channel_name: str = "",
        timeout: float | None = None,
    ) -> bytes:
        """Payload of the answer; without a channel name the peer's own MSP decides."""
        proposal = build_proposal(
            identity=self._identity,
            channel_id=channel_name,
            chaincode_name=chaincode_name,
            args=[function.encode(), *arguments],
            transient={},
            nonce=os.urandom(NONCE_BYTES),
            timestamp_ns=time.time_ns(),
        )
        digest = self._hash.digest(proposal.proposal_bytes)
        signed = proposal_pb2.SignedProposal(
            proposal_bytes=proposal.proposal_bytes, signature=await sign(self._signer, digest)
        )
        timeout = timeout or self._timeout
        try:
            answer = await self._endorser.ProcessProposal(signed, timeout=timeout)
        except grpc.aio.AioRpcError as error:
            raise translate_rpc_error(
                error,
                GatewayError,
                action=f"{action} at {self._address}",
                address=self._address,
                timeout=timeout,
            ) from error
        if answer.response.status >= _SUCCESS_BELOW:
            message = answer.response.message
            raise PeerAdminError(
                f"{action} failed",
                address=self._address,
                message=message,
                status=answer.response.status,
                advice=_advice(message, self._identity.msp_id),
            )
        payload: bytes = answer.response.payload
        return payload


def _installed(message: Any) -> InstalledChaincode:
    return InstalledChaincode(
        package_id=message.package_id,
        label=message.label,
        references={
            channel: tuple(
                (each.name, each.version) for each in message.references[channel].chaincodes
            )
            for channel in sorted(message.references)
        },
    )


def _advice(message: str, msp_id: str) -> str:
    if "access denied" in message or "ACL check" in message:
        return (
            f"The peer wants an admin of its own organisation here, and takes the {msp_id} "
            "identity for none: with NodeOUs, its certificate needs OU=admin (type admin)"
        )
    if "could not build chaincode" in message:
        return (
            "No external builder took the package, or it failed: see "
            "chaincode.externalBuilders in core.yaml and the peer's log"
        )
    return ""


def _channel_of(block: bytes) -> str:
    try:
        envelope = common_pb2.Envelope.FromString(common_pb2.Block.FromString(block).data.data[0])
        header = common_pb2.Payload.FromString(envelope.payload).header
        channel_name = common_pb2.ChannelHeader.FromString(header.channel_header).channel_id
    except (DecodeError, IndexError) as error:
        raise AdministrationError(
            "The bytes are no configuration block: give the file that configtxgen -outputBlock "
            "writes, or a block fetched from an orderer"
        ) from error
    return str(channel_name)
