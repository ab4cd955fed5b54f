"""The whole table is run once, at one network; each test looks at one row of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from conformance.calls import Caller, Client
from conformance.case import Case, Outcome
from conformance.cases import CASES
from conformance.consortium import IMPLEMENTATIONS, TESTS, chaincode_name, topology
from conformance.identities import IDENTITIES, issue
from conformance.observed import Observed
from conformance.report import Outcomes, report
from medfab_gateway import AsyncGateway, Endpoint
from medfab_gateway.identity import private_key_signer
from medfab_gateway.wallet import FileSystemWallet
from medfab_network import Network

_FOUND = pytest.StashKey[Outcomes]()


@pytest.fixture(scope="session")
async def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Outcomes]:
    directory = tmp_path_factory.mktemp("conformance") / "net"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS))
        async with (
            Network(directory, await topology()).running() as network,
            AsyncExitStack() as stack,
        ):
            clients = await _clients(network, stack)
            caller = Caller(clients, {each: chaincode_name(each) for each in IMPLEMENTATIONS})
            found = {(section, case.name): await _run(case, caller) for section, case in CASES}
            request.config.stash[_FOUND] = found
            yield found


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """`make conformance` prints the whole table."""
    found = config.stash.get(_FOUND, None)
    if found is not None and os.environ.get("CONFORMANCE_REPORT"):
        terminalreporter.section("conformance")
        for line in report(found):
            terminalreporter.write_line(line)


async def _run(case: Case, caller: Caller) -> Outcome:
    observed: dict[str, list[Observed]] = {each: [] for each in case.among}
    for wanted in case.calls:
        for implementation, shown in (await caller.make(wanted, case.among)).items():
            observed[implementation].append(shown)
    return observed


async def _clients(network: Network, stack: AsyncExitStack) -> dict[str, Client]:
    """The hospital's administrator, and each identity of the table."""
    organization = network.topology.organization("hospital")
    folder = network.directory / "organizations" / "hospital"
    peer = organization.peers[0]
    endpoint = Endpoint(
        peer.address,
        tls_root_certificates=(folder / "ca" / "tls" / "ca-cert.pem").read_bytes(),
        server_name=peer.name,
    )
    admin = FileSystemWallet(network.wallet("hospital")).get("admin")
    identities = {"admin": (admin.identity, admin.signer())}
    for name in IDENTITIES:
        identity, key = issue(folder / "ca", name)
        identities[name] = identity, private_key_signer(key)
    clients = {}
    for name, (identity, signer) in identities.items():
        gateway = AsyncGateway.connect(endpoint, identity, signer)
        await stack.enter_async_context(gateway)
        clients[name] = Client(gateway=gateway, signer=signer)
    return clients
