"""A certificate and its key in two files, as nodes have them."""

from __future__ import annotations

from pathlib import Path

from medfab_gateway._files import sync_folder, write_private_file
from medfab_gateway.errors import WalletError
from medfab_gateway.identity import Identity, load_private_key
from medfab_gateway.wallet import WalletEntry

_NEW = ".new"


class CertificateFiles:
    """A wallet of one identity, whose label is the certificate's file.

    Two files cannot be replaced at once: new ones are written beside them first, then the key takes
    its place, then the certificate. Who is cut off in between finds a key that fits the certificate
    beside, and finishes.
    """

    def __init__(self, certificate: Path, key: Path, msp_id: str) -> None:
        self._certificate, self._key, self._msp_id = certificate, key, msp_id

    def list(self) -> tuple[str, ...]:
        """The one label."""
        return (str(self._certificate),)

    def get(self, label: str) -> WalletEntry:
        """The identity; an earlier change that was cut off is finished first."""
        key = self._read(self._key)
        identity = Identity(self._msp_id, self._read(self._certificate))
        if not _fit(identity, key):
            beside = _beside(self._certificate)
            identity = Identity(
                self._msp_id, self._read(beside if beside.exists() else self._certificate)
            )
            if not _fit(identity, key):
                raise WalletError(f"{self._key} is not the key of {self._certificate}.")
            _replace(self._certificate)
        return WalletEntry(label=label, identity=identity, private_key_pem=key)

    def put(self, label: str, identity: Identity, private_key_pem: bytes | None) -> None:
        """Puts both in place of those that are there."""
        if private_key_pem is None:
            raise WalletError("Files hold keys; one in a token is renewed in the wallet.")
        try:
            write_private_file(_beside(self._key), private_key_pem)
            write_private_file(_beside(self._certificate), identity.certificate)
            _beside(self._certificate).chmod(self._certificate.stat().st_mode)
            _replace(self._key)
            _replace(self._certificate)
        except OSError as error:
            raise WalletError(f"{self._certificate} cannot be replaced: {error}.") from error

    def remove(self, label: str) -> None:
        raise WalletError("A node's files are not removed here.")

    def _read(self, file: Path) -> bytes:
        try:
            return file.read_bytes()
        except OSError as error:
            raise WalletError(f"{file} cannot be read: {error.strerror}.") from error


def _fit(identity: Identity, key: bytes) -> bool:
    return load_private_key(key).public_key() == identity.x509.public_key()


def _beside(file: Path) -> Path:
    return file.with_name(file.name + _NEW)


def _replace(file: Path) -> None:
    _beside(file).replace(file)
    sync_folder(file.parent)
