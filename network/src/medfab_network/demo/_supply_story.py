"""The story of one lot: from the factory to a patient, and what goes wrong. Each step checks
what it says."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from medfab_gateway import AsyncContract
from medfab_gateway.ehr import PhiValue
from medfab_gateway.errors import EndorseError
from medfab_gateway.pharma import (
    AsyncDispenser,
    AsyncLogistics,
    AsyncManufacturer,
    AsyncRegulator,
    LotKeys,
    Partner,
    ProductForm,
    digest,
    signed_readings,
    trace_tree,
)
from medfab_gateway.pharma.codes import Label, Scan, scan, scan_picture
from medfab_gateway.pharma.identifiers import Gln, Gtin, Lgtin, Sgtin, Sscc
from medfab_network.demo._narrator import Narrator
from medfab_network.errors import NetworkError
from medfab_network.network import Network
from medfab_network.topology import Topology

CHANNEL = "supply"
CHAINCODE = "pharma"
MAKER, WHOLESALER, PHARMACY, AUTHORITY = "manufacturer", "distributor", "pharmacy", "regulator"
_NEEDED = (
    (MAKER, "operator"),
    (WHOLESALER, "operator"),
    (PHARMACY, "operator"),
    (AUTHORITY, "auditor"),
)
_PREFIXES = {MAKER: "9521321", WHOLESALER: "9521323", PHARMACY: "9521324"}
_CAPACITIES = {MAKER: "manufacturer", WHOLESALER: "wholesaler", PHARMACY: "dispenser"}
_PLACES = {
    MAKER: ("factory, Basel", 47.557, 7.549),
    WHOLESALER: ("warehouse, Frankfurt", 50.110, 8.682),
    PHARMACY: ("pharmacy, Lisbon", 38.722, -9.139),
}
_TABLETS = Gtin.make(f"0{_PREFIXES[MAKER]}00007")
_LOT, _EXPIRY = "EP-2607", date(2049, 12, 31)
_PACKS, _CASES = 24, 2
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CATCH_UP_TIMEOUT = 30.0


def can_be_told(topology: Topology) -> bool:
    """Whether a topology has the channel, the contract and the roles of this story."""
    users = {(o.name, user.name) for o in topology.organizations for user in o.users}
    return users.issuperset(_NEEDED) and any(
        (chaincode.name, chaincode.channel) == (CHAINCODE, CHANNEL)
        and {name for name, _ in _NEEDED} <= set(topology.channel(CHANNEL).organizations)
        for chaincode in topology.chaincodes
    )


@dataclass(frozen=True, kw_only=True)
class SupplyTold:
    """What is left of the story."""

    pack: Sgtin
    """The one that was dispensed."""
    secrets: tuple[PhiValue, ...]
    """What no block may show: the serial numbers."""


class _People:
    """The clients of those who act."""

    def __init__(self, network: Network, stack: AsyncExitStack) -> None:
        self._network = network
        self._stack = stack
        self.maker: AsyncManufacturer
        self.wholesaler: AsyncLogistics
        self.pharmacy: AsyncDispenser
        self.auditor: AsyncRegulator

    async def come(self) -> None:
        def gln(organization: str) -> Gln:
            return Gln.make(f"{_PREFIXES[organization]}00001")

        maker = await self._contract(MAKER, "operator")
        self.maker = AsyncManufacturer(
            maker, msp_id=self.msp(MAKER), gln=gln(MAKER), lot_keys=LotKeys.generate()
        )
        self.wholesaler = AsyncLogistics(
            await self._contract(WHOLESALER, "operator"),
            msp_id=self.msp(WHOLESALER),
            gln=gln(WHOLESALER),
        )
        self.pharmacy = AsyncDispenser(
            await self._contract(PHARMACY, "operator"), msp_id=self.msp(PHARMACY), gln=gln(PHARMACY)
        )
        self.auditor = AsyncRegulator(
            await self._contract(AUTHORITY, "auditor"), msp_id=self.msp(AUTHORITY), gln=None
        )
        admin = AsyncRegulator(
            await self._contract(AUTHORITY, "admin"), msp_id=self.msp(AUTHORITY), gln=None
        )
        try:
            await admin.establish([self.msp(AUTHORITY)])
        except EndorseError as error:
            if error.chaincode is None or error.chaincode.code != "ALREADY_ESTABLISHED":
                raise
        await self.level()
        await asyncio.gather(
            *(
                self.auditor.register_partner(
                    Partner(
                        msp=self.msp(name),
                        name=name,
                        glns=(gln(name).value,),
                        capacities=(_CAPACITIES[name],),
                        licence=f"L-{prefix}",
                        valid_from=datetime(2020, 1, 1, tzinfo=UTC),
                        valid_to=datetime(2090, 1, 1, tzinfo=UTC),
                    )
                )
                for name, prefix in _PREFIXES.items()
            ),
            *(
                self.auditor.assign_prefix(prefix, self.msp(name))
                for name, prefix in _PREFIXES.items()
            ),
        )
        await self.level()
        clients: dict[str, AsyncLogistics] = {
            MAKER: self.maker,
            WHOLESALER: self.wholesaler,
            PHARMACY: self.pharmacy,
        }
        await asyncio.gather(
            *(
                client.register_location(
                    gln(name),
                    _PLACES[name][0],
                    latitude=_PLACES[name][1],
                    longitude=_PLACES[name][2],
                )
                for name, client in clients.items()
            ),
            self.maker.register_product(ProductForm(gtin=_TABLETS, name="Epcistra 100 mg")),
        )
        await self.level()

    def msp(self, organization: str) -> str:
        return self._network.topology.organization(organization).msp_id

    async def level(self) -> None:
        """Wait until all peers of the channel have the same blocks.

        A commit is waited for at the caller's own peer; the others follow some milliseconds later.
        """
        members = self._network.topology.members(CHANNEL)
        try:
            async with asyncio.timeout(_CATCH_UP_TIMEOUT):
                # Other processes' ledgers: there is no event of ours to wait for.
                while len({await self._height(member.name) for member in members}) > 1:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        except TimeoutError as error:
            raise NetworkError(
                f"the peers of {CHANNEL} have not got the same blocks within "
                f"{_CATCH_UP_TIMEOUT:.0f} s; their logs say why"
            ) from error

    async def _height(self, organization: str) -> int:
        return await self._network.ledger_height(organization, CHANNEL)

    async def _contract(self, organization: str, user: str) -> AsyncContract:
        gateway = await self._stack.enter_async_context(self._network.gateway(organization, user))
        return gateway.network(CHANNEL).contract(CHAINCODE)


async def tell_supply(network: Network, narrator: Narrator) -> SupplyTold:
    """Play all roles."""
    async with AsyncExitStack() as stack:
        people = _People(network, stack)
        narrator.step("The regulator licenses the manufacturer, the distributor and the pharmacy")
        await people.come()
        narrator.good("three partners, their company prefixes, premises, and one product")
        packs, pallet, cases = await _make(people, narrator)
        await _distribute(people, narrator, packs, pallet, cases)
        dispensed = await _dispense(people, narrator, packs)
        await _catch_counterfeits(people, narrator, packs)
        await _breach(people, narrator, cases[1])
        await _recall(people, narrator, packs, dispensed)
    return SupplyTold(
        pack=dispensed,
        secrets=tuple(PhiValue(kind="serial number", value=pack.serial) for pack in packs),
    )


async def _make(people: _People, narrator: Narrator) -> tuple[list[Sgtin], Sscc, list[Sscc]]:
    narrator.step(
        f"The manufacturer commissions lot {_LOT}: {_PACKS} packs, in {_CASES} cases on a pallet"
    )
    packs = [Sgtin(_TABLETS, _serial()) for _ in range(_PACKS)]
    prefix = _PREFIXES[MAKER]
    cases = [Sscc.make(f"0{prefix}{number:09d}") for number in range(701, 701 + _CASES)]
    pallet = Sscc.make(f"0{prefix}{700:09d}")
    report = await people.maker.commission(
        _TABLETS, lot=_LOT, expiry=_EXPIRY, serials=[pack.serial for pack in packs]
    )
    _check(report.complete, "every pack is commissioned")
    each = _PACKS // _CASES
    await asyncio.gather(
        *(
            people.maker.pack(case, packs[number * each : (number + 1) * each])
            for number, case in enumerate(cases)
        )
    )
    await people.maker.pack(pallet, cases)
    narrator.good(
        "the ledger holds pseudonyms of them; which medicine they are, only who scans one can tell"
    )
    return packs, pallet, cases


async def _distribute(
    people: _People, narrator: Narrator, packs: Sequence[Sgtin], pallet: Sscc, cases: list[Sscc]
) -> None:
    narrator.step("The pallet goes to the distributor, and a case of it to the pharmacy")
    sent = await people.maker.ship([pallet], to=people.msp(WHOLESALER))
    await people.level()
    received = await people.wholesaler.receive([pallet], complete=True)
    _check(received.shortages == 0, "nothing is missing")
    await people.wholesaler.unpack(pallet)
    await people.wholesaler.ship([cases[0]], to=people.msp(PHARMACY))
    await people.level()
    await people.pharmacy.receive([cases[0]], complete=True)
    await people.pharmacy.unpack(cases[0])
    view = await people.pharmacy.item(packs[0])
    _check(view is not None and view.holder == people.msp(PHARMACY), "the pharmacy has the pack")
    narrator.good(
        f"shipment {sent.shipment[:12]}… moved {_PACKS} packs with one write: inside a pallet, a "
        "pack is where its pallet is"
    )


async def _dispense(people: _People, narrator: Narrator, packs: Sequence[Sgtin]) -> Sgtin:
    narrator.step("The pharmacy photographs a pack's DataMatrix, verifies and dispenses it")
    [code] = scan_picture(_label(packs[0]).png())
    verdict = await people.pharmacy.verify(code, purpose="dispense")
    _check(verdict.verified and verdict.authentic, "the pack is genuine")
    await people.pharmacy.dispense(packs[0])
    after = await people.pharmacy.verify(code)
    _check(after.status == "dispensed" and not after.verified, "it cannot be sold twice")
    narrator.good("verified at the pharmacy's own peer, dispensed, and from now on sold once only")
    steps = await people.pharmacy.trace(packs[0])
    for line in trace_tree(steps, {digest(packs[0]): "pack"}, time_format="%H:%M:%S"):
        narrator.command(f"   {line}")
    return packs[0]


async def _catch_counterfeits(people: _People, narrator: Narrator, packs: Sequence[Sgtin]) -> None:
    narrator.step("Counterfeits turn up: an invented serial number, a wrong lot, a copied label")
    rows = []
    invented = scan(_label(Sgtin(_TABLETS, _serial())).text)
    verdict = await people.pharmacy.verify(invented)
    _check(verdict.reason == "No_match_GTIN_Serial", "an invented number is not known")
    rows.append(["an invented serial number", str(verdict.reason), "refused"])
    relabelled = scan(Label(identifier=packs[1], lot="OTHER", expiry=_EXPIRY).text)
    verdict = await people.pharmacy.verify(relabelled)
    _check(verdict.reason == "No_match_GTIN_Serial_Lot", "a wrong lot is seen")
    rows.append(["a genuine number, another lot", str(verdict.reason), "refused"])
    genuine = scan(_label(packs[1]).text)
    await people.pharmacy.report_scan(genuine)
    await people.level()
    signals = await _second_scan(people, genuine)
    view = await people.pharmacy.item(packs[1])
    _check(view is not None and view.status == "suspect", "the copied number is held by itself")
    rows.append(["a copied label, seen in Frankfurt", ", ".join(signals), "held as suspect"])
    narrator.table(["what was scanned", "answer", "outcome"], rows)
    narrator.refused("Lisbon and Frankfurt within a second: nobody travels so fast")


async def _second_scan(people: _People, code: Scan) -> tuple[str, ...]:
    scanned = await people.wholesaler.report_scan(code)
    _check("impossible_speed" in scanned.signals, "the copy is noticed")
    await people.level()
    return scanned.signals


async def _breach(people: _People, narrator: Narrator, case: Sscc) -> None:
    narrator.step("A refrigerated case gets too warm at the distributor")
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    device, minute = "thermometer-17", timedelta(minutes=1)
    await people.wholesaler.register_device(device, public.decode())
    await people.wholesaler.start_monitoring(
        case, device, lowest=2000, highest=8000, budget_ms=600_000, max_gap_ms=600_000
    )
    start = datetime.now(UTC).replace(microsecond=0) - 30 * minute
    values = [5100, 6400, 9200, 11_800, 12_400, 12_900]
    readings = [(start + number * 5 * minute, value) for number, value in enumerate(values)]
    payload, signature = signed_readings(
        key, device=device, item=case, sequence=1, readings=readings
    )
    answer = await people.wholesaler.record_readings(case, payload, signature)
    _check(answer.breached, "ten minutes above 8 °C are the budget")
    narrator.table(
        ["time", "signed reading"],
        [[f"{at:%H:%M}", f"{value / 1000:.1f} °C"] for at, value in readings],
    )
    narrator.refused("out of its limits for too long: the contract has quarantined the case itself")
    await _refused(
        narrator,
        people.wholesaler.ship([case], to=people.msp(PHARMACY)),
        "HELD",
        "the distributor ships it all the same",
    )


async def _recall(
    people: _People, narrator: Narrator, packs: Sequence[Sgtin], dispensed: Sgtin
) -> None:
    narrator.step(f"The manufacturer recalls lot {_LOT}")
    recalled = await people.maker.recall(
        Lgtin(_TABLETS, _LOT), reason="contamination", recall_class=1
    )
    await people.level()
    await _refused(
        narrator, people.pharmacy.dispense(packs[2]), "RECALLED", "the pharmacy dispenses another"
    )
    holders = await people.auditor.holders(recalled.tag)
    counts = {(each.msp, each.status): each.count for each in holders}
    _check(sum(counts.values()) == _PACKS, "every pack of the lot is found")
    _check(counts.get((people.msp(PHARMACY), "dispensed")) == 1, "the patient's pack too")
    for client, msp in (
        (people.pharmacy, people.msp(PHARMACY)),
        (people.wholesaler, people.msp(WHOLESALER)),
    ):
        held = sum(each.count for each in holders if each.msp == msp and each.status != "dispensed")
        await client.acknowledge_recall(recalled.tag, _TABLETS.value, _LOT, quarantined=held)
    await people.level()
    report = await people.auditor.report(at=datetime.now(UTC))
    [status] = [each for each in report.recalls if each.recall.tag == recalled.tag]
    known = {each.msp for each in status.acknowledgements}
    narrator.table(
        ["holder", "packs", "state", "has answered"],
        [
            [each.msp, str(each.count), each.status, "yes" if each.msp in known else "no"]
            for each in status.holders
        ],
    )
    _check(not status.missing, "every holder has answered")
    narrator.good(
        f"one write stopped {_PACKS} packs; the regulator sees who holds each of them, and "
        "that one is with a patient"
    )


async def _refused(narrator: Narrator, attempt: Awaitable[object], code: str, what: str) -> None:
    try:
        await attempt
    except EndorseError as error:
        if error.chaincode is None:
            raise
        _check(error.chaincode.code == code, f"the reason is {code}")
        narrator.refused(f"{what}: refused, {error.chaincode.message}")
    else:
        _check(False, f"{code} is refused")


def _label(pack: Sgtin) -> Label:
    return Label(identifier=pack, lot=_LOT, expiry=_EXPIRY)


def _serial() -> str:
    """A number that nobody can guess, as EU FMD asks for."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(14))


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise NetworkError(f"the demonstration failed: not true that {what}")
