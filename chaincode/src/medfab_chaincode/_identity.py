"""Who signed a proposal: organisation, certificate, attributes and Fabric's id string."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from fabric_protos.msp import identities_pb2

from medfab_chaincode.errors import IdentityError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

ATTRIBUTE_OID = "1.2.3.4.5.6.7.8.1"
"""The certificate extension in which Fabric CA puts attributes."""

# The peer verifies the first block that Go's pem.Decode finds, of whatever type, and ignores what
# is around it. A parser that finds another block in the same bytes (by its type, or in the middle
# of a line) would take the caller for whoever's certificate was copied in. So: one block, alone.
_ONE_CERTIFICATE = re.compile(
    rb"-----BEGIN CERTIFICATE-----\r?\n"
    rb"((?:[A-Za-z0-9+/=]+\r?\n)+)"
    rb"-----END CERTIFICATE-----[\r\n]*"
)


class ClientIdentity:
    """The creator of a transaction. Its organisation's peer has verified the signature.

    The certificate is parsed on first use: `msp_id` alone costs nothing.
    """

    def __init__(self, msp_id: str, certificate_der: bytes) -> None:
        self.msp_id = msp_id
        """The MSP that vouches for the certificate, e.g. `HospitalMSP`."""
        self._certificate_der = certificate_der

    @classmethod
    def from_creator(cls, creator: bytes) -> "ClientIdentity":
        """Read a serialised `msp.SerializedIdentity`; equal bytes give the same object.

        Raises `IdentityError` if it does not hold one certificate in PEM form and nothing else.
        """
        return _from_creator(creator)

    def __repr__(self) -> str:
        return f"<ClientIdentity of {self.msp_id}>"

    @cached_property
    def certificate(self) -> "Certificate":
        """The client's certificate. Raises `IdentityError` if it cannot be parsed."""
        # Imported here because it would be a third of the server's start-up time.
        from cryptography.x509 import load_der_x509_certificate

        try:
            return load_der_x509_certificate(self._certificate_der)
        except ValueError as error:
            raise IdentityError("the creator's certificate cannot be parsed") from error

    @cached_property
    def organisational_units(self) -> frozenset[str]:
        """The units (OU) of the certificate's subject; Fabric's roles are among them."""
        from cryptography.x509 import NameOID

        units = self.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        return frozenset(str(unit.value) for unit in units)

    @cached_property
    def id(self) -> str:
        """Fabric's id of the client, as the Go shim makes it; the same after a renewal.

        Base64 of ``x509::<subject>::<issuer>``. Unique within one MSP only.
        """
        from medfab_chaincode._distinguished_name import go_distinguished_name

        subject = go_distinguished_name(self.certificate.subject)
        issuer = go_distinguished_name(self.certificate.issuer)
        return base64.b64encode(f"x509::{subject}::{issuer}".encode()).decode("ascii")

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        """The attributes that Fabric CA wrote into the certificate; empty if it wrote none.

        Raises `IdentityError` if they are not of the form `{"attrs": {name: text}}`.
        """
        from cryptography.x509 import ExtensionNotFound, ObjectIdentifier, UnrecognizedExtension

        oid = ObjectIdentifier(ATTRIBUTE_OID)
        try:
            extension = self.certificate.extensions.get_extension_for_oid(oid).value
        except ExtensionNotFound:
            return MappingProxyType({})
        except ValueError as error:
            raise IdentityError("the certificate's extensions cannot be parsed") from error
        raw = extension.value if isinstance(extension, UnrecognizedExtension) else b""
        try:
            attributes = json.loads(raw)["attrs"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise IdentityError("the certificate's attributes are not Fabric CA's") from error
        if not isinstance(attributes, dict) or not all(
            isinstance(value, str) for value in attributes.values()
        ):
            raise IdentityError("the certificate's attributes are not Fabric CA's")
        return MappingProxyType(attributes)

    def attribute(self, name: str) -> str | None:
        """Return one attribute of the certificate, or None if it is not there."""
        return self.attributes.get(name)


@lru_cache(maxsize=256)
def _from_creator(creator: bytes) -> ClientIdentity:
    # Cached because a few hundred clients make millions of calls, and parsing a certificate
    # costs more than the rest of the shim's work on a transaction.
    try:
        identity = identities_pb2.SerializedIdentity.FromString(creator)
    except Exception as error:  # protobuf's DecodeError, whose module depends on its back end
        raise IdentityError("the creator is not a serialised identity") from error
    block = _ONE_CERTIFICATE.fullmatch(identity.id_bytes)
    if block is None:
        raise IdentityError(
            "the creator's certificate is not one PEM block (-----BEGIN CERTIFICATE-----) and "
            "nothing else: take a chain, other blocks and text out of the identity's file"
        )
    try:
        certificate = base64.b64decode(re.sub(rb"[\r\n]", b"", block[1]), validate=True)
    except binascii.Error as error:
        raise IdentityError("the creator's certificate is not base64") from error
    return ClientIdentity(identity.mspid, certificate)
