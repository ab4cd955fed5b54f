"""A holder's secret, which turns ids of resources into ids on the ledger."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from medfab_gateway.ehr.errors import FilingKeyError

_KEY_BYTES = 32


@dataclass(frozen=True)
class FilingKey:
    """A holder's secret, which turns ids of resources into ids on the ledger.

    All who file for one organisation share it: with it a record is recognised when it is filed
    again; without it nobody can test the ledger for a guessed id. Keep a copy: with another key
    everything would be filed a second time.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < _KEY_BYTES:
            raise FilingKeyError(f"a filing key has at least {_KEY_BYTES} bytes")

    @classmethod
    def load_or_create(cls, path: Path) -> FilingKey:
        """Read the key from ``path`` (hex), or make one there, mode 0600.

        Safe when several processes do it at once. Raises :class:`FilingKeyError`.
        """
        try:
            if not path.exists():
                _create(path, secrets.token_hex(_KEY_BYTES))
            return cls(bytes.fromhex(path.read_text(encoding="ascii")))
        except (OSError, ValueError):
            # `from None`: a ValueError can quote the secret.
            raise FilingKeyError(
                f"{path} does not hold a filing key that can be read: restore it from a copy "
                "(a new one would file every record a second time)"
            ) from None

    def record_id(self, patient: str, key: str) -> str:
        """Return the ledger's id of the record ``key`` (``Type/id``) of ``patient``: 64 hex."""
        of_patient = hmac.digest(self.secret, patient.encode(), hashlib.sha256)
        return hmac.digest(of_patient, key.encode(), hashlib.sha256).hex()


def _create(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: it never replaces the key that another process was faster with.
        path.hardlink_to(temporary)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
