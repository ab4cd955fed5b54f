"""How the contract names packs: ids, their digests, and lots by a secret of the product's owner."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from medfab_gateway.pharma._digital_link import parse_link
from medfab_gateway.pharma._epc import Identifier, from_urn, identifier_of
from medfab_gateway.pharma._instances import Sgtin
from medfab_gateway.pharma._keys import Gtin, Sscc
from medfab_gateway.pharma._secret_file import read_or_create
from medfab_gateway.pharma.errors import IdentifierError

Item = Sgtin | Sscc
"""A pack, case or pallet."""

MAX_ITEMS = 1000
"""Of one call."""


def item_id(item: Item) -> str:
    """The contract's id: the path of the Digital Link, without escapes."""
    if isinstance(item, Sgtin):
        return f"01/{item.gtin}/21/{item.serial}"
    return f"00/{item}"


def item_of(text: str) -> Item:
    """The item of a contract's id, an EPC URN or a Digital Link. Raises `IdentifierError`."""
    if text.startswith("urn:"):
        found: Identifier = from_urn(text)
    elif "://" in text:
        link = parse_link(text)
        serial = link.qualifiers.get("21")
        found = identifier_of(link.ai, link.key, ("21", serial) if serial is not None else None)
    elif text.startswith("01/") and text[17:21] == "/21/":
        found = Sgtin(Gtin(text[3:17]), text[21:])
    elif text.startswith("00/"):
        found = Sscc(text[3:])
    else:
        raise IdentifierError(
            f"{text!r} is not a pack, case or pallet (01/GTIN/21/SERIAL, 00/SSCC)"
        )
    if not isinstance(found, Sgtin | Sscc):
        raise IdentifierError(f"{text!r} names a {type(found).__name__}, not one pack or pallet")
    return found


def digest(item: Item) -> str:
    """How the channel names an item: what state and events show of it."""
    return _short(hashlib.sha256(item_id(item).encode()).digest())


def day(expiry: date) -> int:
    """A date as the contract has it: 20271231."""
    return expiry.year * 10000 + expiry.month * 100 + expiry.day


@dataclass(frozen=True)
class LotKeys:
    """An owner's secret: with it, lots have tags on the ledger that nobody else can make.

    All who commission for one organisation share it. Keep a copy: without it a lot can be recalled
    only with one of its packs in hand.
    """

    secret: bytes = field(repr=False)

    @classmethod
    def load_or_create(cls, path: Path) -> LotKeys:
        """Read the secret from `path` (hex), or make one there, mode 0600."""
        return cls(read_or_create(path, "lot keys"))

    @classmethod
    def generate(cls) -> LotKeys:
        """A new secret, in memory alone."""
        return cls(secrets.token_bytes(32))

    def of_product(self, gtin: Gtin) -> str:
        """The product's key, hex: what goes to the new owner with a transfer."""
        return hmac.digest(self.secret, gtin.value.encode(), hashlib.sha256).hex()

    def hash_of(self, gtin: Gtin) -> str:
        """What the contract keeps of the key."""
        return hashlib.sha256(bytes.fromhex(self.of_product(gtin))).hexdigest()

    def tag(self, gtin: Gtin, lot: str) -> str:
        """The lot's name on the ledger."""
        key = bytes.fromhex(self.of_product(gtin))
        return _short(hmac.digest(key, f"{gtin}|{lot}".encode(), hashlib.sha256))


def _short(value: bytes) -> str:
    return base64.urlsafe_b64encode(value[:24]).decode()
