"""The CA client against a real fabric-ca-server with TLS, and beside fabric-ca-client."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from integration.ca_help import ADMIN_SECRET, Server, ca_server
from medfab_gateway.ca import (
    AlreadyRegisteredError,
    AsyncCertificateAuthority,
    AttributeRequest,
    AuthenticationFailedError,
    AuthorizationFailedError,
    CertificateAuthorityError,
    CertificateAuthorityTlsError,
    Credential,
    Enrollment,
    Subject,
)
from medfab_gateway.identity import private_key_signer
from medfab_network._binaries import Binaries

pytestmark = pytest.mark.integration

ATTRIBUTES_OID = ObjectIdentifier("1.2.3.4.5.6.7.8.1")


@pytest.fixture(scope="module")
def server(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with ca_server(binaries, tmp_path_factory.mktemp("ca")) as running:
        yield running


@pytest_asyncio.fixture
async def ca(server: Server) -> AsyncIterator[AsyncCertificateAuthority]:
    async with server.client() as client:
        yield client


@pytest_asyncio.fixture
async def admin(ca: AsyncCertificateAuthority) -> Enrollment:
    return await ca.enroll("admin", ADMIN_SECRET)


def _certificate(enrollment: Enrollment) -> x509.Certificate:
    return x509.load_pem_x509_certificate(enrollment.certificate)


def _attributes(enrollment: Enrollment) -> dict[str, str]:
    extension = _certificate(enrollment).extensions.get_extension_for_oid(ATTRIBUTES_OID).value
    assert isinstance(extension, x509.UnrecognizedExtension)
    attributes: dict[str, str] = json.loads(extension.value)["attrs"]
    return attributes


def _subject(enrollment: Enrollment, oid: ObjectIdentifier) -> list[str]:
    names = _certificate(enrollment).subject.get_attributes_for_oid(oid)
    return [str(name.value) for name in names]


def _new_id(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(4)}"


async def test_cainfo_tells_name_chain_and_version(
    ca: AsyncCertificateAuthority, server: Server
) -> None:
    info = await ca.cainfo()
    assert info.ca_name == "ca-hospital"
    assert info.ca_chain == server.tls_root
    assert info.version


async def test_enrolled_certificate_fits_the_key_and_the_ca(
    ca: AsyncCertificateAuthority, admin: Enrollment
) -> None:
    certificate = _certificate(admin)
    key = serialization.load_pem_private_key(admin.private_key, password=None)
    assert certificate.public_key() == key.public_key()
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(admin.ca_chain))
    assert _subject(admin, NameOID.COMMON_NAME) == ["admin"]


async def test_registered_type_and_attributes_are_in_the_certificate(
    ca: AsyncCertificateAuthority, admin: Enrollment
) -> None:
    enrollment_id = _new_id("practitioner")
    secret = await ca.register(
        admin.credential,
        enrollment_id,
        attributes={"role": ("practitioner", True), "ward": ("3", False)},
    )
    enrollment = await ca.enroll(
        enrollment_id, secret, subject=Subject(country="CH", organization="Hospital")
    )
    attributes = _attributes(enrollment)
    assert attributes["role"] == "practitioner"
    assert "ward" not in attributes
    assert attributes["hf.Type"] == "client"
    assert _subject(enrollment, NameOID.ORGANIZATIONAL_UNIT_NAME) == ["client"]
    assert _subject(enrollment, NameOID.ORGANIZATION_NAME) == ["Hospital"]
    assert _subject(enrollment, NameOID.COUNTRY_NAME) == ["CH"]


async def test_attribute_requests_choose_the_attributes(
    ca: AsyncCertificateAuthority, admin: Enrollment
) -> None:
    enrollment_id = _new_id("practitioner")
    secret = await ca.register(
        admin.credential, enrollment_id, attributes={"role": ("x", True), "ward": ("3", False)}
    )
    enrollment = await ca.enroll(
        enrollment_id,
        secret,
        attribute_requests=[
            AttributeRequest(name="ward"),
            AttributeRequest(name="absent", optional=True),
        ],
    )
    assert _attributes(enrollment) == {"ward": "3"}
    with pytest.raises(CertificateAuthorityError, match="absent"):
        await ca.enroll(enrollment_id, secret, attribute_requests=[AttributeRequest(name="absent")])


async def test_a_tls_certificate_has_the_hosts(
    ca: AsyncCertificateAuthority, admin: Enrollment
) -> None:
    enrollment_id = _new_id("peer")
    secret = await ca.register(admin.credential, enrollment_id, type="peer")
    enrollment = await ca.enroll(
        enrollment_id, secret, profile="tls", hosts=["peer0.hospital.example", "127.0.0.1"]
    )
    extensions = _certificate(enrollment).extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["peer0.hospital.example"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ExtendedKeyUsageOID.SERVER_AUTH in usage


async def test_reenroll_gives_a_new_certificate_over_a_new_key(
    ca: AsyncCertificateAuthority, admin: Enrollment
) -> None:
    renewed = await ca.reenroll(admin.credential)
    assert _subject(renewed, NameOID.COMMON_NAME) == ["admin"]
    assert _certificate(renewed).serial_number != _certificate(admin).serial_number
    assert renewed.private_key != admin.private_key
    await ca.register(renewed.credential, _new_id("client"))


async def test_many_tokens_are_accepted(ca: AsyncCertificateAuthority, admin: Enrollment) -> None:
    """Half of all ECDSA signatures are high-S before they are normalised."""
    for _ in range(8):
        await ca.register(admin.credential, _new_id("client"))


async def test_a_second_registration_is_refused(
    ca: AsyncCertificateAuthority, admin: Enrollment
) -> None:
    enrollment_id = _new_id("client")
    assert await ca.register(admin.credential, enrollment_id, secret="chosen") == "chosen"
    with pytest.raises(AlreadyRegisteredError, match="first registration") as caught:
        await ca.register(admin.credential, enrollment_id)
    assert (caught.value.code, caught.value.status) == (74, 409)


async def test_a_wrong_secret_is_an_authentication_failure_that_does_not_show_it(
    ca: AsyncCertificateAuthority,
) -> None:
    with pytest.raises(AuthenticationFailedError) as caught:
        await ca.enroll("admin", "not-the-secret")
    assert (caught.value.code, caught.value.status) == (20, 401)
    assert "not-the-secret" not in str(caught.value)


async def test_a_token_of_another_key_is_refused(
    ca: AsyncCertificateAuthority, admin: Enrollment
) -> None:
    other = await ca.reenroll(admin.credential)
    mixed = Credential(certificate=admin.certificate, signer=private_key_signer(other.private_key))
    with pytest.raises(AuthenticationFailedError):
        await ca.register(mixed, _new_id("client"))


async def test_who_may_not_register_is_told_so(
    ca: AsyncCertificateAuthority, admin: Enrollment
) -> None:
    enrollment_id = _new_id("client")
    secret = await ca.register(admin.credential, enrollment_id)
    client = await ca.enroll(enrollment_id, secret)
    with pytest.raises(AuthorizationFailedError, match=r"hf\.Registrar"):
        await ca.register(client.credential, _new_id("client"))


async def test_max_enrollments_is_kept(ca: AsyncCertificateAuthority, admin: Enrollment) -> None:
    enrollment_id = _new_id("client")
    secret = await ca.register(admin.credential, enrollment_id, max_enrollments=1)
    await ca.enroll(enrollment_id, secret)
    with pytest.raises(AuthenticationFailedError, match="used up"):
        await ca.enroll(enrollment_id, secret)


async def test_an_unknown_ca_name_is_named(server: Server) -> None:
    async with server.client(ca_name="ca-nowhere") as client:
        with pytest.raises(CertificateAuthorityError, match="ca-nowhere"):
            await client.cainfo()


async def test_a_root_that_did_not_sign_is_a_tls_error(server: Server) -> None:
    foreign = trustme.CA().cert_pem.bytes()
    async with server.client(tls_root_certificates=foreign) as client:
        with pytest.raises(CertificateAuthorityTlsError, match="tls_root_certificates"):
            await client.enroll("admin", ADMIN_SECRET)


async def test_fabric_ca_client_and_ours_understand_each_other(
    ca: AsyncCertificateAuthority,
    admin: Enrollment,
    server: Server,
    binaries: Binaries,
    tmp_path: Path,
) -> None:
    """Registered by ours, enrolled by theirs; their credential then signs our request."""
    enrollment_id = _new_id("admin")
    secret = await ca.register(
        admin.credential,
        enrollment_id,
        attributes={"hf.Registrar.Roles": ("client", True), "role": ("a", True)},
    )
    server.fabric_ca_client(binaries, tmp_path).enroll(enrollment_id, secret)
    [key] = (tmp_path / "msp" / "keystore").iterdir()
    theirs = Credential(
        certificate=(tmp_path / "msp" / "signcerts" / "cert.pem").read_bytes(),
        signer=private_key_signer(key.read_bytes()),
    )
    assert await ca.register(theirs, _new_id("client"))
    renewed = await ca.reenroll(theirs)
    assert _attributes(renewed)["role"] == "a"
