"""The attributes that Fabric CA puts into certificates."""

from __future__ import annotations

import json

from cryptography import x509

_OID = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")


def certificate_attributes(certificate: x509.Certificate) -> dict[str, str]:
    """Name → value; empty where the certificate has none."""
    try:
        extension = certificate.extensions.get_extension_for_oid(_OID).value
    except x509.ExtensionNotFound:
        return {}
    if not isinstance(extension, x509.UnrecognizedExtension):
        return {}
    content = json.loads(extension.value)
    return {str(name): str(value) for name, value in content.get("attrs", {}).items()}
