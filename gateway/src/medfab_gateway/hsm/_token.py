"""A token of a PKCS#11 module: where the keys are."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

import pkcs11
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from pkcs11.exceptions import PinIncorrect, PinLenRange, PinLocked, PKCS11Error
from pkcs11.util.ec import encode_named_curve_parameters

from medfab_gateway.errors import HsmError
from medfab_gateway.hsm._key_id import subject_key_id
from medfab_gateway.hsm._module import find_token, load_module, lock_of
from medfab_gateway.hsm._session import TokenSession, is_in_use
from medfab_gateway.hsm._signer import HsmSigner
from medfab_gateway.identity import Identity

_PIN_VARIABLE = "MEDFAB_HSM_PIN"
_PROBE = bytes(32)


class HsmToken:
    """An open token. The PIN is used once and kept nowhere."""

    def __init__(self, label: str, session: TokenSession) -> None:
        self._label = label
        self._session = session
        self._closed = False

    @classmethod
    def open(cls, library: str | Path, label: str, pin: str | None = None) -> HsmToken:
        """Opens the token with that label and logs in.

        library: the module of the HSM's maker (`.so`). pin: the user's; None: the environment
        variable `MEDFAB_HSM_PIN`. A process may open a token several times, and somebody else in
        it may have done so before: a token is logged in for the process as a whole, and whoever
        comes later needs no right PIN. A token that was added after the module was loaded is
        found, too, unless another `HsmToken` of this module is open: the module is started again
        for it, which ends sessions that others have opened in it by themselves.

        Raises `HsmError` for a module that cannot be loaded, a missing token, a wrong PIN.
        """
        pin = os.environ.get(_PIN_VARIABLE) if pin is None else pin
        if pin is None:
            raise HsmError(f"The PIN of token {label!r} is missing: give it, or {_PIN_VARIABLE}.")
        with lock_of(str(library)):
            token = find_token(load_module(library), label, library, in_use=is_in_use(str(library)))
        try:
            return cls(label, TokenSession(token, str(library), pin))
        except (PinIncorrect, PinLenRange) as error:
            raise HsmError(
                f"Token {label!r} refuses the PIN. It locks after some wrong attempts."
            ) from error
        except PinLocked as error:
            raise HsmError(
                f"Token {label!r} is locked: its security officer unlocks it."
            ) from error
        except PKCS11Error as error:
            raise HsmError(
                f"Token {label!r} does not log us in: {type(error).__name__}."
            ) from error

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._label!r})"

    def signer(self, identity: Identity, *, key_id: bytes | None = None) -> HsmSigner:
        """A signer with the private key of that identity.

        key_id: `CKA_ID` of the key; None: the subject key id of the certificate, under which
        Fabric's own programs keep it. The key signs once here, to see that it is the right one.
        Raises `HsmError` for a key that is missing, another one than the certificate's, or not
        ECDSA; `SigningError` where the token does not sign.
        """
        public_key = identity.x509.public_key()
        if not isinstance(public_key, ec.EllipticCurvePublicKey):
            raise HsmError("A token signs with ECDSA keys only; this certificate has another.")
        key_id = subject_key_id(public_key) if key_id is None else key_id
        signer = HsmSigner(self._session, key_id, public_key)
        try:
            public_key.verify(signer(_PROBE), _PROBE, ec.ECDSA(Prehashed(hashes.SHA256())))
        except InvalidSignature as error:
            raise HsmError(
                f"Key {key_id.hex()} of token {self._label!r} does not belong to the certificate "
                f"of the {identity.msp_id} identity."
            ) from error
        return signer

    def generate_key(self) -> HsmSigner:
        """Makes a P-256 key pair in the token, which never lets the private one out.

        Its id is its subject key id, so that `signer(identity)` finds it once it has a
        certificate. Raises `HsmError`.
        """
        try:
            with self._session.writable() as session:
                return self._generate(session)
        except PKCS11Error as error:
            raise HsmError(
                f"Token {self._label!r} does not make a key: {type(error).__name__}."
            ) from error

    def destroy_key(self, key_id: bytes) -> None:
        """Deletes the key pair of that id; harmless where the token has none. Raises `HsmError`."""
        try:
            with self._session.writable() as session:
                for key in list(session.get_objects({pkcs11.Attribute.ID: key_id})):
                    key.destroy()
            self._session.forget(key_id)
        except PKCS11Error as error:
            raise HsmError(
                f"Token {self._label!r} does not delete key {key_id.hex()}: {type(error).__name__}."
            ) from error

    def _generate(self, session: pkcs11.Session) -> HsmSigner:
        parameters = session.create_domain_parameters(
            pkcs11.KeyType.EC,
            {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")},
            local=True,
        )
        public, private = parameters.generate_keypair(
            store=True,
            capabilities=pkcs11.MechanismFlag.SIGN | pkcs11.MechanismFlag.VERIFY,
            private_template={
                pkcs11.Attribute.SENSITIVE: True,
                pkcs11.Attribute.EXTRACTABLE: False,
            },
        )
        # An OCTET STRING around 65 bytes; some modules leave the OCTET STRING out.
        point = public[pkcs11.Attribute.EC_POINT][-65:]
        public_key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        key_id = subject_key_id(public_key)
        for key in (public, private):
            key[pkcs11.Attribute.ID] = key_id
        return HsmSigner(self._session, key_id, public_key)

    def close(self) -> None:
        """Ends the session; signers fail from now on. May be called again."""
        if not self._closed:
            self._closed = True
            self._session.close()

    def __enter__(self) -> HsmToken:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
