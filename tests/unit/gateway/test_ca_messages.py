"""Key, signing request and token, without a server."""

from __future__ import annotations

import base64
import hashlib

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.x509.oid import NameOID

import medfab_gateway.ca
from medfab_gateway.ca import Credential, Enrollment, Subject
from medfab_gateway.ca._csr import (
    common_name,
    generate_private_key,
    private_key_pem,
    signing_request,
)
from medfab_gateway.ca._token_async import make_token
from medfab_gateway.identity import private_key_signer

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


async def test_the_token_signs_method_uri_body_and_certificate() -> None:
    """Expected bytes written out from fabric-ca `util.GenECDSAToken`, with a signer that shows."""
    signed: list[bytes] = []

    def signer(digest: bytes) -> bytes:
        signed.append(digest)
        return b"signature"

    token = await make_token(
        Credential(certificate=b"CERT", signer=signer),
        method="POST",
        request_uri="/api/v1/register?ca=x",
        body=b'{"id":"a"}',
    )
    payload = b"POST.L2FwaS92MS9yZWdpc3Rlcj9jYT14.eyJpZCI6ImEifQ==.Q0VSVA=="
    assert signed == [hashlib.sha256(payload).digest()]
    assert token == "Q0VSVA==.c2lnbmF0dXJl"


async def test_the_token_of_a_key_is_low_s_and_verifies() -> None:
    key = generate_private_key()
    credential = Credential(certificate=b"c", signer=private_key_signer(private_key_pem(key)))
    digest = hashlib.sha256(b"GET.dQ==..Yw==").digest()
    for _ in range(20):
        token = await make_token(credential, method="GET", request_uri="u", body=b"")
        signature = base64.b64decode(token.split(".")[1])
        assert decode_dss_signature(signature)[1] <= P256_ORDER // 2
        key.public_key().verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA256())))


def test_the_signing_request_holds_subject_and_hosts() -> None:
    key = generate_private_key()
    request = x509.load_pem_x509_csr(
        signing_request(
            key.public_key(),
            private_key_signer(key),
            common_name="peer0",
            subject=Subject(country="CH", organization="Hospital"),
            hosts=["peer0.example", "10.0.0.7", "::1"],
        )
    )
    assert request.is_signature_valid
    assert request.public_key() == key.public_key()
    assert [(name.oid, name.value) for name in request.subject] == [
        (NameOID.COUNTRY_NAME, "CH"),
        (NameOID.ORGANIZATION_NAME, "Hospital"),
        (NameOID.COMMON_NAME, "peer0"),
    ]
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["peer0.example"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.7", "::1"]


def test_a_signing_request_without_hosts_has_no_extension() -> None:
    key = generate_private_key()
    request = x509.load_pem_x509_csr(
        signing_request(key.public_key(), private_key_signer(key), common_name="a")
    )
    assert list(request.extensions) == []
    assert request.is_signature_valid


@pytest.mark.parametrize("hosts", [[], ["peer0.example"], [f"h{n}.example" for n in range(9000)]])
def test_the_signing_request_is_that_of_cryptography(hosts: list[str]) -> None:
    """Short, long and very long: each has its own form of length."""
    key = ec.generate_private_key(ec.SECP384R1())
    ours = x509.load_pem_x509_csr(
        signing_request(
            key.public_key(), private_key_signer(key), common_name="peer0", hosts=iter(hosts)
        )
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer0")])
    )
    if hosts:
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    theirs = builder.sign(key, hashes.SHA256())
    assert ours.is_signature_valid
    assert ours.tbs_certrequest_bytes == theirs.tbs_certrequest_bytes
    assert ours.signature_algorithm_oid == theirs.signature_algorithm_oid


def test_the_private_key_is_pkcs8_p256() -> None:
    pem = private_key_pem(generate_private_key())
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----")
    key = serialization.load_pem_private_key(pem, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"


def test_the_common_name_is_the_enrollment_id() -> None:
    issued = trustme.CA().issue_cert("a.example", common_name="dr-who")
    assert common_name(issued.cert_chain_pems[0].bytes()) == "dr-who"


def test_no_repr_shows_a_key() -> None:
    pem = private_key_pem(generate_private_key())
    enrollment = Enrollment(certificate=b"CERT", private_key=pem, ca_chain=b"")
    for shown in (repr(enrollment), repr(enrollment.credential)):
        assert "PRIVATE" not in shown
        assert "private_key" not in shown
        assert "signer" not in shown


def test_an_enrollment_becomes_an_identity() -> None:
    certificate = trustme.CA().cert_pem.bytes()
    enrollment = Enrollment(certificate=certificate, private_key=b"", ca_chain=b"")
    identity = enrollment.identity("HospitalMSP")
    assert (identity.msp_id, identity.certificate) == ("HospitalMSP", certificate)


@pytest.mark.parametrize("name", medfab_gateway.ca.__all__)
def test_what_is_exported_exists(name: str) -> None:
    assert hasattr(medfab_gateway.ca, name)


def test_the_exports_are_sorted() -> None:
    assert sorted(medfab_gateway.ca.__all__) == medfab_gateway.ca.__all__
