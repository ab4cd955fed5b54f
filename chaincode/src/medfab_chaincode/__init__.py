"""A chaincode shim and contract API for Hyperledger Fabric.

Write a `Contract`, serve it with ``medfab-chaincode serve module:Class`` or with `serve`. See
`Contract` for an example, and `medfab_chaincode.errors` for the tree of errors.
"""

from importlib.metadata import version as _version

from medfab_chaincode._access import Attribute, Organisation, Role
from medfab_chaincode._canonical import canonical_json
from medfab_chaincode._chaincode import Chaincode
from medfab_chaincode._chaincode_call import Response
from medfab_chaincode._contract import Context, Contract
from medfab_chaincode._definition import evaluate, submit
from medfab_chaincode._endorsement_policy import KeyEndorsementPolicy
from medfab_chaincode._identity import ClientIdentity
from medfab_chaincode._pages import Page
from medfab_chaincode._private_collection import PrivateCollection
from medfab_chaincode._proposal import SignedProposal
from medfab_chaincode._results import HistoryIterator, KeyModification, KeyValue, KeyValueIterator
from medfab_chaincode._serve import serve
from medfab_chaincode._settings import ClientSettings, ServerSettings
from medfab_chaincode._signature import Transient
from medfab_chaincode._state_json import parse_state
from medfab_chaincode._stub import Stub
from medfab_chaincode.errors import (
    AccessDeniedError,
    ChaincodeError,
    ContractError,
    DefinitionError,
    EvaluateWriteError,
    IdentityError,
    InvalidArgumentError,
    InvalidKeyError,
    NotCanonicalError,
    PeerError,
    SettingsError,
    StateFormatError,
    StreamLostError,
    UnknownFunctionError,
)

__version__ = _version("medfab-chaincode")

__all__ = [
    "AccessDeniedError",
    "Attribute",
    "Chaincode",
    "ChaincodeError",
    "ClientIdentity",
    "ClientSettings",
    "Context",
    "Contract",
    "ContractError",
    "DefinitionError",
    "EvaluateWriteError",
    "HistoryIterator",
    "IdentityError",
    "InvalidArgumentError",
    "InvalidKeyError",
    "KeyEndorsementPolicy",
    "KeyModification",
    "KeyValue",
    "KeyValueIterator",
    "NotCanonicalError",
    "Organisation",
    "Page",
    "PeerError",
    "PrivateCollection",
    "Response",
    "Role",
    "ServerSettings",
    "SettingsError",
    "SignedProposal",
    "StateFormatError",
    "StreamLostError",
    "Stub",
    "Transient",
    "UnknownFunctionError",
    "canonical_json",
    "evaluate",
    "parse_state",
    "serve",
    "submit",
]
