"""A client whose clock is wrong.

A node's own clock cannot be set apart from its machine's: Fabric's programs ask the kernel, past
the C library, where libfaketime would be. A node whose clock is wrong sees every client as these
rows' client is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from faults.load import CHAINCODE, CHANNEL, kind_of
from faults.plan import BY_ITSELF, Fault
from faults.site import Site
from integration.handmade import propose
from medfab_gateway import GatewayError

FAMILY = "Clocks that are wrong"
_TARGET = "client's clock"
_OFF = {"14 minutes": 14, "16 minutes": 16, "an hour": 60, "a day": 1440}
WINDOW = 15
"""Minutes: `peer.authentication.timewindow`."""


def faults() -> Iterator[Fault]:
    for words, minutes in _OFF.items():
        yield Fault(FAMILY, _TARGET, f"off by {words}", partial(_off, minutes=minutes))


async def _off(site: Site, *, minutes: int) -> str:
    """Slow and fast by so much: refused at once outside of the window, taken within."""
    refusals: list[str] = []
    async with site.load.gateway() as gateway:
        contract = gateway.network(CHANNEL).contract(CHAINCODE)
        for off in (-minutes, minutes):
            key = f"clock{off}"
            evaluation = propose(contract, "Has", key, minutes=off, chaincode=CHAINCODE)
            submission = propose(contract, "Put", key, minutes=off, chaincode=CHAINCODE)
            if minutes < WINDOW:
                await evaluation.evaluate()
                commit = await (await submission.endorse()).submit()
                assert (await commit.status()).successful
                site.load.acknowledged.append(submission.transaction_id)
                continue
            for call in (evaluation.evaluate, submission.endorse):
                try:
                    await call()
                except GatewayError as error:
                    site.load.told(kind_of(error), error)
                    refusals.append(str(error))
    if minutes < WINDOW:
        return BY_ITSELF
    assert len(refusals) == 4, "a wrong clock is not refused"
    assert all("clocks" in text for text in refusals)
    return "the clock is set right"
