"""Administration of peers, orderers and chaincodes.

    from medfab_gateway.admin import ChaincodeDefinition, Lifecycle, PeerAdmin, package_ccaas

    package = package_ccaas("ehr_1.0")
    async with PeerAdmin(endpoint, admin, signer) as peer:
        await peer.join_channel(genesis_block)
        package_id = await peer.install_chaincode(package)
    lifecycle = Lifecycle(gateway.network("care"))
    definition = ChaincodeDefinition(name="ehr", version="1.0", sequence=1)
    await lifecycle.approve(definition, package_id, msp_id="HospitalMSP")

Everything may be repeated: what stands already is left as it is.
"""

from medfab_gateway.admin._collections import collection_config_package
from medfab_gateway.admin._definition import ApprovedDefinition, ChaincodeDefinition
from medfab_gateway.admin._discovery import DiscoveredPeer, Discovery
from medfab_gateway.admin._lifecycle import Lifecycle
from medfab_gateway.admin._orderer_admin import ChannelParticipation, OrdererAdmin
from medfab_gateway.admin._packaging import package_ccaas, package_id
from medfab_gateway.admin._peer_admin import ChainInfo, InstalledChaincode, JoinOutcome, PeerAdmin
from medfab_gateway.admin._policies import endorsement_policy, signature_policy
from medfab_gateway.admin.errors import (
    AdministrationError,
    CollectionError,
    DefinitionError,
    DiscoveryError,
    OrdererAdminError,
    PackageError,
    PeerAdminError,
    PolicyError,
)

__all__ = [
    "AdministrationError",
    "ApprovedDefinition",
    "ChainInfo",
    "ChaincodeDefinition",
    "ChannelParticipation",
    "CollectionError",
    "DefinitionError",
    "DiscoveredPeer",
    "Discovery",
    "DiscoveryError",
    "InstalledChaincode",
    "JoinOutcome",
    "Lifecycle",
    "OrdererAdmin",
    "OrdererAdminError",
    "PackageError",
    "PeerAdmin",
    "PeerAdminError",
    "PolicyError",
    "collection_config_package",
    "endorsement_policy",
    "package_ccaas",
    "package_id",
    "signature_policy",
]
