"""Our signatures beside those of the official Node and Go clients, with the same keys."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from medfab_gateway import private_key_signer
from medfab_gateway.identity import PrivateKey
from unit.gateway.fake_gateway import P256_ORDER, make_identity
from unit.gateway.official_bytes import recorder, run
from unit.gateway.test_identity import P384_ORDER

MESSAGES = [b"", b"a", bytes(range(256)), b"x" * 10_000]


async def signatures(client: str, key: PrivateKey, digests: list[bytes]) -> list[bytes]:
    """Theirs."""
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    identity, _ = make_identity()
    async with recorder() as server:
        output = await run(
            client, server, identity, sign=[{"key": pem, "digest": digest} for digest in digests]
        )
    return [item["signature"] for item in output["signed"]]


@pytest.mark.parametrize("client", ["node", "go"])
async def test_ed25519_signatures_are_the_same(client: str) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    sign = private_key_signer(key)
    assert await signatures(client, key, MESSAGES) == [sign(message) for message in MESSAGES]


@pytest.mark.parametrize("client", ["node", "go"])
@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384()], ids=lambda a: a.name)
@pytest.mark.parametrize(
    ("curve", "order"),
    [(ec.SECP256R1(), P256_ORDER), (ec.SECP384R1(), P384_ORDER)],
    ids=["P-256", "P-384"],
)
async def test_ecdsa_signatures_are_of_the_same_kind(
    client: str, curve: ec.EllipticCurve, order: int, algorithm: hashes.HashAlgorithm
) -> None:
    """They differ each time; but all verify, and have a low s."""
    key = ec.generate_private_key(curve)
    sign = private_key_signer(key)
    digests = [hashlib.new(algorithm.name, message).digest() for message in MESSAGES]
    theirs = await signatures(client, key, digests)
    for digest, signature in zip(digests, theirs, strict=True):
        for each in (signature, sign(digest)):
            key.public_key().verify(each, digest, ec.ECDSA(Prehashed(algorithm)))
            assert decode_dss_signature(each)[1] <= order // 2
