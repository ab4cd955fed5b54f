"""What a restored certificate authority has to learn from the channels: who was revoked meanwhile.

Serial numbers are 160 random bits (Fabric CA, by cfssl), so an older database cannot lead to one
that is given twice. Revocations it would forget: the next list that it makes would accept again
whom the channel refuses, and the revoked could enrol once more.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from medfab_gateway.ca import RevocationList
from medfab_network._backup import DATABASE

_FOREVER = "2100-01-01 00:00:00+00:00"
"""When a certificate that only its revocation is known of expires, at the latest."""

_SAME = (
    "ltrim(serial_number, '0') = ltrim(?, '0') "
    "AND ltrim(authority_key_identifier, '0') = ltrim(?, '0')"
)
"""Fabric CA writes neither with leading zeros; nothing shall depend on it."""


@dataclass(kw_only=True)
class Merged:
    """What was taken over."""

    certificates: list[str] = field(default_factory=list)
    """Serial numbers (hex) that the backup did not have as revoked."""
    identities: list[str] = field(default_factory=list)
    """Whose certificates are all revoked now: they can enrol no more, as after `ca revoke`."""


def merge_revocations(authority: Path, lists: Iterable[bytes]) -> Merged:
    """Write the revocations of the lists (PEM) into the database of an authority that is down."""
    merged = Merged()
    with contextlib.closing(sqlite3.connect(authority / DATABASE, timeout=30)) as database:
        for pem in lists:
            revocations = RevocationList(pem)
            key = revocations.authority_key_id.lstrip("0")  # as Fabric CA writes it
            for revoked in revocations.x509:
                # As Fabric CA writes them: lower case, without leading zeros.
                serial = f"{revoked.serial_number:x}"
                if _revoke(database, serial, key, revoked.revocation_date_utc):
                    merged.certificates.append(serial)
        merged.identities = _revoke_identities(database, merged.certificates)
        database.commit()
    return merged


def _revoke(database: sqlite3.Connection, serial: str, key: str, at: datetime) -> bool:
    """False where it is revoked already."""
    found = database.execute(
        f"SELECT status FROM certificates WHERE {_SAME}",  # noqa: S608 - a constant
        (serial, key),
    ).fetchone()
    when = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S+00:00")
    if found is None:  # issued after the backup
        database.execute(
            "INSERT INTO certificates (id, serial_number, authority_key_identifier, ca_label, "
            "status, reason, expiry, revoked_at, pem, level) "
            "VALUES ('', ?, ?, '', 'revoked', 0, ?, ?, '', 0)",
            (serial, key, _FOREVER, when),
        )
        return True
    if _text(found[0]) == "revoked":
        return False
    database.execute(
        f"UPDATE certificates SET status = 'revoked', revoked_at = ?, reason = 0 WHERE {_SAME}",  # noqa: S608 - a constant
        (when, serial, key),
    )
    return True


def _revoke_identities(database: sqlite3.Connection, serials: Iterable[str]) -> list[str]:
    """Of the newly revoked certificates, the identities that have no other one that counts."""
    names = set()
    for serial in serials:
        [owner] = database.execute(
            "SELECT id FROM certificates WHERE serial_number = ?", (serial,)
        ).fetchone()
        left = database.execute(
            "SELECT count(*) FROM certificates WHERE id = ? AND status <> 'revoked'", (owner,)
        ).fetchone()[0]
        if owner and not left:
            database.execute("UPDATE users SET state = -1 WHERE id = ?", (owner,))
            names.add(str(owner))
    return sorted(names)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
