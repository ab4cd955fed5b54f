"""A file that holds a secret, made when it is first needed."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from medfab_gateway.pharma.errors import LotKeyError

_BYTES = 32


def read_or_create(path: Path, what: str) -> bytes:
    """The secret in `path` (hex). Safe when several processes do it at once."""
    try:
        if not path.exists():
            _create(path)
        secret = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        # `from None`: a ValueError can quote the secret.
        raise LotKeyError(f"{path} does not hold {what} that can be read: restore a copy") from None
    if len(secret) < _BYTES:
        raise LotKeyError(f"{path} holds less than {_BYTES} bytes of {what}: restore a copy")
    return secret


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: it never replaces what another process was faster with.
        path.hardlink_to(temporary)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
