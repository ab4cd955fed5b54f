from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from medfab_gateway import Hash, Identity, IdentityError, SigningError, private_key_signer
from unit.gateway.fake_gateway import P256_ORDER, make_identity

P384_ORDER = int(
    "39402006196394479212279040100143613805079739270465"
    "446667946905279627659399113263569398956308152294913554433653942643"
)
P256_KEY = ec.generate_private_key(ec.SECP256R1())
P384_KEY = ec.generate_private_key(ec.SECP384R1())


def pem(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes | None = None
) -> bytes:
    encryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


@settings(max_examples=200, deadline=None)
@given(message=st.binary(max_size=64))
def test_p256_signatures_have_a_low_s_and_verify(message: bytes) -> None:
    digest = hashlib.sha256(message).digest()
    signature = private_key_signer(P256_KEY)(digest)
    assert 0 < decode_dss_signature(signature)[1] <= P256_ORDER // 2
    P256_KEY.public_key().verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA256())))


@pytest.mark.parametrize("hash", [Hash.SHA256, Hash.SHA384, Hash.SHA3_256, Hash.SHA3_384])
def test_p384_signatures_have_a_low_s_and_verify(hash: Hash) -> None:
    signer = private_key_signer(P384_KEY)
    for number in range(20):
        digest = hash.digest(bytes([number]))
        signature = signer(digest)
        assert 0 < decode_dss_signature(signature)[1] <= P384_ORDER // 2
        algorithm = hashes.SHA256() if len(digest) == 32 else hashes.SHA384()
        P384_KEY.public_key().verify(signature, digest, ec.ECDSA(Prehashed(algorithm)))


def test_ed25519_signs_the_message_itself() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    message = b"any length of message"
    key.public_key().verify(private_key_signer(key)(Hash.NONE.digest(message)), message)


def test_ecdsa_refuses_a_message_in_place_of_a_digest() -> None:
    with pytest.raises(SigningError, match=r"Hash\.SHA256"):
        private_key_signer(P256_KEY)(b"a message")


@pytest.mark.parametrize(
    ("hash", "expected"),
    [
        (Hash.NONE, b"abc".hex()),
        # FIPS 180-2 and FIPS 202 examples for "abc"
        (Hash.SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (Hash.SHA3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        (
            Hash.SHA384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            "8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            Hash.SHA3_384,
            "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2"
            "98d88cea927ac7f539f1edf228376d25",
        ),
    ],
)
def test_hashes(hash: Hash, expected: str) -> None:
    assert hash.digest(b"abc").hex() == expected


def test_default_hash() -> None:
    assert make_identity()[0].default_hash() is Hash.SHA256
    assert make_identity(key=P384_KEY)[0].default_hash() is Hash.SHA256
    ed25519_key = ed25519.Ed25519PrivateKey.generate()
    assert make_identity(key=ed25519_key)[0].default_hash() is Hash.NONE


def test_serialized_identity_by_hand() -> None:
    identity, _ = make_identity("AMSP")
    certificate = identity.certificate
    assert 128 <= len(certificate) < 16384  # so that its length takes two bytes
    expected = b"\x0a\x04AMSP" + b"\x12"
    expected += bytes([len(certificate) & 0x7F | 0x80, len(certificate) >> 7]) + certificate
    assert identity.serialized == expected
    assert identity.serialized is identity.serialized


@pytest.mark.parametrize("certificate", [b"", b"no PEM", pem(P256_KEY)])
def test_a_wrong_certificate_is_found_at_once(certificate: bytes) -> None:
    with pytest.raises(IdentityError, match=r"AMSP identity is not an X\.509"):
        Identity("AMSP", certificate)


def test_an_empty_msp_id() -> None:
    with pytest.raises(IdentityError, match="MSP id"):
        Identity("", make_identity()[0].certificate)


@pytest.mark.parametrize(
    "key",
    [
        b"no PEM",
        pem(P256_KEY, password=b"x"),
        pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        pem(ec.generate_private_key(ec.SECP256K1())),
    ],
    ids=["no key", "encrypted", "RSA", "another curve"],
)
def test_keys_that_fabric_does_not_take(key: bytes) -> None:
    with pytest.raises(IdentityError):
        private_key_signer(key)


def test_repr_shows_no_certificate() -> None:
    assert repr(make_identity("AMSP")[0]) == "Identity(msp_id='AMSP')"
