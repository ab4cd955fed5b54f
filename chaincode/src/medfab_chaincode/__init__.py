"""A chaincode shim and contract API for Hyperledger Fabric.

Write a `Contract`, serve it with ``medfab-chaincode serve module:Class`` or with `serve`. See
`Contract` for an example, and `medfab_chaincode.errors` for the tree of errors.
"""

from medfab_chaincode._canonical import canonical_json
from medfab_chaincode._contract import Context, Contract
from medfab_chaincode._definition import evaluate, submit
from medfab_chaincode._identity import ClientIdentity
from medfab_chaincode._ranges import KeyValue, KeyValueIterator
from medfab_chaincode._server import serve
from medfab_chaincode._settings import ServerSettings
from medfab_chaincode._state_json import parse_state
from medfab_chaincode._stub import Stub
from medfab_chaincode.errors import (
    ChaincodeError,
    ContractError,
    DefinitionError,
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

__all__ = [
    "ChaincodeError",
    "ClientIdentity",
    "Context",
    "Contract",
    "ContractError",
    "DefinitionError",
    "IdentityError",
    "InvalidArgumentError",
    "InvalidKeyError",
    "KeyValue",
    "KeyValueIterator",
    "NotCanonicalError",
    "PeerError",
    "ServerSettings",
    "SettingsError",
    "StateFormatError",
    "StreamLostError",
    "Stub",
    "UnknownFunctionError",
    "canonical_json",
    "evaluate",
    "parse_state",
    "serve",
    "submit",
]
