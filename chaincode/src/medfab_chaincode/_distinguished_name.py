"""A distinguished name as Go prints it, which Fabric's client ids are made of.

Go parses a name into groups and writes the groups in its own order, last first, with the values
of one type joined by `+`; types it does not know are left out, and of several common names or
serial numbers the last one stays. `Name.rfc4514_string()` does none of this. Source: Go's
`crypto/x509/pkix` (`Name.ToRDNSequence`) and fabric-chaincode-go's `pkg/cid` (`getDN`).
"""

from cryptography.x509 import Name, ObjectIdentifier
from cryptography.x509.oid import NameOID

_GROUPS = (
    ("C", NameOID.COUNTRY_NAME),
    ("ST", NameOID.STATE_OR_PROVINCE_NAME),
    ("L", NameOID.LOCALITY_NAME),
    ("STREET", NameOID.STREET_ADDRESS),
    ("POSTALCODE", NameOID.POSTAL_CODE),
    ("O", NameOID.ORGANIZATION_NAME),
    ("OU", NameOID.ORGANIZATIONAL_UNIT_NAME),
    ("CN", NameOID.COMMON_NAME),
    ("SERIALNUMBER", NameOID.SERIAL_NUMBER),
)
_SINGLE = (NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER)
_ESCAPED = frozenset(',+"\\<>;')


def go_distinguished_name(name: Name) -> str:
    """Write `name` the way a Go chaincode's `cid` package does."""
    groups = []
    for label, oid in _GROUPS:
        values = _values(name, oid)
        if values:
            groups.append("+".join(f"{label}={_escape(value)}" for value in values))
    return ",".join(reversed(groups))


def _values(name: Name, oid: ObjectIdentifier) -> list[str]:
    values = [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]
    if oid in _SINGLE:
        return [value for value in values[-1:] if value]
    return values


def _escape(value: str) -> str:
    last = len(value) - 1
    return "".join(
        "\\" + character
        if character in _ESCAPED
        or (character == " " and index in (0, last))
        or (character == "#" and index == 0)
        else character
        for index, character in enumerate(value)
    )
