"""What an administration call can fail with.

    MedfabError
    └── AdministrationError
        ├── PolicyError            text that is not a signature policy
        ├── CollectionError        a collection that Fabric would refuse, or that misses a name
        ├── PackageError           a label or connection that cannot be packaged
        ├── DefinitionError        a chaincode definition that Fabric would refuse
        ├── ConfigError            a change of a channel's configuration that makes no sense
        │   └── NoChangeError          the configuration is like this already
        ├── ConfigUpdateError      orderers answered no to an update of a configuration
        │   ├── UpdateNotSignedError    signatures that its policies ask for are missing
        │   └── UpdateConflictError     the configuration has changed since it was made
        ├── PeerAdminError         a peer answered no
        ├── DiscoveryError         a peer answered no to a discovery query
        ├── OrdererError           an orderer answered no to a member of a channel
        └── OrdererAdminError      an orderer answered no, or not at all

A peer that does not answer is a `GatewayError` (`ConnectionFailedError` and so on) of
`medfab_gateway.errors`, the same as for transactions; `Lifecycle`, which submits transactions,
raises those errors only.
"""

from __future__ import annotations

from medfab_gateway.errors import MedfabError

__all__ = [
    "AdministrationError",
    "CollectionError",
    "ConfigError",
    "ConfigUpdateError",
    "DefinitionError",
    "DiscoveryError",
    "NoChangeError",
    "OrdererAdminError",
    "OrdererError",
    "PackageError",
    "PeerAdminError",
    "PolicyError",
    "UpdateConflictError",
    "UpdateNotSignedError",
]


class AdministrationError(MedfabError):
    """Root of this package's errors."""


class PolicyError(AdministrationError):
    """Text that is not a signature policy, or one that makes no sense."""

    def __init__(self, reason: str, *, text: str, position: int) -> None:
        self.text = text
        """The policy as given."""
        self.position = position
        """Where in the text, counted from 0."""
        super().__init__(
            f"{reason} at character {position + 1} of the policy {text!r}. "
            "The form is OR('Org1MSP.member', AND('Org2MSP.peer', 'Org3MSP.admin')) or "
            "OutOf(2, …), with the roles member, admin, client, peer, orderer"
        )


class CollectionError(AdministrationError):
    """A collection that Fabric would refuse."""


class PackageError(AdministrationError):
    """A chaincode that cannot be packaged."""


class DefinitionError(AdministrationError):
    """A chaincode definition that Fabric would refuse."""


class ConfigError(AdministrationError):
    """A change of a channel's configuration that makes no sense, or a file that holds none."""


class NoChangeError(ConfigError):
    """Nothing would change: the configuration is like this already."""


class _NodeError(AdministrationError):
    def __init__(
        self,
        summary: str,
        *,
        address: str,
        message: str,
        status: int | None,
        advice: str = "",
        cause: str | None = None,
    ) -> None:
        self.address = address
        """Address or URL of the node."""
        self.message = message
        """The node's own words, or why it gave none."""
        self.status = status
        """Status of the answer (200, 404, 500, …); None when none came."""
        answered = "" if status is None else f" (status {status})"
        # `cause`: why, in plainer words than the node's own.
        why = f" at {address}: {message}{answered}" if cause is None else f": {cause}"
        super().__init__(summary + why + (f". {advice}" if advice else ""))


class PeerAdminError(_NodeError):
    """A peer answered no."""


class DiscoveryError(_NodeError):
    """A peer answered no to a discovery query."""


class OrdererError(_NodeError):
    """An orderer answered no to a member of a channel."""


class OrdererAdminError(_NodeError):
    """An orderer answered no, or not at all: then `status` is None."""


class ConfigUpdateError(_NodeError):
    """Orderers answered no to an update of a channel's configuration; nothing has changed."""


class UpdateNotSignedError(ConfigUpdateError):
    """Signatures that the policies of the changed parts ask for are missing, or not valid."""


class UpdateConflictError(ConfigUpdateError):
    """The configuration has changed since the update was made: compute it again."""
