"""What shells offer as the value of a setting; nothing here connects to anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def values_of(setting: str, given: Mapping[str, Any]) -> Sequence[str]:
    """The values that can be seen in the network's folder, sorted.

    given: the options of the command so far, as it gets them.
    """
    folder = Path(given.get("directory") or ".")
    if setting == "org":
        return _names(folder / "organizations", "*")
    if setting == "channel":
        return [name.removesuffix(".block") for name in _names(folder / "channels", "*.block")]
    if setting == "identity":
        return _labels(folder, given)
    return []


def _labels(folder: Path, given: Mapping[str, Any]) -> Sequence[str]:
    from medfab_gateway.errors import WalletError
    from medfab_gateway.wallet import FileSystemWallet

    wallet = given.get("wallet_folder")
    organization = given.get("organization")
    if wallet is None:
        if organization is None:
            return []
        wallet = folder / "organizations" / organization / "wallet"
    try:
        return FileSystemWallet(wallet).list()
    except WalletError:
        return []


def _names(folder: Path, pattern: str) -> Sequence[str]:
    return sorted(path.name for path in folder.glob(pattern) if not path.name.startswith("."))
