"""Clients at work while nodes fail, and what they were told."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field

from cryptography import x509

from medfab_gateway import (
    AsyncContract,
    AsyncGateway,
    ConnectionProfile,
    FileSystemWallet,
    GatewayError,
    GatewayOptions,
    OutcomeUnknownError,
)
from medfab_gateway.ca import CertificateAuthorityError
from medfab_network import Network
from medfab_network._authority import REGISTRAR
from medfab_network._enrolment import registrar_secret

CHANNEL, CHAINCODE = "care", "faults"
HOSPITAL = "HospitalMSP"
SUBMITTERS, READERS = 6, 2
OPTIONS = GatewayOptions(
    evaluate_timeout=10, endorse_timeout=10, submit_timeout=10, commit_status_timeout=15
)
_ENROL_PAUSE = 0.5
_PAUSE = 0.1  # seconds between the calls of one client: the faults are the test, not the load


@dataclass
class Load:
    """Submitters, readers and one reader of blocks, all through the hospital's peers."""

    network: Network
    acknowledged: list[str] = field(default_factory=list)
    """Transaction ids."""
    private_keys: list[str] = field(default_factory=list)
    """Of acknowledged transactions."""
    failed: list[GatewayError] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    """By kind; whoever wants those of a while clears it first."""
    commits_at: list[float] = field(default_factory=list)
    reads_at: list[float] = field(default_factory=list)
    enrolled_at: list[float] = field(default_factory=list)
    serials: list[int] = field(default_factory=list)
    """Of certificates that the hospital's authority has issued."""
    samples: dict[str, str] = field(default_factory=dict)
    """By kind of error, the text of the first one."""
    seen: Counter[str] = field(default_factory=Counter)
    """Transaction ids that the stream of blocks has brought."""
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def gateway(self) -> AsyncGateway:
        """With both of the hospital's peers."""
        profile = ConnectionProfile.load(self.network.connection_profile("hospital"))
        entry = FileSystemWallet(self.network.wallet("hospital")).get("admin")
        return AsyncGateway.connect(profile, entry.identity, entry.signer(), options=OPTIONS)

    def stop(self) -> None:
        self._stopped.set()

    async def run(self) -> None:
        async with self.gateway() as gateway:
            contract = gateway.network(CHANNEL).contract(CHAINCODE)
            following = asyncio.create_task(self._follow(gateway))
            try:
                async with asyncio.TaskGroup() as group:
                    for worker in range(SUBMITTERS):
                        group.create_task(self._submit(contract, private=worker % 2 == 1))
                    for _ in range(READERS):
                        group.create_task(self._read(contract))
                    group.create_task(self._enrol())
                await self._until_all_are_seen()
            finally:
                following.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await following

    async def _submit(self, contract: AsyncContract, *, private: bool) -> None:
        while not self._stopped.is_set():
            key = f"key-{next(self._numbers)}"
            try:
                if private:
                    answer = await contract.submit(
                        "PutPrivate", key, endorsing_organizations=[HOSPITAL]
                    )
                    self.private_keys.append(key)
                else:
                    answer = await contract.submit("Put", key)
                self.acknowledged.append(answer.decode())
                self.commits_at.append(time.monotonic())
            except GatewayError as error:
                self.failed.append(error)
                self.told(kind_of(error), error)
            await asyncio.sleep(_PAUSE)

    async def _read(self, contract: AsyncContract) -> None:
        while not self._stopped.is_set():
            try:
                await contract.evaluate("Has", "key-0")
                self.reads_at.append(time.monotonic())
            except GatewayError as error:
                self.told(f"evaluate: {kind_of(error)}", error)
            await asyncio.sleep(_PAUSE)

    async def _enrol(self) -> None:
        """Somebody who gets a certificate every now and then."""
        hospital = self.network.topology.organization("hospital")
        secret = registrar_secret(self.network._layout, hospital.name)
        while not self._stopped.is_set():
            try:
                async with self.network._access.certificate_authority(hospital) as ca:
                    issued = await ca.enroll(REGISTRAR, secret)
                self.serials.append(
                    x509.load_pem_x509_certificate(issued.certificate).serial_number
                )
                self.enrolled_at.append(time.monotonic())
            except CertificateAuthorityError as error:
                self.told(f"enrol: {type(error).__name__}", error)
            await asyncio.sleep(_ENROL_PAUSE)

    def told(self, kind: str, error: Exception) -> None:
        """What a client was told: counted, and the first text of each kind kept."""
        self.errors[kind] += 1
        self.samples.setdefault(kind, str(error))

    async def _follow(self, gateway: AsyncGateway) -> None:
        async with gateway.network(CHANNEL).block_events(0) as blocks:
            async for block in blocks:
                for transaction in block.transactions:
                    self.seen[transaction.transaction_id] += 1

    async def _until_all_are_seen(self) -> None:
        async with asyncio.timeout(120):
            while set(self.acknowledged) - set(self.seen):
                await asyncio.sleep(0.2)


def kind_of(error: GatewayError) -> str:
    code = error.code.name if error.code else "no code"
    unknown = " (outcome unknown)" if isinstance(error, OutcomeUnknownError) else ""
    return f"{type(error).__name__} {code}{unknown}"


def longest_gap(times: list[float], since: float, until: float) -> float:
    """Seconds, between `since` and `until`, in which nothing was answered."""
    points = [since, *(t for t in times if since <= t <= until), until]
    return max(later - earlier for earlier, later in itertools.pairwise(points))
