"""Identities and their private keys: in a folder, or in memory; `medfab_gateway.hsm` has tokens.

    wallet = FileSystemWallet(".medfab/organizations/hospital/wallet")
    entry = wallet.get("dr.okafor")
    gateway = AsyncGateway.connect(endpoint, entry.identity, entry.signer())

In a folder an identity is one file, `<label>.id`, in the format of the file wallets of the official
Fabric SDKs (X.509 and HSM-X.509, version 1), so that either can read what the other wrote.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from medfab_gateway._files import sync_folder, write_private_file
from medfab_gateway.errors import IdentityError, IdentityNotFoundError, WalletError
from medfab_gateway.identity import Identity, Signer, load_private_key, private_key_signer

_SUFFIX = ".id"
_IN_FILE, _IN_TOKEN = "X.509", "HSM-X.509"
_SAFE_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+-]{0,199}")


@dataclass(frozen=True, kw_only=True)
class WalletEntry:
    """One identity of a wallet, with its private key.

    ::

        entry = FileSystemWallet(".medfab/organizations/hospital/wallet").get("practitioner")
        async with AsyncGateway.connect(profile, entry.identity, entry.signer()) as gateway:
            contract = gateway.network("care").contract("assets")
            answer = await contract.evaluate("ReadAsset", "asset-1")
    """

    label: str
    """The name it has in the wallet."""

    identity: Identity
    private_key_pem: bytes | None = field(repr=False)
    """Unencrypted, PEM; None where the key is in a token (PKCS#11)."""

    token_signer: Signer | None = field(default=None, repr=False, compare=False)
    """Signs with the token's key, where the wallet has opened the token."""

    def signer(self) -> Signer:
        """Signs with the private key. Raises `IdentityError` for a key that cannot be used."""
        if self.private_key_pem is not None:
            return private_key_signer(self.private_key_pem)
        if self.token_signer is None:
            raise IdentityError(
                f"The private key of {self.label!r} is in a token (PKCS#11), which is not open: "
                "open the wallet as HsmWallet; for medfab, name the token by MEDFAB_HSM_MODULE and "
                "MEDFAB_HSM_TOKEN."
            )
        return self.token_signer


class Wallet(Protocol):
    """What every wallet can do.

    ::

        def identities(wallet: Wallet) -> list[str]:
            return [label for label in wallet.list() if wallet.get(label).identity.msp_id]
    """

    def list(self) -> tuple[str, ...]:
        """The labels, sorted. Raises `WalletError`."""

    def get(self, label: str) -> WalletEntry:
        """The identity under `label`. Raises `IdentityNotFoundError`, `WalletError`."""

    def put(self, label: str, identity: Identity, private_key_pem: bytes | None) -> None:
        """Stores an identity, in place of one with the same label.

        private_key_pem: None where the key is in a token. Raises `WalletError`, `IdentityError`.
        """

    def remove(self, label: str) -> None:
        """Deletes an identity and its key. Raises `IdentityNotFoundError`, `WalletError`."""


class InMemoryWallet:
    """Identities for as long as the program runs; nothing is written anywhere.

    ::

        wallet = InMemoryWallet()
        wallet.put("practitioner", identity, private_key_pem)
        print(wallet.list())
    """

    def __init__(self) -> None:
        self._entries: dict[str, WalletEntry] = {}

    def list(self) -> tuple[str, ...]:
        """The labels, sorted."""
        return tuple(sorted(self._entries))

    def get(self, label: str) -> WalletEntry:
        """The identity under `label`. Raises `IdentityNotFoundError`."""
        try:
            return self._entries[label]
        except KeyError as error:
            raise _not_found("The wallet in memory", label, self.list()) from error

    def put(self, label: str, identity: Identity, private_key_pem: bytes | None) -> None:
        """As `FileSystemWallet.put`."""
        _check_label(label)
        _check_key(label, identity, private_key_pem)
        self._entries[label] = WalletEntry(
            label=label, identity=identity, private_key_pem=private_key_pem
        )

    def remove(self, label: str) -> None:
        """Forgets an identity and its key. Raises `IdentityNotFoundError`."""
        self.get(label)
        del self._entries[label]


class FileSystemWallet:
    """A folder of identities. The folder and its files are for their owner alone (0700, 0600).

        wallet = FileSystemWallet(".medfab/organizations/hospital/wallet")
        print(wallet.list())
        entry = wallet.get("practitioner")

    A label is a file name: letters, digits and `. _ - @ +`, not beginning with a dot or sign.
    """

    def __init__(self, path: str | Path) -> None:
        """path: the folder; it is made when the first identity is put into it."""
        self._path = Path(path)

    @property
    def path(self) -> Path:
        return self._path

    def list(self) -> tuple[str, ...]:
        """The labels, sorted; none where the folder does not exist. Raises `WalletError`."""
        try:
            names = [file.name for file in self._path.iterdir() if file.is_file()]
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise WalletError(f"The wallet {self._path} cannot be read: {error}.") from error
        labels = (name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))
        return tuple(sorted(label for label in labels if _SAFE_LABEL.fullmatch(label)))

    def get(self, label: str) -> WalletEntry:
        """The identity under `label`. Raises `IdentityNotFoundError`, `WalletError`."""
        file = self._file(label)
        try:
            content = file.read_bytes()
        except FileNotFoundError as error:
            raise self._not_found(label) from error
        except OSError as error:
            raise WalletError(f"The identity {file} cannot be read: {error}.") from error
        try:
            return _parse(label, content)
        except (ValueError, KeyError, TypeError, AttributeError, IdentityError) as error:
            # Not the error's own words: they could quote the key.
            raise WalletError(
                f"{file} is not an X.509 identity of a Fabric file wallet (version 1). "
                "Remove it and enrol the identity again."
            ) from error

    def put(self, label: str, identity: Identity, private_key_pem: bytes | None) -> None:
        """Stores an identity, in place of one with the same label: a crash leaves either of them.

        private_key_pem: None where the key is in a token. Raises `WalletError` where key and
        certificate do not belong together, or the file cannot be written; `IdentityError` where
        the key cannot be used.
        """
        file = self._file(label)
        _check_key(label, identity, private_key_pem)
        credentials = {"certificate": identity.certificate.decode("ascii")}
        if private_key_pem is not None:
            credentials["privateKey"] = private_key_pem.decode("ascii")
        content = {
            "credentials": credentials,
            "mspId": identity.msp_id,
            "type": _IN_FILE if private_key_pem is not None else _IN_TOKEN,
            "version": 1,
        }
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private_file(file, json.dumps(content).encode())
        except OSError as error:
            raise WalletError(f"The identity {file} cannot be written: {error}.") from error

    def remove(self, label: str) -> None:
        """Deletes an identity and its key. Raises `IdentityNotFoundError`, `WalletError`."""
        file = self._file(label)
        try:
            file.unlink()
            sync_folder(self._path)
        except FileNotFoundError as error:
            raise self._not_found(label) from error
        except OSError as error:
            raise WalletError(f"The identity {file} cannot be removed: {error}.") from error

    def _file(self, label: str) -> Path:
        _check_label(label)
        return self._path / f"{label}{_SUFFIX}"

    def _not_found(self, label: str) -> IdentityNotFoundError:
        return _not_found(f"The wallet {self._path}", label, self.list())


def _not_found(wallet: str, label: str, labels: tuple[str, ...]) -> IdentityNotFoundError:
    known = f"It has: {', '.join(labels)}." if labels else "It is empty."
    return IdentityNotFoundError(f"{wallet} has no identity {label!r}. {known}")


def _check_label(label: str) -> None:
    if not _SAFE_LABEL.fullmatch(label):
        raise WalletError(
            f"{label!r} cannot be a label: use letters, digits and . _ - @ + only, "
            "beginning with a letter, digit or underscore."
        )


def _check_key(label: str, identity: Identity, private_key_pem: bytes | None) -> None:
    if (
        private_key_pem is not None
        and load_private_key(private_key_pem).public_key() != identity.x509.public_key()
    ):
        raise WalletError(
            f"The private key given for {label!r} does not belong to its certificate."
        )


def _parse(label: str, content: bytes) -> WalletEntry:
    stored = json.loads(content)
    if stored["type"] not in (_IN_FILE, _IN_TOKEN) or stored["version"] != 1:
        raise ValueError("another type or version")
    credentials = stored["credentials"]
    return WalletEntry(
        label=label,
        identity=Identity(stored["mspId"], credentials["certificate"].encode()),
        private_key_pem=(
            credentials["privateKey"].encode() if stored["type"] == _IN_FILE else None
        ),
    )
