"""Client identities: ids as the Go shim makes them, attributes as Fabric CA writes them."""

import base64
import json
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fabric_protos.msp import identities_pb2

from medfab_chaincode import ClientIdentity, IdentityError

OIDS = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "STREET": NameOID.STREET_ADDRESS,
    "POSTALCODE": NameOID.POSTAL_CODE,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
    "SN": NameOID.SERIAL_NUMBER,
    "EMAIL": NameOID.EMAIL_ADDRESS,
    "DC": NameOID.DOMAIN_COMPONENT,
}
KEY = ec.generate_private_key(ec.SECP256R1())
ISSUER = [[("CN", "ca.hospital")], [("O", "hospital, inc")]]
ISSUER_IN_GO = r"CN=ca.hospital,O=hospital\, inc"

Rdns = list[list[tuple[str, str]]]


def name(rdns: Rdns) -> x509.Name:
    return x509.Name(
        [
            x509.RelativeDistinguishedName([x509.NameAttribute(OIDS[t], v) for t, v in rdn])
            for rdn in rdns
        ]
    )


def creator(
    subject: Rdns, *, attributes: bytes | None = None, msp_id: str = "HospitalMSP"
) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(ISSUER))
        .public_key(KEY.public_key())
        .serial_number(5)
        .not_valid_before(datetime(2024, 1, 1))
        .not_valid_after(datetime(2034, 1, 1))
    )
    if attributes is not None:
        oid = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, attributes), False)
    certificate = builder.sign(KEY, hashes.SHA256())
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return bytes(identities_pb2.SerializedIdentity(mspid=msp_id, id_bytes=pem).SerializeToString())


# The right-hand sides were printed by fabric-chaincode-go v2.3.0, pkg/cid, built with Go 1.26,
# for certificates with these subjects.
@pytest.mark.parametrize(
    ("subject", "in_go"),
    [
        ([[("C", "DE")], [("ST", "Bayern")], [("L", "München")], [("O", "hospital")],
          [("OU", "client")], [("OU", "department1")], [("CN", "dr. ada")]],
         "CN=dr. ada,OU=client+OU=department1,O=hospital,L=München,ST=Bayern,C=DE"),
        ([[("CN", "x")], [("OU", "b")], [("O", "o2")], [("OU", "a")], [("O", "o1")],
          [("C", "US")], [("POSTALCODE", "123")], [("STREET", "s 1")], [("SN", "77")],
          [("L", "l")], [("ST", "st")]],
         "SERIALNUMBER=77,CN=x,OU=b+OU=a,O=o2+O=o1,POSTALCODE=123,STREET=s 1,L=l,ST=st,C=US"),
        ([[("O", 'a,b+c"d\\e<f>g;h')], [("CN", "#lead")]],
         r'CN=\#lead,O=a\,b\+c\"d\\e\<f\>g\;h'),
        ([[("O", " both ")], [("CN", "a#b")]], r"CN=a#b,O=\ both" + "\\ "),
        ([[("CN", " ")], [("O", "=x=y")]], r"CN=\ ,O==x=y"),
        ([[("CN", "first")], [("CN", "last")], [("SN", "1")], [("SN", "2")]],
         "SERIALNUMBER=2,CN=last"),
        ([[("CN", "multi"), ("OU", "same-rdn")], [("O", "o")]], "CN=multi,OU=same-rdn,O=o"),
        ([[("EMAIL", "a@b.c")], [("DC", "org")], [("CN", "with mail")]], "CN=with mail"),
        ([[("DC", "org")]], ""),
        ([[("OU", "ümlaut,é")], [("OU", "日本 ")], [("CN", "ends with ö ")]],
         r"CN=ends with ö\ ,OU=ümlaut\,é+OU=日本" + "\\ "),
    ],
)  # fmt: skip
def test_the_id_is_the_go_shim_s(subject: Rdns, in_go: str) -> None:
    identity = ClientIdentity.from_creator(creator(subject))
    assert base64.b64decode(identity.id).decode() == f"x509::{in_go}::{ISSUER_IN_GO}"


def test_attributes() -> None:
    raw = json.dumps({"attrs": {"role": "practitioner", "hf.EnrollmentID": "ada"}}).encode()
    identity = ClientIdentity.from_creator(creator([[("CN", "ada")]], attributes=raw))
    assert identity.msp_id == "HospitalMSP"
    assert identity.attribute("role") == "practitioner"
    assert identity.attribute("absent") is None
    assert dict(identity.attributes) == {"role": "practitioner", "hf.EnrollmentID": "ada"}
    assert repr(identity) == "<ClientIdentity of HospitalMSP>"
    common_name = identity.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0]
    assert common_name.value == "ada"


def test_a_certificate_without_attributes_has_none() -> None:
    identity = ClientIdentity.from_creator(creator([[("CN", "ada")]]))
    assert identity.attribute("role") is None


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"[]", b'{"attrs": null}', b'{"attrs": {"role": 1}}', b"{", b"\xff"]
)
def test_broken_attributes_are_no_attributes_but_an_error(raw: bytes) -> None:
    identity = ClientIdentity.from_creator(creator([[("CN", "ada")]], attributes=raw))
    with pytest.raises(IdentityError):
        identity.attribute("role")


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff\xff", identities_pb2.SerializedIdentity(mspid="M", id_bytes=b"idemix")
     .SerializeToString()],
)  # fmt: skip
def test_a_creator_without_a_certificate(raw: bytes) -> None:
    with pytest.raises(IdentityError):
        ClientIdentity.from_creator(raw)


def pem_of(common_name: str) -> bytes:
    serialized = creator([[("CN", common_name)]])
    return bytes(identities_pb2.SerializedIdentity.FromString(serialized).id_bytes)


def identity_of(pem: bytes) -> ClientIdentity:
    serialized = identities_pb2.SerializedIdentity(mspid="M", id_bytes=pem).SerializeToString()
    return ClientIdentity.from_creator(serialized)


MINE, VICTIMS = pem_of("me"), pem_of("victim")


# The peer verifies the block that Go's pem.Decode finds first: mine, in all of these.
@pytest.mark.parametrize(
    "pem",
    [
        MINE.replace(b"CERTIFICATE", b"OTHER") + VICTIMS,
        b"x" + VICTIMS + MINE,
        VICTIMS.replace(b"-----BEGIN", b"-----BEGIN CERTIFICATE-----\n-----BEGIN") + MINE,
        VICTIMS.replace(b"-----END CERTIFICATE", b"-----END  CERTIFICATE") + MINE,
        MINE + VICTIMS,
        b"text\n" + MINE,
        MINE.replace(b"-----\nM", b"-----\nName: value\n\nM", 1),
        MINE.replace(b"\n", b" \n"),
        MINE.replace(b"\n", b""),
        MINE.replace(b"CERTIFICATE", b"X509 CERTIFICATE"),
        MINE + b"\x00",
    ],
)
def test_only_the_certificate_that_the_peer_verified_is_believed(pem: bytes) -> None:
    with pytest.raises(IdentityError, match="nothing else") as caught:
        identity_of(pem)
    assert (caught.value.status, caught.value.code) == (403, "INVALID_IDENTITY")


@pytest.mark.parametrize("pem", [MINE, MINE.replace(b"\n", b"\r\n"), MINE.strip(), MINE + b"\n"])
def test_line_ends_do_not_matter(pem: bytes) -> None:
    assert identity_of(pem).id == identity_of(MINE).id


def test_a_broken_certificate() -> None:
    pem = b"-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n"
    raw = identities_pb2.SerializedIdentity(mspid="M", id_bytes=pem).SerializeToString()
    with pytest.raises(IdentityError):
        _ = ClientIdentity.from_creator(raw).certificate
