"""`Ledger`: a channel, its peers and the contracts on it, in memory."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from medfab_chaincode._metadata import VALIDATION_PARAMETER
from medfab_chaincode._results import KeyModification
from medfab_chaincode.testing._channel import Channel
from medfab_chaincode.testing._commit import VALID, Block
from medfab_chaincode.testing._definitions import Collection, ContractFactory, define_chaincode
from medfab_chaincode.testing._errors import CommitError
from medfab_chaincode.testing._gateway import endorse_proposal, evaluate_proposal
from medfab_chaincode.testing._identities import Identity
from medfab_chaincode.testing._policies import EndorsementPolicy, majority_of
from medfab_chaincode.testing._proposals import Proposal, build_proposal
from medfab_chaincode.testing._read_write_set import sha256
from medfab_chaincode.testing._transaction import Event, Transaction
from medfab_chaincode.testing._world import Space

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_NONCE_BYTES = 24


class Ledger:
    """One channel with one peer for each organisation, and a chaincode on it.

    ::

        ledger = Ledger(Notes, organizations=["HospitalMSP", "ClinicMSP"])
        alice = Identity("HospitalMSP", "alice")
        await ledger.submit("CreateNote", "n1", caller=alice, transient={"text": b"hello"})
        assert ledger.state() == {"n1": b"hello"}

    Nothing is drawn by lot and no clock is read: the same calls give the same ids and bytes.

    contract: the contract class, or anything that makes contracts; several: a list of them. Every
    organisation gets an instance of its own, as every peer has its own process.
    organizations: MSP ids. policy: who must endorse; None: a majority of the organisations.
    state: public state to begin with. private_state: collection → key → value, likewise.
    other_ledgers: other channels that the same peers have joined, for `invoke_chaincode`.

    Raises `ValueError` where this contradicts itself, and `DefinitionError` where a contract
    cannot be served.
    """

    def __init__(
        self,
        contract: ContractFactory | Sequence[ContractFactory],
        *,
        organizations: Sequence[str],
        collections: Iterable[Collection] = (),
        policy: EndorsementPolicy | None = None,
        state: Mapping[str, bytes] = MappingProxyType({}),
        private_state: Mapping[str, Mapping[str, bytes]] = MappingProxyType({}),
        name: str = "contract",
        channel: str = "channel",
        other_ledgers: Sequence["Ledger"] = (),
    ) -> None:
        if isinstance(organizations, str) or not organizations:
            raise ValueError("organizations is a list of MSP ids, of one at least")
        if len(set(organizations)) != len(organizations):
            raise ValueError("an organisation is named twice")
        self._channel: Channel = Channel(
            channel,
            tuple(organizations),
            others=[ledger._channel for ledger in other_ledgers],
        )
        self._name = name
        self._proposals = 0
        self._events: list[Event] = []
        self.now = _EPOCH
        """The clients' clock: the timestamp of the next proposals. Set it to let time pass."""
        self.deploy(name, contract, collections=collections, policy=policy)
        self._put_initial(state, private_state)

    def deploy(
        self,
        name: str,
        contract: ContractFactory | Sequence[ContractFactory],
        *,
        collections: Iterable[Collection] = (),
        policy: EndorsementPolicy | None = None,
        version: str = "1.0",
    ) -> None:
        """Put one more chaincode on the channel, or another version of one that is there.

        Raises as the constructor does.
        """
        self._channel.deploy(
            define_chaincode(
                name,
                contract if isinstance(contract, Sequence) else [contract],
                collections=collections,
                policy=policy or majority_of(*self._channel.organizations),
                version=version,
                organizations=self._channel.organizations,
            )
        )

    # -- transactions ------------------------------------------------------------------------

    async def evaluate(
        self,
        function: str,
        *args: str | bytes,
        caller: Identity,
        transient: Mapping[str, bytes] = MappingProxyType({}),
        target_organizations: Sequence[str] | None = None,
        chaincode: str | None = None,
    ) -> bytes:
        """Call a function and drop what it writes; returns its result.

        target_organizations: whose peer to ask; None: that of the caller's organisation.
        Raises `EvaluateError`.
        """
        proposal = self._propose(function, args, caller, transient, chaincode)
        targets = self._checked(target_organizations) or (caller.msp_id,)
        return (await evaluate_proposal(self._channel, proposal, targets[0])).result

    async def submit(
        self,
        function: str,
        *args: str | bytes,
        caller: Identity,
        transient: Mapping[str, bytes] = MappingProxyType({}),
        endorsing_organizations: Sequence[str] | None = None,
        chaincode: str | None = None,
    ) -> bytes:
        """Endorse and commit in a block of its own; returns the function's result.

        Raises `EndorseError` and `CommitError`.
        """
        transaction = await self.endorse(
            function,
            *args,
            caller=caller,
            transient=transient,
            endorsing_organizations=endorsing_organizations,
            chaincode=chaincode,
        )
        (code,) = self.commit(transaction)
        if code != VALID:
            raise CommitError(
                f"transaction {transaction.transaction_id} is not valid ({code})",
                code=code,
                transaction_id=transaction.transaction_id,
            )
        return transaction.result

    async def endorse(
        self,
        function: str,
        *args: str | bytes,
        caller: Identity,
        transient: Mapping[str, bytes] = MappingProxyType({}),
        endorsing_organizations: Sequence[str] | None = None,
        chaincode: str | None = None,
    ) -> Transaction:
        """Let organisations run a function and sign; nothing is changed before `commit`.

        endorsing_organizations: None: first the caller's organisation, then as many others as
        the policies of what it writes ask for.
        Raises `EndorseError`, and `NondeterminismError` where their answers differ.
        """
        proposal = self._propose(function, args, caller, transient, chaincode)
        organizations = self._checked(endorsing_organizations)
        return await endorse_proposal(self._channel, proposal, caller.msp_id, organizations)

    def commit(self, *transactions: Transaction) -> tuple[str, ...]:
        """Put endorsed transactions into one block, in this order.

        Returns their validation codes: `VALID`, `MVCC_READ_CONFLICT`, `PHANTOM_READ_CONFLICT`,
        `ENDORSEMENT_POLICY_FAILURE`, `DUPLICATE_TXID`. Without transactions: an empty block.
        Raises `PeerCrashError` for the one block that real peers do not survive.
        """
        codes = Block(self._channel).commit(transactions)
        self._events += [
            transaction.event
            for transaction, code in zip(transactions, codes, strict=True)
            if code == VALID and transaction.event is not None
        ]
        return tuple(codes)

    # -- what is on the ledger ---------------------------------------------------------------

    @property
    def height(self) -> int:
        """The number of the next block."""
        return self._channel.world.height

    @property
    def events(self) -> tuple[Event, ...]:
        """The events of all valid transactions, oldest first."""
        return tuple(self._events)

    def state(self, chaincode: str | None = None) -> Mapping[str, bytes]:
        """Return the public state; later transactions do not change what was returned."""
        return self._values(Space(chaincode or self._name))

    def private(
        self, collection: str, organization: str, *, chaincode: str | None = None
    ) -> Mapping[str, bytes]:
        """Return what an organisation's peer holds of a collection: nothing if it is no member."""
        return self._values(Space(chaincode or self._name, collection, organization))

    def hashes(self, collection: str, *, chaincode: str | None = None) -> Mapping[bytes, bytes]:
        """Return what every peer knows of a collection: SHA-256 of keys → SHA-256 of values."""
        table = self._channel.world.table(Space(chaincode or self._name, collection))
        return {key: item.value for key, item in table.items() if isinstance(key, bytes)}

    def history(self, key: str, *, chaincode: str | None = None) -> tuple[KeyModification, ...]:
        """Return every committed change of a public key, newest first."""
        past = self._channel.world.histories.get((chaincode or self._name, key), ())
        return past[::-1]

    def key_policy(
        self, key: str, *, collection: str = "", chaincode: str | None = None
    ) -> bytes | None:
        """Return a key's own endorsement policy (a validation parameter); None: it has none."""
        space = Space(chaincode or self._name, collection)
        item = self._channel.world.get(space, sha256(key.encode()) if collection else key)
        return (item.metadata.get(VALIDATION_PARAMETER) or None) if item else None

    def forget(
        self, collection: str, key: str, organization: str, *, chaincode: str | None = None
    ) -> None:
        """Let a peer lose a private value that it holds, as one that never got it.

        Raises `KeyError` where it does not hold it.
        """
        space = Space(chaincode or self._name, collection, organization)
        if self._channel.world.get(space, key) is None:
            raise KeyError(f"{organization} does not hold that key")
        self._channel.world = self._channel.world.updated({(space, key): None})

    # -- inside ------------------------------------------------------------------------------

    def _values(self, space: Space) -> Mapping[str, bytes]:
        table = self._channel.world.table(space)
        return {key: item.value for key, item in table.items() if isinstance(key, str)}

    def _propose(
        self,
        function: str,
        args: Sequence[str | bytes],
        caller: Identity,
        transient: Mapping[str, bytes],
        chaincode: str | None,
    ) -> Proposal:
        chaincode = chaincode or self._name
        if chaincode not in self._channel.chaincodes:
            raise ValueError(f"no chaincode {chaincode!r} is deployed")
        self._proposals += 1
        return build_proposal(
            channel_id=self._channel.id,
            chaincode=chaincode,
            creator=caller,
            args=[arg.encode() if isinstance(arg, str) else arg for arg in (function, *args)],
            transient=transient,
            nonce=self._proposals.to_bytes(_NONCE_BYTES),
            timestamp=self.now,
        )

    def _checked(self, organizations: Sequence[str] | None) -> tuple[str, ...]:
        if isinstance(organizations, str):
            raise ValueError("organisations are named in a list")
        for msp_id in organizations or ():
            if msp_id not in self._channel.organizations:
                raise ValueError(f"{msp_id} is no organisation of the channel")
        return tuple(organizations or ())

    def _put_initial(
        self, state: Mapping[str, bytes], private_state: Mapping[str, Mapping[str, bytes]]
    ) -> None:
        updates: dict[tuple[Space, str | bytes], bytes] = {
            (Space(self._name), key): value for key, value in state.items()
        }
        for name, values in private_state.items():
            collection = self._channel.chaincodes[self._name].collections.get(name)
            if collection is None:
                raise ValueError(f"private_state: there is no collection {name!r}")
            for key, value in values.items():
                updates[Space(self._name, name), sha256(key.encode())] = sha256(value)
                for member in collection.members:
                    updates[Space(self._name, name, member), key] = value
        if not all(key and value for (_, key), value in updates.items()):
            raise ValueError("keys and values to begin with are not empty")
        self._channel.put_initial(updates)
