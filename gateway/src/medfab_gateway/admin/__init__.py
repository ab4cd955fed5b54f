"""Administration of channels, peers, orderers and chaincodes.

    from medfab_gateway.admin import AsyncLifecycle, AsyncPeerAdmin, ChaincodeDefinition
    from medfab_gateway.admin import package_ccaas

    package = package_ccaas("ehr_1.0")
    async with AsyncPeerAdmin(endpoint, admin, signer) as peer:
        await peer.join_channel(genesis_block)
        package_id = await peer.install_chaincode(package)
    lifecycle = AsyncLifecycle(gateway.network("care"))
    definition = ChaincodeDefinition(name="ehr", version="1.0", sequence=1)
    await lifecycle.approve(definition, package_id, msp_id="HospitalMSP")

Everything may be repeated: what stands already is left as it is. Names without `Async` are the
same for programs without asyncio.
"""

from medfab_gateway.admin._channel_admin import ChannelAdmin
from medfab_gateway.admin._channel_admin_async import AsyncChannelAdmin
from medfab_gateway.admin._channel_config import ChannelConfig
from medfab_gateway.admin._collections import collection_config_package
from medfab_gateway.admin._config_changes import ConfigChange, UpdateState
from medfab_gateway.admin._config_editor import ConfigEditor
from medfab_gateway.admin._config_update import compute_update
from medfab_gateway.admin._config_update_request import ConfigSignature, ConfigUpdateRequest
from medfab_gateway.admin._definition import ApprovedDefinition, ChaincodeDefinition
from medfab_gateway.admin._discovered import DiscoveredConfig, DiscoveredPeer, Endorsers
from medfab_gateway.admin._discovery import Discovery
from medfab_gateway.admin._discovery_async import AsyncDiscovery
from medfab_gateway.admin._ledger_facts import ChainInfo, InstalledChaincode, JoinOutcome
from medfab_gateway.admin._lifecycle import Lifecycle
from medfab_gateway.admin._lifecycle_async import AsyncLifecycle
from medfab_gateway.admin._orderer import Orderer
from medfab_gateway.admin._orderer_admin import OrdererAdmin
from medfab_gateway.admin._orderer_admin_async import AsyncOrdererAdmin
from medfab_gateway.admin._orderer_async import AsyncOrderer
from medfab_gateway.admin._orderer_endpoints import orderer_endpoints
from medfab_gateway.admin._organization_definition import OrganizationDefinition
from medfab_gateway.admin._packaging import package_ccaas, package_id
from medfab_gateway.admin._participation import ChannelParticipation
from medfab_gateway.admin._peer_admin import PeerAdmin
from medfab_gateway.admin._peer_admin_async import AsyncPeerAdmin
from medfab_gateway.admin._policies import endorsement_policy, signature_policy
from medfab_gateway.admin._snapshots import Snapshots
from medfab_gateway.admin._snapshots_async import AsyncSnapshots
from medfab_gateway.admin.errors import (
    AdministrationError,
    CollectionError,
    ConfigError,
    ConfigUpdateError,
    DefinitionError,
    DiscoveryError,
    NoChangeError,
    OrdererAdminError,
    OrdererError,
    PackageError,
    PeerAdminError,
    PolicyError,
    UpdateConflictError,
    UpdateNotSignedError,
)

__all__ = [
    "AdministrationError",
    "ApprovedDefinition",
    "AsyncChannelAdmin",
    "AsyncDiscovery",
    "AsyncLifecycle",
    "AsyncOrderer",
    "AsyncOrdererAdmin",
    "AsyncPeerAdmin",
    "AsyncSnapshots",
    "ChainInfo",
    "ChaincodeDefinition",
    "ChannelAdmin",
    "ChannelConfig",
    "ChannelParticipation",
    "CollectionError",
    "ConfigChange",
    "ConfigEditor",
    "ConfigError",
    "ConfigSignature",
    "ConfigUpdateError",
    "ConfigUpdateRequest",
    "DefinitionError",
    "DiscoveredConfig",
    "DiscoveredPeer",
    "Discovery",
    "DiscoveryError",
    "Endorsers",
    "InstalledChaincode",
    "JoinOutcome",
    "Lifecycle",
    "NoChangeError",
    "Orderer",
    "OrdererAdmin",
    "OrdererAdminError",
    "OrdererError",
    "OrganizationDefinition",
    "PackageError",
    "PeerAdmin",
    "PeerAdminError",
    "PolicyError",
    "Snapshots",
    "UpdateConflictError",
    "UpdateNotSignedError",
    "UpdateState",
    "collection_config_package",
    "compute_update",
    "endorsement_policy",
    "orderer_endpoints",
    "package_ccaas",
    "package_id",
    "signature_policy",
]
