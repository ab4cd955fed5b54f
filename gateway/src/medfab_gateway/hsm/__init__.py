"""Keys that never leave a hardware security module (PKCS#11). Needs the extra `hsm`.

    from medfab_gateway.hsm import HsmToken

    with HsmToken.open("/usr/lib/softhsm/libsofthsm2.so", "medfab", pin) as token:
        async with AsyncGateway.connect(endpoint, identity, token.signer(identity)) as gateway:
            ...

Tested with SoftHSM 2.6. ECDSA on P-256 and P-384, as in the official clients.
"""

from medfab_gateway.errors import MissingExtraError as _MissingExtraError

try:
    import pkcs11 as _pkcs11  # noqa: F401  here, before a module of ours imports it
except ModuleNotFoundError as _error:
    raise _MissingExtraError("medfab_gateway.hsm", "hsm") from _error

from medfab_gateway.hsm._key_id import subject_key_id
from medfab_gateway.hsm._signer import HsmSigner
from medfab_gateway.hsm._token import HsmToken
from medfab_gateway.hsm._wallet import HsmWallet

__all__ = ["HsmSigner", "HsmToken", "HsmWallet", "subject_key_id"]
