# Made by scripts/make_sync.py from _client_async.py: change that, and run it.
"""The Fabric CA client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from medfab_gateway._closing import Closing
from medfab_gateway.ca import _csr
from medfab_gateway.ca._affiliations import Affiliations
from medfab_gateway.ca._certificates import Certificates
from medfab_gateway.ca._identities import Identities
from medfab_gateway.ca._registered import attribute_list
from medfab_gateway.ca._rest import RestClient
from medfab_gateway.ca._result import Result
from medfab_gateway.ca._types import (
    AttributeRequest,
    CertificateAuthorityInfo,
    Credential,
    Enrollment,
    IssuedCertificate,
    KeyAlgorithm,
    Subject,
)
from medfab_gateway.identity import private_key_signer

_LONGEST_ID = 64  # of a common name, RFC 5280


class CertificateAuthority(Closing):
    """One certificate authority of a Fabric CA server.

        with CertificateAuthority(
            url, ca_name="ca.hospital", tls_root_certificates=pem
        ) as ca:
            registrar = ca.enroll("registrar", secret)
            secret = ca.register(
                registrar.credential, "dr-who", attributes={"role": ("practitioner", True)}
            )
            practitioner = ca.enroll("dr-who", secret)

    Every method raises `CertificateAuthorityError` or a subclass.
    """

    def __init__(
        self,
        url: str,
        *,
        ca_name: str = "",
        tls_root_certificates: bytes,
        timeout: float = 30.0,
    ) -> None:
        """Prepare the client; the first call connects.

        Args:
            url: Base URL, `https://host:port`. Plain HTTP is refused: secrets travel here.
            ca_name: Which CA of the server; empty for the server's default.
            tls_root_certificates: PEM of the certificates trusted to sign the server's, and no
                others: the system's store is not consulted.
            timeout: Seconds to wait for the server at each step; for the connection five at most.

        Raises:
            ValueError: The URL is not https, or the PEM cannot be read.
        """
        self._rest = RestClient(
            url, ca_name=ca_name, tls_root_certificates=tls_root_certificates, timeout=timeout
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._rest.url!r}, ca_name={self._rest.ca_name!r})"

    def close(self) -> None:
        """Close the connections. May be called again."""
        self._rest.close()

    @cached_property
    def identities(self) -> Identities:
        """Whom the CA knows: list, get, modify, remove, revoke."""
        return Identities(self._rest)

    @cached_property
    def affiliations(self) -> Affiliations:
        """The tree of affiliations: list, get, add, rename, remove."""
        return Affiliations(self._rest)

    @cached_property
    def certificates(self) -> Certificates:
        """What the CA has issued: list, revoke, and its revocation list."""
        return Certificates(self._rest)

    def cainfo(self) -> CertificateAuthorityInfo:
        """Name, certificate chain and version; needs no identity."""
        return _info(self._rest.get("cainfo", "Cannot get CA information"))

    def enroll(
        self,
        enrollment_id: str,
        secret: str,
        *,
        hosts: Iterable[str] = (),
        profile: str = "",
        attribute_requests: Iterable[AttributeRequest] | None = None,
        subject: Subject | None = None,
        key: KeyAlgorithm = KeyAlgorithm.P256,
    ) -> Enrollment:
        """Exchange id and secret for a certificate over a key made here.

        Args:
            enrollment_id: Id that was registered; becomes the common name.
            secret: The secret of the registration.
            hosts: DNS names and IP addresses that the certificate is for; a TLS server's needs
                them all.
            profile: `tls` for a TLS certificate, empty for a signing one; others as configured.
            attribute_requests: Attributes to put into the certificate. None: those registered
                with `ecert`, the CA's default. An empty iterable: none at all.
            subject: Further subject fields; None for none.
            key: What kind of key to make.

        Raises:
            AuthenticationFailedError: Unknown id, wrong secret, or no enrollments left.
            ValueError: An id, host or subject field that no certificate can hold.
        """
        _check_id(enrollment_id)
        return self._enroll(
            "enroll",
            f"Cannot enroll {enrollment_id!r}",
            enrollment_id,
            hosts=hosts,
            profile=profile,
            attribute_requests=attribute_requests,
            subject=subject,
            key=key,
            secret=secret,
        )

    def enroll_request(
        self,
        enrollment_id: str,
        secret: str,
        request: bytes,
        *,
        profile: str = "",
        attribute_requests: Iterable[AttributeRequest] | None = None,
    ) -> IssuedCertificate:
        """Exchange id and secret for a certificate over a key made elsewhere, in an HSM perhaps.

        Args:
            enrollment_id: Id that was registered; the CA puts it into the certificate.
            secret: The secret of the registration.
            request: Certificate signing request, PEM, such as `signing_request()` makes; hosts
                are taken from it.
            profile: As for `enroll`.
            attribute_requests: As for `enroll`.

        Raises:
            AuthenticationFailedError: Unknown id, wrong secret, or no enrollments left.
        """
        _check_id(enrollment_id)
        return self._issue(
            "enroll",
            f"Cannot enroll {enrollment_id!r}",
            request,
            profile=profile,
            attribute_requests=attribute_requests,
            basic=(enrollment_id, secret),
        )

    def reenroll(
        self,
        credential: Credential,
        *,
        hosts: Iterable[str] = (),
        profile: str = "",
        attribute_requests: Iterable[AttributeRequest] | None = None,
        subject: Subject | None = None,
        key: KeyAlgorithm = KeyAlgorithm.P256,
    ) -> Enrollment:
        """Exchange a certificate that is still valid for a new one, over a new key.

        Arguments are those of `enroll`; hosts and subject are not taken over from the old
        certificate.

        Raises:
            AuthenticationFailedError: The old certificate has expired, is revoked, or is not of
                this CA.
        """
        enrollment_id = _csr.common_name(credential.certificate)
        return self._enroll(
            "reenroll",
            f"Cannot re-enroll {enrollment_id!r}",
            enrollment_id,
            hosts=hosts,
            profile=profile,
            attribute_requests=attribute_requests,
            subject=subject,
            key=key,
            credential=credential,
        )

    def reenroll_request(
        self,
        credential: Credential,
        request: bytes,
        *,
        profile: str = "",
        attribute_requests: Iterable[AttributeRequest] | None = None,
    ) -> IssuedCertificate:
        """Exchange a certificate that is still valid for a new one, over a key made elsewhere.

        Arguments are those of `enroll_request`. With `signing_request` over the old key, in a token
        perhaps, the identity keeps its key.

        Raises:
            AuthenticationFailedError: As for `reenroll`.
        """
        return self._issue(
            "reenroll",
            f"Cannot re-enroll {_csr.common_name(credential.certificate)!r}",
            request,
            profile=profile,
            attribute_requests=attribute_requests,
            basic=None,
            credential=credential,
        )

    def register(
        self,
        registrar: Credential,
        enrollment_id: str,
        *,
        type: str = "client",
        affiliation: str = "",
        attributes: Mapping[str, tuple[str, bool]] | None = None,
        secret: str | None = None,
        max_enrollments: int | None = None,
    ) -> str:
        """Make an identity known to the CA, and return its enrollment secret.

        Args:
            registrar: An identity that may register, e.g. the CA's bootstrap admin.
            enrollment_id: The new id; unique within the CA.
            type: `client`, `peer`, `orderer` or `admin`: with NodeOUs it decides the role.
            affiliation: Dotted path that exists at the CA. Empty: the registrar's own; `.`: the
                root, where the registrar is not there.
            attributes: Name to (value, whether certificates carry it unless asked otherwise).
            secret: None lets the CA make one.
            max_enrollments: How often the secret may be used; -1 without limit, None as the CA is
                configured.

        Raises:
            AlreadyRegisteredError: The id is taken.
            AuthorizationFailedError: The registrar may not register this type, affiliation or
                attribute.
            ValueError: An id that could be registered, but never enrolled.
        """
        _check_id(enrollment_id)
        body: dict[str, object] = {
            "id": enrollment_id,
            "type": type,
            "affiliation": affiliation,
            "attrs": attribute_list(attributes or {}),
        }
        if secret is not None:
            body["secret"] = secret
        if max_enrollments is not None:
            body["max_enrollments"] = max_enrollments
        result = self._rest.post(
            "register",
            f"Cannot register {enrollment_id!r}",
            body,
            credential=registrar,
            hidden=secret,
        )
        return result.text("secret")

    def _enroll(
        self,
        operation: str,
        summary: str,
        enrollment_id: str,
        *,
        hosts: Iterable[str],
        profile: str,
        attribute_requests: Iterable[AttributeRequest] | None,
        subject: Subject | None,
        key: KeyAlgorithm,
        secret: str | None = None,
        credential: Credential | None = None,
    ) -> Enrollment:
        hosts = tuple(hosts)
        private_key = _csr.generate_private_key(key)
        issued = self._issue(
            operation,
            summary,
            _csr.signing_request(
                private_key.public_key(),
                private_key_signer(private_key),
                common_name=enrollment_id,
                subject=subject,
                hosts=hosts,
            ),
            hosts=hosts,
            profile=profile,
            attribute_requests=attribute_requests,
            basic=None if secret is None else (enrollment_id, secret),
            credential=credential,
        )
        return Enrollment(
            certificate=issued.certificate,
            private_key=_csr.private_key_pem(private_key),
            ca_chain=issued.ca_chain,
        )

    def _issue(
        self,
        operation: str,
        summary: str,
        request: bytes,
        *,
        hosts: tuple[str, ...] = (),
        profile: str,
        attribute_requests: Iterable[AttributeRequest] | None,
        basic: tuple[str, str] | None,
        credential: Credential | None = None,
    ) -> IssuedCertificate:
        body: dict[str, object] = {
            "certificate_request": request.decode("ascii"),
            "profile": profile,
        }
        if hosts:
            body["hosts"] = hosts
        if attribute_requests is not None:
            body["attr_reqs"] = [
                {"name": request.name, "optional": request.optional}
                for request in attribute_requests
            ]
        result = self._rest.post(
            operation,
            summary,
            body,
            credential=credential,
            basic=basic,
            hidden=None if basic is None else basic[1],
        )
        return IssuedCertificate(
            certificate=result.decoded("Cert"),
            ca_chain=result.part("ServerInfo").decoded("CAChain"),
        )


def _check_id(enrollment_id: str) -> None:
    if not 1 <= len(enrollment_id) <= _LONGEST_ID or ":" in enrollment_id:
        raise ValueError(
            f"{enrollment_id!r} cannot be an enrollment id: 1 to {_LONGEST_ID} characters and no "
            "':', as it becomes the common name of a certificate and is sent as id:secret"
        )


def _info(result: Result) -> CertificateAuthorityInfo:
    return CertificateAuthorityInfo(
        ca_name=result.text("CAName"),
        ca_chain=result.decoded("CAChain"),
        version=result.text("Version"),
    )
