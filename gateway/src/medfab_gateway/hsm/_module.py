"""PKCS#11 modules, the libraries of the HSMs' makers, and the tokens in them."""

from __future__ import annotations

import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import pkcs11
from pkcs11.exceptions import MultipleTokensReturned, NoSuchToken, PKCS11Error

from medfab_gateway.errors import HsmError

# By module, and not by session: python-pkcs11 initialises modules without asking them to lock, and
# such a module may be used by one thread at a time (PKCS#11 2.40, C_Initialize). SoftHSM fails
# otherwise.
_locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)


def lock_of(library: str) -> threading.RLock:
    """To be held whenever the module is called."""
    return _locks[library]


def load_module(library: str | Path) -> Any:
    try:
        return pkcs11.lib(str(library))
    except (PKCS11Error, OSError) as error:
        raise HsmError(
            f"The PKCS#11 module {library} cannot be loaded. Is it the path of the .so file of "
            "the HSM's maker, for this machine, and configured?"
        ) from error


def find_token(module: Any, label: str, library: str | Path, *, in_use: bool) -> pkcs11.Token:
    """in_use: a token of the module is open here, so that the module cannot be started again."""
    try:
        return _find(module, label, in_use=in_use)
    except NoSuchToken as error:
        labels = sorted(token.label for token in module.get_tokens())
        added = " A token added since the first one was opened is seen once all are closed."
        raise HsmError(
            f"The module {library} has no token {label!r}. It has: {', '.join(labels) or 'none'}."
            + (added if in_use else "")
        ) from error
    except MultipleTokensReturned as error:
        raise HsmError(f"The module {library} has several tokens {label!r}.") from error
    except PKCS11Error as error:
        raise HsmError(
            f"The module {library} does not list its tokens: {type(error).__name__}."
        ) from error


def _find(module: Any, label: str, *, in_use: bool) -> pkcs11.Token:
    """Modules may list their tokens once, when they are started (SoftHSM does): a token that was
    added later is found by starting the module again, which ends every session in it."""
    try:
        token: pkcs11.Token = module.get_token(token_label=label)
    except NoSuchToken:
        if in_use:
            raise
        module.reinitialize()
        token = module.get_token(token_label=label)
    return token
