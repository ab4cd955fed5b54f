"""A secret in ``n`` shares, of which any ``t`` give it back (Shamir, over GF(256)).

Fewer than ``t`` tell nothing about it. Every share names all shares of its set by digest, so that
one that was changed is found and named. A digest tells nothing: shares are random, and as long as
the secret, which must therefore not be short.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from medfab_gateway.ehr.errors import ShareError

MOST_SHARES = 255
SHORTEST_SECRET = 16

# Logarithms to the base 3, which generates the field with the polynomial of AES (0x11B).
_EXP = [1] * 255
for _power in range(1, 255):
    _doubled = _EXP[_power - 1] << 1
    _EXP[_power] = _EXP[_power - 1] ^ (_doubled ^ 0x11B if _doubled & 0x100 else _doubled)
_LOG = {value: power for power, value in enumerate(_EXP)}


@dataclass(frozen=True, kw_only=True)
class Share:
    """One custodian's share."""

    number: int
    """1 to n: where the polynomials were evaluated."""
    threshold: int
    digests: tuple[str, ...]
    """SHA-256 (hex) of every share of the set, in order."""
    value: bytes = field(repr=False)

    @property
    def set_id(self) -> str:
        """Says which set it is of: the same in all shares of a secret."""
        return hashlib.sha256("/".join([str(self.threshold), *self.digests]).encode()).hexdigest()

    def to_json(self) -> str:
        """The share as text: as secret as the share."""
        return json.dumps(
            {
                "number": self.number,
                "threshold": self.threshold,
                "digests": list(self.digests),
                "value": base64.b64encode(self.value).decode(),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Share:
        """Read :meth:`to_json`; :class:`ShareError` if it is none."""
        try:
            fields = json.loads(text)
            share = cls(
                number=int(fields["number"]),
                threshold=int(fields["threshold"]),
                digests=tuple(map(str, fields["digests"])),
                value=base64.b64decode(fields["value"], validate=True),
            )
        except (ValueError, LookupError, TypeError):
            share = None
        if share is None:  # outside of the handler: what was caught quotes the share
            raise ShareError("this is no share of a key")
        return share


def split_secret(secret: bytes, *, threshold: int, shares: int) -> tuple[Share, ...]:
    """Make ``shares`` shares of ``secret``, of which ``threshold`` are needed."""
    if not 1 < threshold <= shares <= MOST_SHARES:
        raise ValueError(f"2 <= threshold <= shares <= {MOST_SHARES} does not hold")
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f"a secret to be shared has {SHORTEST_SECRET} bytes or more")
    # One polynomial for each byte: the byte itself, then random coefficients.
    coefficients = [secret, *(secrets.token_bytes(len(secret)) for _ in range(threshold - 1))]
    values = [_evaluate(coefficients, number) for number in range(1, shares + 1)]
    digests = tuple(_digest(number, value) for number, value in enumerate(values, start=1))
    return tuple(
        Share(number=number, threshold=threshold, digests=digests, value=value)
        for number, value in enumerate(values, start=1)
    )


def combine_shares(shares: Sequence[Share], *, set_id: str | None = None) -> bytes:
    """The secret. ``set_id``: of the set they must be of; None: what most of them say.

    Raises :class:`ShareError`, which names the shares that were changed or belong elsewhere, or
    says how many are missing.
    """
    said = [share.set_id for share in shares]
    expected = set_id or max(sorted(set(said)), key=said.count, default="")
    wrong = sorted(
        share.number for share in shares if share.set_id != expected or not _is_whole(share)
    )
    if wrong:
        raise ShareError(
            "changed, or of another set: the shares " + ", ".join(map(str, wrong)),
            numbers=tuple(wrong),
        )
    by_number = {share.number: share.value for share in shares}
    needed = shares[0].threshold if shares else 2
    if len(by_number) < needed:
        raise ShareError(f"{needed} different shares are needed, and {len(by_number)} are here")
    return _interpolate(dict(sorted(by_number.items())[:needed]))


def _is_whole(share: Share) -> bool:
    in_set = 1 <= share.number <= len(share.digests)
    return in_set and share.digests[share.number - 1] == _digest(share.number, share.value)


def _digest(number: int, value: bytes) -> str:
    return hashlib.sha256(bytes([number]) + value).hexdigest()


def _evaluate(coefficients: Sequence[bytes], x: int) -> bytes:
    result = bytes(len(coefficients[0]))
    for coefficient in reversed(coefficients):
        result = bytes(_times(y, x) ^ c for y, c in zip(result, coefficient, strict=True))
    return result


def _interpolate(values: dict[int, bytes]) -> bytes:
    """The polynomials at 0, by Lagrange; minus is exclusive or, as plus is."""
    result = bytes(len(next(iter(values.values()))))
    for x, value in values.items():
        weight = 1
        for other in values:
            if other != x:
                weight = _times(weight, _times(other, _inverse(other ^ x)))
        result = bytes(r ^ _times(v, weight) for r, v in zip(result, value, strict=True))
    return result


def _times(one: int, other: int) -> int:
    return _EXP[(_LOG[one] + _LOG[other]) % 255] if one and other else 0


def _inverse(value: int) -> int:
    return _EXP[-_LOG[value] % 255]
