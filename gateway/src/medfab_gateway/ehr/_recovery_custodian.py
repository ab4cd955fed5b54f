"""To whom a patient entrusts a share of a key."""

from __future__ import annotations

from dataclasses import dataclass, field

from medfab_gateway.ehr._keys.sealed_box import PublicKey


@dataclass(frozen=True, kw_only=True)
class RecoveryCustodian:
    """A person who keeps a share."""

    msp_id: str
    person: str = field(repr=False)
    """Id, as in the person's certificate."""
    public_key: PublicKey = field(repr=False)
