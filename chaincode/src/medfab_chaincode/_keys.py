"""Keys, composite keys and the checks that Fabric expects the shim to make.

A composite key is U+0000, then every part followed by U+0000 (Fabric's own form, shared with
the Go, Node and Java shims). U+10FFFF ends the range of a partial key, so neither may be in a
part. No message here repeats a key: a key is the contract's, but may be the caller's text.
"""

from collections.abc import Sequence

from medfab_chaincode.errors import InvalidKeyError

_SEPARATOR = "\x00"
_HIGHEST = "\U0010ffff"
_LOWEST_SIMPLE_KEY = "\x01"

ALL_COMPOSITE_KEYS = (_SEPARATOR, _SEPARATOR + _HIGHEST)
"""The bounds of the range that holds every composite key and nothing else."""


def checked_key(key: str) -> str:
    """Return `key`, or raise `InvalidKeyError` if it is empty or not UTF-8."""
    if not key:
        raise InvalidKeyError("a key must not be empty")
    return encodable(key, "a key")


def checked_keys(keys: Sequence[str]) -> list[str]:
    """Return `keys`, each of them checked; `InvalidKeyError` too for one string."""
    if isinstance(keys, str):
        raise InvalidKeyError("the keys are a list, not one string")
    return [checked_key(key) for key in keys]


def checked_query(query: str) -> str:
    """Return `query`, or raise `InvalidKeyError` if it is empty or not UTF-8."""
    if not query:
        raise InvalidKeyError("a query must not be empty")
    return encodable(query, "a query")


def checked_collection(collection: str) -> str:
    """Return `collection`, or raise `InvalidKeyError` if it is empty or not UTF-8."""
    if not collection:
        # To the peer an empty collection means public state: private data would be published.
        raise InvalidKeyError("a collection name must not be empty")
    return encodable(collection, "a collection name")


def create_composite_key(object_type: str, attributes: Sequence[str]) -> str:
    """Join an object type and attributes into one key that sorts by its parts.

    `attributes` may be empty, and so may each of them.
    Raises `InvalidKeyError` for an empty object type, a `str` given for the attributes, or a
    part with U+0000 or U+10FFFF.
    """
    if isinstance(attributes, str):
        raise InvalidKeyError("the attributes of a composite key are a list, not one string")
    if not object_type:
        raise InvalidKeyError("the object type of a composite key must not be empty")
    parts = [object_type, *attributes]
    for part in parts:
        if _SEPARATOR in part or _HIGHEST in part:
            raise InvalidKeyError("a part of a composite key must not hold U+0000 or U+10FFFF")
        encodable(part, "a part of a composite key")
    return _SEPARATOR + _SEPARATOR.join(parts) + _SEPARATOR


def split_composite_key(key: str) -> tuple[str, list[str]]:
    """Take a composite key apart: (object type, attributes). The inverse of creating one.

    Raises `InvalidKeyError` if `key` is not a composite key.
    """
    parts = key.split(_SEPARATOR)
    if len(parts) < 3 or parts[0] or parts[-1] or not parts[1]:
        raise InvalidKeyError("not a composite key")
    return parts[1], parts[2:-1]


def simple_range(start: str, end: str) -> tuple[str, str]:
    """Return the bounds of a range over simple keys; composite keys are never in it.

    An empty `start` means the first simple key, an empty `end` means no upper bound.
    Raises `InvalidKeyError` for a bound that begins with U+0000.
    """
    for bound in (start, end):
        if bound.startswith(_SEPARATOR):
            raise InvalidKeyError(
                "a range of simple keys must not begin or end at a composite key;"
                " use a partial composite key instead"
            )
        encodable(bound, "a bound of a range")
    return start or _LOWEST_SIMPLE_KEY, end


def composite_range(object_type: str, attributes: Sequence[str]) -> tuple[str, str]:
    """Return the bounds of all composite keys that begin with these parts."""
    start = create_composite_key(object_type, attributes)
    return start, start + _HIGHEST


def encodable(text: str, what: str) -> str:
    """Return `text`, or raise `InvalidKeyError`, which says what it is, if it is not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        # `from None`: a UnicodeEncodeError carries the whole text.
        raise InvalidKeyError(f"{what} holds a lone surrogate, which UTF-8 cannot carry") from None
    return text
