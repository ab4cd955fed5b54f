"""The Python client for Hyperledger Fabric's Gateway.

    from medfab_gateway import AsyncGateway, ConnectionProfile, FileSystemWallet

    profile = ConnectionProfile.load(".medfab/organizations/hospital/connection.json")
    practitioner = FileSystemWallet(".medfab/organizations/hospital/wallet").get("practitioner")

    async with AsyncGateway.connect(
        profile, practitioner.identity, practitioner.signer()
    ) as gateway:
        contract = gateway.network("care").contract("ehr")
        answer = await contract.evaluate("ListAccess")

The same without asyncio is :class:`Gateway`, with all that it leads to: the names lose ``Async``,
the calls block their thread.

`medfab_gateway.channel_config` has the types of a channel's configuration, as blocks hold it.
`medfab_gateway.telemetry` makes spans and metrics of what a gateway does.
`medfab_gateway.ca` is the client of a Fabric CA, `medfab_gateway.admin` administers channels and
chaincodes; all are imported by themselves.
"""

from importlib.metadata import version as _version

from medfab_gateway._block import Block
from medfab_gateway._block_decoder import decode_block
from medfab_gateway._block_json import block_json
from medfab_gateway._block_metadata import BlockMetadata, BlockSignature
from medfab_gateway._block_transaction import BlockTransaction
from medfab_gateway._commit import Commit
from medfab_gateway._commit_async import AsyncCommit
from medfab_gateway._contract import Contract
from medfab_gateway._contract_async import AsyncContract
from medfab_gateway._events._chaincode_event import CommittedEvent
from medfab_gateway._events._checkpoint import Checkpoint
from medfab_gateway._events._checkpointer import Checkpointer, InMemoryCheckpointer
from medfab_gateway._events._checkpointer_async import AsyncCheckpointer, AsyncInMemoryCheckpointer
from medfab_gateway._events._file_checkpointer import FileCheckpointer
from medfab_gateway._events._file_checkpointer_async import AsyncFileCheckpointer
from medfab_gateway._events._filtered_block import FilteredBlock, FilteredTransaction
from medfab_gateway._events._private_data import BlockAndPrivateData, PrivateWrites
from medfab_gateway._events._reconnect import Reconnect
from medfab_gateway._events._requests import (
    BlockAndPrivateDataEventsRequest,
    BlockEventsRequest,
    ChaincodeEventsRequest,
    FilteredBlockEventsRequest,
)
from medfab_gateway._events._requests_async import (
    AsyncBlockAndPrivateDataEventsRequest,
    AsyncBlockEventsRequest,
    AsyncChaincodeEventsRequest,
    AsyncFilteredBlockEventsRequest,
)
from medfab_gateway._events._stream import EventStream
from medfab_gateway._events._stream_async import AsyncEventStream
from medfab_gateway._gateway import Gateway
from medfab_gateway._gateway_async import AsyncGateway
from medfab_gateway._network import Network
from medfab_gateway._network_async import AsyncNetwork
from medfab_gateway._observation import Observer, Operation
from medfab_gateway._offline import Offline
from medfab_gateway._offline_async import AsyncOffline
from medfab_gateway._options import GatewayOptions
from medfab_gateway._proposal import Proposal
from medfab_gateway._proposal_async import AsyncProposal
from medfab_gateway._read_write_set import CollectionReadWriteSet, NamespaceReadWriteSet
from medfab_gateway._reads_and_writes import (
    HashedMetadataWrite,
    HashedRead,
    HashedWrite,
    MetadataWrite,
    RangeQuery,
    Read,
    Version,
    Write,
)
from medfab_gateway._results import json_result, text_result
from medfab_gateway._retry_options import RetryOptions
from medfab_gateway._status import Status
from medfab_gateway._transaction import SubmittedTransaction, Transaction
from medfab_gateway._transaction_async import AsyncSubmittedTransaction, AsyncTransaction
from medfab_gateway._transaction_parts import (
    ChaincodeEvent,
    ChaincodeResponse,
    Creator,
    Endorser,
)
from medfab_gateway.endpoint import Endpoint
from medfab_gateway.errors import (
    BlockDecodeError,
    ChaincodeFailure,
    CheckpointError,
    CommitError,
    CommitStatusError,
    ConnectionFailedError,
    DeliverError,
    EndorseError,
    EndpointError,
    ErrorDetail,
    EvaluateError,
    GatewayError,
    HsmError,
    IdentityError,
    IdentityNotFoundError,
    MedfabError,
    MissingExtraError,
    OutcomeUnknownError,
    ProfileError,
    RequestLimitError,
    ResultError,
    SignableError,
    SigningError,
    SubmitError,
    WalletError,
)
from medfab_gateway.identity import Hash, Identity, Signer, WaitingSigner, private_key_signer
from medfab_gateway.profile import CertificateAuthorityProfile, ConnectionProfile
from medfab_gateway.wallet import FileSystemWallet, InMemoryWallet, Wallet, WalletEntry

__version__ = _version("medfab-gateway")

__all__ = [
    "AsyncBlockAndPrivateDataEventsRequest",
    "AsyncBlockEventsRequest",
    "AsyncChaincodeEventsRequest",
    "AsyncCheckpointer",
    "AsyncCommit",
    "AsyncContract",
    "AsyncEventStream",
    "AsyncFileCheckpointer",
    "AsyncFilteredBlockEventsRequest",
    "AsyncGateway",
    "AsyncInMemoryCheckpointer",
    "AsyncNetwork",
    "AsyncOffline",
    "AsyncProposal",
    "AsyncSubmittedTransaction",
    "AsyncTransaction",
    "Block",
    "BlockAndPrivateData",
    "BlockAndPrivateDataEventsRequest",
    "BlockDecodeError",
    "BlockEventsRequest",
    "BlockMetadata",
    "BlockSignature",
    "BlockTransaction",
    "CertificateAuthorityProfile",
    "ChaincodeEvent",
    "ChaincodeEventsRequest",
    "ChaincodeFailure",
    "ChaincodeResponse",
    "Checkpoint",
    "CheckpointError",
    "Checkpointer",
    "CollectionReadWriteSet",
    "Commit",
    "CommitError",
    "CommitStatusError",
    "CommittedEvent",
    "ConnectionFailedError",
    "ConnectionProfile",
    "Contract",
    "Creator",
    "DeliverError",
    "EndorseError",
    "Endorser",
    "Endpoint",
    "EndpointError",
    "ErrorDetail",
    "EvaluateError",
    "EventStream",
    "FileCheckpointer",
    "FileSystemWallet",
    "FilteredBlock",
    "FilteredBlockEventsRequest",
    "FilteredTransaction",
    "Gateway",
    "GatewayError",
    "GatewayOptions",
    "Hash",
    "HashedMetadataWrite",
    "HashedRead",
    "HashedWrite",
    "HsmError",
    "Identity",
    "IdentityError",
    "IdentityNotFoundError",
    "InMemoryCheckpointer",
    "InMemoryWallet",
    "MedfabError",
    "MetadataWrite",
    "MissingExtraError",
    "NamespaceReadWriteSet",
    "Network",
    "Observer",
    "Offline",
    "Operation",
    "OutcomeUnknownError",
    "PrivateWrites",
    "ProfileError",
    "Proposal",
    "RangeQuery",
    "Read",
    "Reconnect",
    "RequestLimitError",
    "ResultError",
    "RetryOptions",
    "SignableError",
    "Signer",
    "SigningError",
    "Status",
    "SubmitError",
    "SubmittedTransaction",
    "Transaction",
    "Version",
    "WaitingSigner",
    "Wallet",
    "WalletEntry",
    "WalletError",
    "Write",
    "block_json",
    "decode_block",
    "json_result",
    "private_key_signer",
    "text_result",
]
