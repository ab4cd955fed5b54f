"""Recovery of a patient's key by custodians: any t of n give it back (R5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medfab_gateway._contract_async import AsyncContract
from medfab_gateway.ehr import _answers, _wire
from medfab_gateway.ehr._ehr_async import AsyncEhr
from medfab_gateway.ehr._keys.sealed_box import (
    PrivateKey,
    PublicKey,
    load_public_key,
    open_sealed,
    public_key_hex,
    seal_to,
)
from medfab_gateway.ehr._keys.shares import Share, combine_shares, split_secret
from medfab_gateway.ehr._recovery_custodian import RecoveryCustodian
from medfab_gateway.ehr.errors import ShareError


@dataclass(frozen=True, kw_only=True)
class _Kept:
    msp_id: str
    person: str
    share: str


@dataclass(frozen=True, kw_only=True)
class _Recovery:
    approvals: int
    threshold: int
    shares: tuple[_Kept, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _OwnShare:
    share: str
    recovery_id: str | None = None
    public_key: str | None = None


class AsyncKeyRecovery:
    """The patient's side.

    ::

        recovery = AsyncKeyRecovery(contract)
        set_id = await recovery.enrol(patient, key_bytes, custodians, threshold=2)
        # The key is lost; the authority has enrolled the patient anew.
        recovery_id = await recovery.request(new_key.public_key())
        key_bytes = await recovery.recover(patient, recovery_id, new_key, set_id=set_id)

    ``contract``: the contract ``ehr`` on a gateway of the patient.
    """

    def __init__(self, contract: AsyncContract, *, custodians: Sequence[str] | None = None) -> None:
        self._ehr = AsyncEhr(contract, custodians=custodians)

    async def enrol(
        self,
        patient: str,
        secret: bytes,
        custodians: Sequence[RecoveryCustodian],
        *,
        threshold: int,
    ) -> str:
        """Give each custodian a share of ``secret``, sealed; returns the id of the set.

        Keep the id (it is no secret): with it a wrong set is recognised. Earlier shares are
        replaced.
        """
        shares = split_secret(secret, threshold=threshold, shares=len(custodians))
        kept = [
            _Kept(
                msp_id=custodian.msp_id,
                person=custodian.person,
                share=seal_to(
                    custodian.public_key, share.to_json().encode(), context=_context(patient)
                ),
            )
            for custodian, share in zip(custodians, shares, strict=True)
        ]
        entry = _wire.transient(threshold=threshold, custodians=kept)
        await self._ehr.submit("EnrolCustodians", transient={"shares": entry})
        return shares[0].set_id

    async def request(self, public_key: PublicKey) -> str:
        """Ask the custodians to give their shares to a new key; returns the recovery's id."""
        entry = _wire.transient(public_key=public_key_hex(public_key))
        answer = await self._ehr.submit("RequestRecovery", transient={"recovery": entry})
        return _answers.text_field(answer, "recovery_id")

    async def recover(
        self, patient: str, recovery_id: str, private_key: PrivateKey, *, set_id: str | None = None
    ) -> bytes:
        """The secret, when enough custodians have approved.

        Raises :class:`ShareError`: too few so far, or which shares are not as they were given.
        """
        state = await self._ehr.one(_Recovery, "ReadRecovery", recovery_id)
        if len(state.shares) < state.threshold:
            raise ShareError(
                f"{state.approvals} custodians have approved, and {state.threshold} must"
            )
        context = _context(f"{patient}/{recovery_id}")
        opened = [
            Share.from_json(open_sealed(private_key, each.share, context=context).decode())
            for each in state.shares
        ]
        return combine_shares(opened, set_id=set_id)


class AsyncCustodian:
    """The side of a person who keeps shares.

    ``contract``: the contract ``ehr`` on a gateway of the custodian; ``private_key``: the one that
    the shares were sealed to.
    """

    def __init__(
        self,
        contract: AsyncContract,
        *,
        private_key: PrivateKey,
        custodians: Sequence[str] | None = None,
    ) -> None:
        self._ehr = AsyncEhr(contract, custodians=custodians)
        self._private_key = private_key

    async def approve(self, patient: str) -> str:
        """Give the own share to the key that the patient named; returns the recovery's id.

        First make sure, by other means than this network, that it is the patient who asks.
        Raises :class:`ShareError` where nobody has asked.
        """
        own = await self._ehr.one(_OwnShare, "ReadShare", patient)
        if own.recovery_id is None or own.public_key is None:
            raise ShareError("no recovery of this patient's key was asked for")
        share = open_sealed(self._private_key, own.share, context=_context(patient))
        sealed = seal_to(
            load_public_key(own.public_key),
            share,
            context=_context(f"{patient}/{own.recovery_id}"),
        )
        await self._ehr.submit(
            "ApproveRecovery",
            patient,
            own.recovery_id,
            transient={"share": _wire.transient(share=sealed)},
        )
        return own.recovery_id


def _context(about: str) -> str:
    return f"medfab key share/{about}"
