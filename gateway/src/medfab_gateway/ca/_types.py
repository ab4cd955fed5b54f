"""What goes into and comes out of a Fabric CA."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from medfab_gateway.identity import Identity, Signer, private_key_signer


@dataclass(frozen=True, kw_only=True)
class Credential:
    """Who signs a request to the CA: a certificate of that CA, and its signer."""

    certificate: bytes
    """Enrollment certificate, PEM."""
    signer: Signer = field(repr=False)
    """Signs a SHA-256 digest: an ECDSA signer, local or in an HSM."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Subject fields of a certificate; the common name is always the enrollment id.

    The CA sets the organizational units itself, from type and affiliation: NodeOUs depend on it.
    An empty field is left out.
    """

    country: str = ""
    """Two letters, ISO 3166."""
    state: str = ""
    """State or province."""
    locality: str = ""
    """City."""
    organization: str = ""
    """Name of the organization."""
    serial_number: str = ""
    """Of a device, say; not the certificate's."""


class KeyAlgorithm(enum.Enum):
    """What kind of key is made; Fabric takes both."""

    P256 = "P-256"
    """The default of Fabric, and the quicker one."""
    P384 = "P-384"


@dataclass(frozen=True, kw_only=True)
class AttributeRequest:
    """An attribute of the identity to be put into its certificate."""

    name: str
    """Name as registered, e.g. `role` or `hf.Affiliation`."""
    optional: bool = False
    """True: go on without it where the identity has no such attribute."""


@dataclass(frozen=True, kw_only=True)
class CertificateAuthorityInfo:
    """Answer of `cainfo`."""

    ca_name: str
    """Name of this CA; one server may hold several."""
    ca_chain: bytes
    """Certificates of the CA up to its root, PEM."""
    version: str
    """Version of the server, e.g. `1.5.21`."""


@dataclass(frozen=True, kw_only=True)
class IssuedCertificate:
    """A certificate over a key that the CA client has never seen."""

    certificate: bytes
    """PEM."""
    ca_chain: bytes
    """Certificates of the CA up to its root, PEM."""

    def identity(self, msp_id: str) -> Identity:
        """The identity of the MSP `msp_id`; a CA itself knows no MSP ids."""
        return Identity(msp_id, self.certificate)


@dataclass(frozen=True, kw_only=True)
class Enrollment(IssuedCertificate):
    """A certificate and the key made for it."""

    private_key: bytes = field(repr=False)
    """PKCS#8 PEM, not encrypted."""

    @property
    def credential(self) -> Credential:
        """This enrollment as the signer of CA requests."""
        return Credential(certificate=self.certificate, signer=private_key_signer(self.private_key))
