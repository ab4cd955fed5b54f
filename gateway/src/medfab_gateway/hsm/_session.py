"""The session in which a token is used: one operation at a time, and the login behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pkcs11
from pkcs11.exceptions import PKCS11Error, SessionClosed, UserAlreadyLoggedIn

from medfab_gateway.hsm._module import lock_of

# A login is of the whole process: the first user of a token logs in, the last one logs out. Both
# are used with the module's lock held.
_users: Counter[tuple[str, int]] = Counter()
_logins: dict[tuple[str, int], pkcs11.Session] = {}


def is_in_use(library: str) -> bool:
    """Whether a session is open in the module. To be asked with its lock held."""
    return any(users for (module, _), users in _users.items() if module == library)


class TokenSession:
    """Any number of threads may use it. All methods raise `PKCS11Error`."""

    def __init__(self, token: pkcs11.Token, library: str, pin: str) -> None:
        """Logs in."""
        self._token = token
        self._login = (library, token.slot.slot_id)
        self._lock = lock_of(library)
        self._keys: dict[bytes, Any] = {}
        self._closed = False
        with self._lock:
            self._session = token.open()
            try:
                if not _users[self._login]:
                    # Where somebody else in this process has logged in, nobody here logs out.
                    with suppress(UserAlreadyLoggedIn):
                        _logins[self._login] = token.open(user_pin=pin)
            except PKCS11Error:
                _close(self._session)
                raise
            _users[self._login] += 1

    def sign(self, key_id: bytes, digest: bytes) -> bytes:
        """r and s, one after the other. Raises `NoSuchKey` or `MultipleObjectsReturned`."""
        with self._lock:
            self._require_open()
            if key_id not in self._keys:
                self._keys[key_id] = self._session.get_key(
                    object_class=pkcs11.ObjectClass.PRIVATE_KEY,
                    key_type=pkcs11.KeyType.EC,
                    id=key_id,
                )
            pair: bytes = self._keys[key_id].sign(digest, mechanism=pkcs11.Mechanism.ECDSA)
            return pair

    def forget(self, key_id: bytes) -> None:
        """To be called when a key is deleted: it may come back as another one."""
        with self._lock:
            self._keys.pop(key_id, None)

    @contextmanager
    def writable(self) -> Iterator[pkcs11.Session]:
        """A session for making keys; nothing else is done in the meantime."""
        with self._lock:
            self._require_open()
            with self._token.open(rw=True) as session:
                yield session

    def _require_open(self) -> None:
        """A module that was started again gives the numbers of closed sessions to new ones."""
        if self._closed:
            raise SessionClosed

    def close(self) -> None:
        """To be called once."""
        with self._lock:
            self._closed = True
            _close(self._session)
            _users[self._login] -= 1
            if not _users[self._login] and self._login in _logins:
                _close(_logins.pop(self._login))


def _close(session: pkcs11.Session) -> None:
    with suppress(PKCS11Error):  # the device may be gone
        session.close()
