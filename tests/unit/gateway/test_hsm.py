"""Keys in a token, with SoftHSM."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pkcs11
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.x509.oid import NameOID
from pkcs11.util.ec import encode_named_curve_parameters

from medfab_gateway import (
    FileSystemWallet,
    Hash,
    HsmError,
    Identity,
    IdentityNotFoundError,
    SigningError,
)
from medfab_gateway.hsm import HsmSigner, HsmToken, HsmWallet, subject_key_id
from softhsm import PIN, SoftHsm, soft_hsm
from unit.gateway.fake_gateway import P256_ORDER, FakeGateway, make_identity, serve
from unit.gateway.forms import Connect
from unit.gateway.test_identity import P384_ORDER

LABEL = f"medfab-{secrets.token_hex(4)}"


@pytest.fixture(scope="module")
def hsm() -> SoftHsm:
    hsm = soft_hsm()
    hsm.add_token(LABEL)
    return hsm


@pytest.fixture
def token(hsm: SoftHsm) -> Iterator[HsmToken]:
    with HsmToken.open(hsm.module, LABEL, PIN) as token:
        yield token


def import_key(hsm: SoftHsm, key: ec.EllipticCurvePrivateKey, key_id: bytes) -> None:
    """Puts a key into the token, as an administrator does who brings one along."""
    curve = "secp384r1" if key.key_size == 384 else "secp256r1"
    with (
        pkcs11.lib(str(hsm.module))
        .get_token(token_label=LABEL)
        .open(rw=True, user_pin=PIN) as session
    ):
        session.create_object(
            {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY,
                pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.EC,
                pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(curve),
                pkcs11.Attribute.VALUE: key.private_numbers().private_value.to_bytes(
                    key.key_size // 8, "big"
                ),
                pkcs11.Attribute.ID: key_id,
                pkcs11.Attribute.TOKEN: True,
                pkcs11.Attribute.SIGN: True,
            }
        )


def new_identity() -> tuple[Identity, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    return make_identity(key=key)[0], key


def verify(signer: HsmSigner, digest: bytes, order: int = P256_ORDER) -> None:
    signature = signer(digest)
    assert 0 < decode_dss_signature(signature)[1] <= order // 2
    algorithm = hashes.SHA256() if len(digest) == 32 else hashes.SHA384()
    signer.public_key.verify(signature, digest, ec.ECDSA(Prehashed(algorithm)))


def test_a_key_made_in_the_token_signs_with_a_low_s(token: HsmToken) -> None:
    signer = token.generate_key()
    assert signer.key_id == subject_key_id(signer.public_key)
    for number in range(40):
        verify(signer, hashlib.sha256(bytes([number])).digest())


@pytest.mark.parametrize("hash", [Hash.SHA256, Hash.SHA384, Hash.SHA3_256, Hash.SHA3_384])
@pytest.mark.parametrize(
    ("curve", "order"), [(ec.SECP256R1(), P256_ORDER), (ec.SECP384R1(), P384_ORDER)]
)
def test_every_hash_on_both_curves(
    hsm: SoftHsm, hash: Hash, curve: ec.EllipticCurve, order: int
) -> None:
    key = ec.generate_private_key(curve)
    import_key(hsm, key, subject_key_id(key.public_key()))
    identity, _ = make_identity(key=key)
    with HsmToken.open(hsm.module, LABEL, PIN) as token:
        signer = token.signer(identity)
        for number in range(10):
            verify(signer, hash.digest(bytes([number])), order)


def test_a_key_under_another_id(hsm: SoftHsm) -> None:
    identity, key = new_identity()
    key_id = secrets.token_bytes(8)
    import_key(hsm, key, key_id)
    with HsmToken.open(hsm.module, LABEL, PIN) as token:
        verify(token.signer(identity, key_id=key_id), bytes(32))
        with pytest.raises(HsmError, match="no EC private keys"):
            token.signer(identity)
        with pytest.raises(HsmError, match="does not belong to the certificate"):
            token.signer(make_identity("AMSP")[0], key_id=key_id)


def test_two_keys_under_one_id(hsm: SoftHsm) -> None:
    identity, key = new_identity()
    for _ in range(2):
        import_key(hsm, key, subject_key_id(key.public_key()))
    with (
        HsmToken.open(hsm.module, LABEL, PIN) as token,
        pytest.raises(HsmError, match="several EC private keys"),
    ):
        token.signer(identity)


def test_only_ecdsa(token: HsmToken) -> None:
    identity, _ = make_identity(key=ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(HsmError, match="ECDSA keys only"):
        token.signer(identity)


def test_a_message_in_place_of_a_digest(token: HsmToken) -> None:
    with pytest.raises(SigningError, match=r"Hash\.SHA256"):
        token.generate_key()(b"a message")


def test_many_threads(hsm: SoftHsm) -> None:
    with HsmToken.open(hsm.module, LABEL, PIN) as token:
        signers = [token.generate_key(), token.generate_key()]

        def sign(number: int) -> None:
            verify(signers[number % 2], hashlib.sha256(bytes([number])).digest())

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(sign, range(200)))


def test_open_twice(hsm: SoftHsm) -> None:
    """The first to close does not log the other one out; nor somebody else of this process."""
    with HsmToken.open(hsm.module, LABEL, PIN) as first:
        signer = first.generate_key()
        with HsmToken.open(hsm.module, LABEL, PIN):
            pass
        verify(signer, bytes(32))
    with pkcs11.lib(str(hsm.module)).get_token(token_label=LABEL).open(user_pin=PIN):
        with HsmToken.open(hsm.module, LABEL, PIN) as token:
            verify(token.generate_key(), bytes(32))
        with HsmToken.open(hsm.module, LABEL, PIN) as token:
            verify(token.generate_key(), bytes(32))


def test_a_token_that_was_added_later(hsm: SoftHsm) -> None:
    """SoftHSM lists its tokens once, when it is started."""
    added = f"medfab-{secrets.token_hex(4)}"
    with HsmToken.open(hsm.module, LABEL, PIN) as first:
        hsm.add_token(added)
        with pytest.raises(HsmError, match="is seen once all are closed"):
            HsmToken.open(hsm.module, added, PIN)
        signer = first.generate_key()  # what is open stays so
    with HsmToken.open(hsm.module, added, PIN) as token:
        verify(token.generate_key(), bytes(32))
        with pytest.raises(SigningError, match="does not sign"):
            signer(bytes(32))  # not with the session that has its number now
    with HsmToken.open(hsm.module, LABEL, PIN) as again:
        verify(again.generate_key(), bytes(32))


def test_closed(hsm: SoftHsm) -> None:
    token = HsmToken.open(hsm.module, LABEL, PIN)
    signer = token.generate_key()
    verify(signer, bytes(32))
    token.close()
    token.close()
    with pytest.raises(SigningError, match="does not sign"):
        signer(bytes(32))


def test_no_module(tmp_path: Path) -> None:
    with pytest.raises(HsmError, match="cannot be loaded"):
        HsmToken.open(tmp_path / "missing.so", LABEL, PIN)
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(HsmError, match="cannot be loaded"):
        HsmToken.open(tmp_path / "text.so", LABEL, PIN)


def test_no_token(hsm: SoftHsm) -> None:
    with pytest.raises(HsmError, match=f"no token 'another'. It has: .*{LABEL}"):
        HsmToken.open(hsm.module, "another", PIN)


@pytest.mark.parametrize("pin", ["000000", "", "0" * 300])
def test_a_wrong_pin(hsm: SoftHsm, pin: str) -> None:
    with pytest.raises(HsmError, match="refuses the PIN") as caught:
        HsmToken.open(hsm.module, LABEL, pin)
    assert "0000" not in str(caught.value)


def test_the_pin_of_the_environment(hsm: SoftHsm, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HsmError, match="MEDFAB_HSM_PIN"):
        HsmToken.open(hsm.module, LABEL)
    monkeypatch.setenv("MEDFAB_HSM_PIN", PIN)
    with HsmToken.open(hsm.module, LABEL) as token:
        signer = token.generate_key()
        for thing in (token, signer):
            assert PIN not in repr(thing)
            assert PIN not in repr(vars(thing))


async def test_a_gateway_signs_with_the_token(hsm: SoftHsm, connect: Connect) -> None:
    identity, key = new_identity()
    import_key(hsm, key, subject_key_id(key.public_key()))
    fake = FakeGateway()
    with HsmToken.open(hsm.module, LABEL, PIN) as token:
        async with (
            serve(fake) as endpoint,
            connect(endpoint, identity, token.signer(identity)) as gateway,
        ):
            contract = gateway.network("care").contract("ehr")
            # The fake verifies each signature.
            answers = await asyncio.gather(*(contract.submit("Move") for _ in range(20)))
    assert answers == [b"result"] * 20


def certify(public_key: ec.EllipticCurvePublicKey) -> Identity:
    """A certificate of some authority."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dr-okafor")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    return Identity("HospitalMSP", certificate.public_bytes(serialization.Encoding.PEM))


def test_a_wallet_with_keys_in_the_token(token: HsmToken, tmp_path: Path) -> None:
    store = FileSystemWallet(tmp_path)
    wallet = HsmWallet(store, token)
    key = token.generate_key()
    identity = certify(key.public_key)
    wallet.put("dr-okafor", identity)
    assert wallet.list() == ("dr-okafor",)
    assert b"PRIVATE" not in (tmp_path / "dr-okafor.id").read_bytes()
    entry = wallet.get("dr-okafor")
    signer = entry.signer()
    assert isinstance(signer, HsmSigner)
    verify(signer, hashlib.sha256(b"message").digest())

    # With a key of its own, in the file: given as it is.
    other, other_key = make_identity()
    store.put("nurse", other, other_key)
    assert wallet.get("nurse").private_key_pem == other_key

    with pytest.raises(HsmError, match="from outside"):
        wallet.put("x", other, other_key)
    with pytest.raises(HsmError, match="no EC private keys"):
        wallet.put("x", other)
    assert wallet.list() == ("dr-okafor", "nurse")

    wallet.remove("dr-okafor")
    with pytest.raises(IdentityNotFoundError):
        wallet.get("dr-okafor")
    with pytest.raises(HsmError, match="no EC private keys"):
        token.signer(identity)
    wallet.remove("nurse")
