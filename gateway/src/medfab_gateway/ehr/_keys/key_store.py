"""A holder's data keys: a folder that only its owner can read, one folder for each patient.

The names say nothing about patients: they are keyed digests. Losing the folder loses the sealed
records, so keep copies where erasure reaches them: what is to be shredded must not survive there.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

from medfab_gateway._files import sync_folder, write_private_file
from medfab_gateway.ehr._filing_key import FilingKey
from medfab_gateway.ehr._keys.envelope import KEY_BYTES, DataKey
from medfab_gateway.ehr.errors import DataKeyError

_CURRENT = "current"
_CONTENT = "content"
_PERMITS = "permits"


class KeyStore:
    """Data keys of the patients of one holder.

    ::

        keys = KeyStore(Path("keys"), filing_key)
        key = keys.current(patient)      # made, where the patient has none
        newer = keys.rotate(patient)     # what is filed from now on is under this one
        keys.shred(patient)              # nothing that was sealed can be opened any more

    Several processes of the holder may share the folder. Raises :class:`DataKeyError`.
    """

    def __init__(self, folder: Path, filing_key: FilingKey) -> None:
        self._folder = folder
        self._secret = hmac.digest(filing_key.secret, b"key store", hashlib.sha256)

    def current(self, patient: str) -> DataKey:
        """The key that new records are sealed under; the first call makes one."""
        folder = self._of(patient)
        pointer = folder / _CURRENT
        try:
            if not pointer.exists():
                key = DataKey.new()
                self.add(patient, key)
                self._create(pointer, key.key_id)
                if pointer.read_text(encoding="ascii") != key.key_id:
                    self.forget(patient, key.key_id)
            key_id = pointer.read_text(encoding="ascii")
        except OSError as error:
            raise DataKeyError(f"the key store {self._folder} cannot be used") from error
        return self.get(patient, key_id)

    def get(self, patient: str, key_id: str) -> DataKey:
        """The key ``key_id`` of a patient."""
        path = self._of(patient) / f"{_checked(key_id)}.key"
        try:
            fields = json.loads(path.read_text(encoding="ascii"))
            return DataKey(fields["key_id"], bytes.fromhex(fields["secret"]))
        except FileNotFoundError:
            reason = "has no such key: it was replaced, or shredded by an erasure"
        except (OSError, ValueError, LookupError, TypeError):
            reason = "holds a key that cannot be read: restore it from a copy"
        raise DataKeyError(f"the key store {self._folder} {reason}")

    def content_secret(self, patient: str) -> bytes:
        """What the keys of single records are derived from; it stays until it is shredded."""
        folder = self._of(patient)
        path = folder / f"{_CONTENT}.key"
        try:
            if not path.exists():
                self._create(path, secrets.token_hex(KEY_BYTES))
            return bytes.fromhex(path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            reason = "holds a key that cannot be read: restore it from a copy"
        raise DataKeyError(f"the key store {self._folder} {reason}")

    def folder_name(self, patient: str) -> str:
        """32 hex digits: where the patient's documents are; only the holder can tell whose."""
        return hmac.digest(self._secret, f"folder/{patient}".encode(), hashlib.sha256).hex()[:32]

    def permits(self, patient: str) -> tuple[str, ...]:
        """Requests that the data key has been wrapped for: a new key is wrapped for them, too."""
        try:
            return tuple((self._of(patient) / _PERMITS).read_text(encoding="ascii").split())
        except FileNotFoundError:
            return ()

    def set_permits(self, patient: str, request_ids: Iterable[str]) -> None:
        """Remember whom the data key is wrapped for; of two processes, the last one counts."""
        folder = self._of(patient)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private_file(folder / _PERMITS, "\n".join(dict.fromkeys(request_ids)).encode())

    def add(self, patient: str, key: DataKey) -> None:
        """Put a key there, without making it the current one."""
        folder = self._of(patient)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = json.dumps({"key_id": _checked(key.key_id), "secret": key.secret.hex()})
        write_private_file(folder / f"{key.key_id}.key", text.encode())

    def make_current(self, patient: str, key_id: str) -> None:
        """Seal new records under ``key_id`` from now on."""
        self.get(patient, key_id)
        write_private_file(self._of(patient) / _CURRENT, key_id.encode())

    def rotate(self, patient: str) -> DataKey:
        """Make a new key, the current one from now on; older ones stay until they are forgotten."""
        key = DataKey.new()
        self.add(patient, key)
        self.make_current(patient, key.key_id)
        return key

    def forget(self, patient: str, key_id: str) -> None:
        """Destroy one key: when nothing is under it any more."""
        _destroy(self._of(patient) / f"{_checked(key_id)}.key")

    def shred(self, patient: str) -> int:
        """Destroy all keys of a patient; returns how many there were.

        The bytes are written over before the file goes. A file system or disk that keeps old
        bytes (copy on write, wear levelling, backups) needs a means of its own.
        """
        folder = self._of(patient)
        keys = sorted(folder.glob("*.key")) if folder.is_dir() else []
        for path in keys:
            _destroy(path)
        if folder.is_dir():
            shutil.rmtree(folder)
            sync_folder(self._folder)
        return len(keys)

    def key_ids(self, patient: str) -> tuple[str, ...]:
        """Ids of the keys there are."""
        found = {path.stem for path in self._of(patient).glob("*.key")}
        return tuple(sorted(found - {_CONTENT}))

    def _create(self, path: Path, text: str) -> None:
        """Write a new file; of several processes that do it at once, the first wins."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.parent / f".{secrets.token_hex(8)}"
        write_private_file(temporary, text.encode())
        try:
            path.hardlink_to(temporary)
            sync_folder(path.parent)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()

    def _of(self, patient: str) -> Path:
        return self._folder / hmac.digest(self._secret, patient.encode(), hashlib.sha256).hex()[:32]


def _destroy(path: Path) -> None:
    try:
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(max(KEY_BYTES, path.stat().st_size)))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        sync_folder(path.parent)
    except FileNotFoundError:
        return


def _checked(key_id: str) -> str:
    if not key_id.isalnum() or not key_id.isascii():
        raise DataKeyError("an id of a data key has letters and digits only")
    return key_id
