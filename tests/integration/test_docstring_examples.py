"""The examples in the docstrings of the client's public classes, run on a live network.

An example finds what it does not make itself in `examples_names`.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import textwrap
from collections.abc import AsyncIterator
from contextlib import suppress
from types import FunctionType

import pytest

import medfab_gateway
from integration.examples_names import Caller, Enough, general_names, special_names
from integration.examples_network import Live, live_network
from medfab_gateway import AsyncGateway, Gateway, admin, ca, ehr, telemetry

pytestmark = pytest.mark.integration

# The parts of an answer: a caller never makes one, and the example of the whole leads to it.
PARTS = {
    "BlockSignature",
    "ChaincodeEvent",
    "ChaincodeResponse",
    "CollectionReadWriteSet",
    "Creator",
    "Endorser",
    "ErrorDetail",
    "FilteredTransaction",
    "HashedMetadataWrite",
    "HashedRead",
    "HashedWrite",
    "MetadataWrite",
    "Operation",
    "PrivateWrites",
    "RangeQuery",
    "Read",
    "Version",
    "Write",
}

OTHER_CLIENTS: list[type] = [
    admin.AsyncChannelAdmin,
    admin.AsyncDiscovery,
    admin.AsyncLifecycle,
    admin.AsyncOrderer,
    admin.AsyncOrdererAdmin,
    admin.AsyncPeerAdmin,
    ca.AsyncAffiliations,
    ca.AsyncCertificateAuthority,
    ca.AsyncCertificates,
    ca.AsyncIdentities,
    ca.AsyncRenewal,
    ca.RevocationList,
    ehr.AsyncPatient,
    ehr.AsyncPractitioner,
    ehr.AsyncProvider,
    ehr.Patient,
    ehr.Practitioner,
    ehr.Provider,
    telemetry.OpenTelemetryObserver,
]

# Whose example needs somebody else than a practitioner of the hospital who moves assets.
CALLERS = {
    # Nobody is sent private data but the administrator of a channel's only organisation.
    "AsyncBlockAndPrivateDataEventsRequest": Caller(user="admin", channel="alone"),
    "BlockAndPrivateData": Caller(user="admin", channel="alone"),
    "BlockAndPrivateDataEventsRequest": Caller(user="admin", channel="alone"),
    "AsyncPatient": Caller(user="patient", chaincode="ehr"),
    "Patient": Caller(user="patient", chaincode="ehr"),
    "AsyncPractitioner": Caller(organization="clinic", chaincode="ehr"),
    "Practitioner": Caller(organization="clinic", chaincode="ehr"),
    "AsyncProvider": Caller(chaincode="ehr"),
    "Provider": Caller(chaincode="ehr"),
}


def public_classes() -> list[type]:
    """Errors are caught, and not made either: their tree is drawn in `errors.py`."""
    public = [getattr(medfab_gateway, name) for name in medfab_gateway.__all__]
    return [
        each
        for each in public
        if inspect.isclass(each) and not issubclass(each, Exception) and each.__name__ not in PARTS
    ]


def example_of(documented: type) -> str:
    """The indented paragraphs of the docstring; empty: it has none."""
    paragraphs = inspect.cleandoc(documented.__doc__ or "").split("\n\n")
    return textwrap.dedent("\n\n".join(each for each in paragraphs if each.startswith("    ")))


@pytest.fixture(scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    async with live_network(tmp_path_factory.mktemp("examples")) as live:
        yield live


@pytest.mark.parametrize("documented", [*public_classes(), *OTHER_CLIENTS])
async def test_the_example_runs(documented: type, live: Live) -> None:
    example = example_of(documented)
    assert example, f"{documented.__name__} has no example in its docstring"
    caller = CALLERS.get(documented.__name__, Caller())
    user = (live.network.directory, caller.organization, caller.user)
    code = compile(example, documented.__name__, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    async with asyncio.timeout(30):
        with suppress(Enough):
            if is_blocking(documented):
                with Gateway.connect_user(*user) as gateway:
                    names = general_names(live, gateway, caller)
                    await asyncio.to_thread(FunctionType(code, names))
            else:
                async with AsyncGateway.connect_user(*user) as async_gateway:
                    names = general_names(live, async_gateway, caller)
                    names |= special_names(live, documented)
                    if (running := FunctionType(code, names)()) is not None:
                        await running


def is_blocking(documented: type) -> bool:
    """Whether it is the twin of an asynchronous class."""
    package = ehr if documented.__module__.startswith(ehr.__name__) else medfab_gateway
    return f"Async{documented.__name__}" in package.__all__
