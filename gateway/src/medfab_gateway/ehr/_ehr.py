# Made by scripts/make_sync.py from _ehr_async.py: change that, and run it.
"""Calls of the contract ``ehr``: to whom they go, what is repeated, how answers are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from medfab_gateway._contract import Contract
from medfab_gateway._retry_options import RetryOptions
from medfab_gateway.ehr import _retries, _wire
from medfab_gateway.ehr._types import Acting
from medfab_gateway.ehr._unavailable import unavailable_holder
from medfab_gateway.errors import GatewayError

_T = TypeVar("_T")


class Ehr:
    """What the clients have in common; not to be used by itself."""

    def __init__(
        self,
        contract: Contract,
        *,
        custodians: Sequence[str] | None = None,
        acting: Acting | None = None,
    ) -> None:
        self._contract = contract
        self._custodians = custodians
        self._acting = acting

    def submit(
        self,
        name: str,
        *args: str,
        transient: Mapping[str, bytes] | None = None,
        holder: str | None = None,
    ) -> bytes:
        """Submit at the custodians, or, with ``holder``, at that organisation alone."""
        entries = dict(transient or {})
        if self._acting is not None:
            entries["acting"] = _wire.plain(self._acting)
        return self._contract.submit(
            name,
            *args,
            transient=entries,
            endorsing_organizations=[holder] if holder is not None else self._custodians,
            retry=_retries.SUBMIT,
        )

    def evaluate(
        self,
        name: str,
        *args: str,
        holder: str | None = None,
        retry: RetryOptions | None = None,
    ) -> bytes:
        """Evaluate, at a peer of ``holder`` where the answer is nowhere else.

        Raises :class:`HolderUnavailableError` where no peer of the holder answers.
        """
        entries = {} if self._acting is None else {"acting": _wire.plain(self._acting)}
        try:
            return self._contract.evaluate(
                name,
                *args,
                transient=entries or None,
                target_organizations=[holder] if holder is not None else None,
                retry=retry,
            )
        except GatewayError as error:
            unavailable = unavailable_holder(error, holder)
            if unavailable is None:
                raise
            raise unavailable from error

    def rows(
        self, kind: type[_T], name: str, *args: str, holder: str | None = None
    ) -> tuple[_T, ...]:
        """Evaluate what answers a list of ``kind``."""
        return _wire.rows(kind, self.evaluate(name, *args, holder=holder))

    def one(self, kind: type[_T], name: str, *args: str, holder: str | None = None) -> _T:
        """Evaluate what answers one ``kind``."""
        return _wire.from_wire(kind, self.evaluate(name, *args, holder=holder))
