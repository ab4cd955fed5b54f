"""A wallet whose private keys are in a token."""

from __future__ import annotations

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric import ec

from medfab_gateway.errors import HsmError
from medfab_gateway.hsm._key_id import subject_key_id
from medfab_gateway.hsm._token import HsmToken
from medfab_gateway.identity import Identity
from medfab_gateway.wallet import Wallet, WalletEntry


class HsmWallet:
    """Certificates in another wallet, keys in a token.

        with HsmToken.open("/usr/lib/softhsm/libsofthsm2.so", "medfab", pin) as token:
            wallet = HsmWallet(FileSystemWallet("wallet"), token)
            key = token.generate_key()
            request = signing_request(key.public_key, key, common_name="dr-okafor")
            issued = await ca.enroll_request("dr-okafor", secret, request)
            wallet.put("dr-okafor", issued.identity("HospitalMSP"))

    Entries of the other wallet that have their key there are given as they are. A file of a
    `FileSystemWallet` is that of the official Node SDK for `HSM-X.509`: either finds the key of the
    other, by the subject key id of its certificate.
    """

    def __init__(self, certificates: Wallet, token: HsmToken) -> None:
        """The token stays the caller's to close; signers fail from then on."""
        self._certificates = certificates
        self._token = token

    def list(self) -> tuple[str, ...]:
        """The labels, sorted. Raises `WalletError`."""
        return self._certificates.list()

    def get(self, label: str) -> WalletEntry:
        """The identity under `label`, its key found in the token.

        Raises `HsmError` where the token has no such key; `IdentityNotFoundError`, `WalletError`.
        """
        entry = self._certificates.get(label)
        if entry.private_key_pem is not None:
            return entry
        return replace(entry, token_signer=self._token.signer(entry.identity))

    def put(self, label: str, identity: Identity, private_key_pem: bytes | None = None) -> None:
        """Stores the certificate of a key that the token has.

        Raises `HsmError` where it has not, or a key is given: a key that has been outside is not
        brought in; `WalletError`.
        """
        if private_key_pem is not None:
            raise HsmError(
                f"The key of {label!r} would be put into the token from outside. Make one there: "
                "HsmToken.generate_key(), signing_request(), enroll_request()."
            )
        self._token.signer(identity)  # that it is there, and the right one
        self._certificates.put(label, identity, None)

    def remove(self, label: str) -> None:
        """Deletes the certificate, and the key from the token: it cannot be brought back.

        Raises `IdentityNotFoundError`, `WalletError`, `HsmError`.
        """
        entry = self._certificates.get(label)
        self._certificates.remove(label)
        public_key = entry.identity.x509.public_key()
        if entry.private_key_pem is None and isinstance(public_key, ec.EllipticCurvePublicKey):
            self._token.destroy_key(subject_key_id(public_key))
