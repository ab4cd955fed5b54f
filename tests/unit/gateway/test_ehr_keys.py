"""Data keys, sealed boxes and shares: what opens with which key, and what does not."""

import itertools
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from hypothesis import given, settings
from hypothesis import strategies as st

from medfab_gateway.ehr import (
    DataKeyError,
    FilingKey,
    KeyStore,
    Share,
    ShareError,
    TamperError,
    combine_shares,
    open_sealed,
    seal_to,
    split_secret,
)
from medfab_gateway.ehr._keys.envelope import (
    ContentKey,
    DataKey,
    is_sealed,
    open_content,
    rewrap,
    seal_content,
    unwrap_key,
    wrap_key,
)
from medfab_gateway.ehr._keys.sealed_box import (
    PrivateKey,
    fingerprint,
    load_public_key,
    public_key_hex,
)

PATIENT, OTHER = "0" * 32, "1" * 32


def content_key() -> ContentKey:
    return ContentKey.derived(secrets.token_bytes(32), record_id="r1", text="")


def p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize("make", [x25519.X25519PrivateKey.generate, p256])
def test_f2_what_is_sealed_opens_with_the_grantees_key_alone(make: object) -> None:
    assert callable(make)
    grantee: PrivateKey = make()
    sealed = seal_to(grantee.public_key(), b"the key", context="permit/1")
    assert open_sealed(grantee, sealed, context="permit/1") == b"the key"
    for thief in (make(), x25519.X25519PrivateKey.generate(), p256()):
        with pytest.raises(DataKeyError) as caught:
            open_sealed(thief, sealed, context="permit/1")
        assert caught.value.__context__ is None
    with pytest.raises(DataKeyError):
        open_sealed(grantee, sealed, context="permit/2")
    assert seal_to(grantee.public_key(), b"the key", context="permit/1") != sealed


@pytest.mark.parametrize("make", [x25519.X25519PrivateKey.generate, p256])
def test_a_sealed_box_that_was_changed_does_not_open(make: object) -> None:
    assert callable(make)
    grantee: PrivateKey = make()
    sealed = seal_to(grantee.public_key(), b"the key", context="")
    name, _, text = sealed.partition(":")
    for place in range(0, len(text), 7):
        letter = "A" if text[place] != "A" else "B"
        with pytest.raises(DataKeyError):
            open_sealed(grantee, f"{name}:{text[:place]}{letter}{text[place + 1 :]}", context="")
    for nonsense in ("", "x", name, f"{name}:", f"{name}:AAAA", f"{name}:%"):
        with pytest.raises(DataKeyError):
            open_sealed(grantee, nonsense, context="")


def test_public_keys_as_text() -> None:
    for key in (x25519.X25519PrivateKey.generate().public_key(), p256().public_key()):
        again = load_public_key(public_key_hex(key))
        assert fingerprint(again) == fingerprint(key)
    p384 = ec.generate_private_key(ec.SECP384R1()).public_key()
    for text in ("", "x", public_key_hex(p384)):
        with pytest.raises(DataKeyError):
            load_public_key(text)


def test_a_content_opens_with_its_key_for_its_record() -> None:
    key = content_key()
    sealed = seal_content('{"a":1.00}', key, record_id="r1")
    assert is_sealed(sealed)
    assert "1.00" not in sealed
    assert open_content(sealed, key, record_id="r1") == '{"a":1.00}'
    attempts: list[Callable[[], str]] = [
        lambda: open_content(sealed, content_key(), record_id="r1"),
        lambda: open_content(sealed, key, record_id="r2"),
        lambda: open_content(sealed[:-4] + "AAA=", key, record_id="r1"),
        lambda: open_content('{"a":1.00}', key, record_id="r1"),
    ]
    for attempt in attempts:
        with pytest.raises(TamperError):
            attempt()


def test_the_same_content_of_a_record_is_sealed_to_the_same_text() -> None:
    secret = secrets.token_bytes(32)

    def sealed(record_id: str, text: str) -> str:
        key = ContentKey.derived(secret, record_id=record_id, text=text)
        return seal_content(text, key, record_id=record_id)

    texts = [sealed("r1", "a"), sealed("r1", "b"), sealed("r2", "a")]
    assert sealed("r1", "a") == texts[0]
    assert len(set(texts)) == 3
    keys = [ContentKey.derived(secret, record_id=r, text=t) for r in ("r1", "r2") for t in "ab"]
    assert len(set(keys)) == 4, "a key never meets its nonce twice"


def test_c10_after_a_new_data_key_the_old_one_opens_nothing() -> None:
    old, new, key = DataKey.new(), DataKey.new(), content_key()
    wrapped = wrap_key(key, old, record_id="r1")
    assert unwrap_key(wrapped, old, record_id="r1") == key
    again = rewrap(wrapped, old, new, record_id="r1")
    assert unwrap_key(again, new, record_id="r1") == key
    with pytest.raises(DataKeyError):
        unwrap_key(again, old, record_id="r1")
    with pytest.raises(DataKeyError):
        unwrap_key(again, new, record_id="r2")
    assert key.for_document() != key.secret


@pytest.fixture
def filing_key() -> FilingKey:
    return FilingKey(secrets.token_bytes(32))


@pytest.fixture
def keys(tmp_path: Path, filing_key: FilingKey) -> KeyStore:
    return KeyStore(tmp_path / "keys", filing_key)


def test_each_patient_has_a_key_which_stays(
    keys: KeyStore, tmp_path: Path, filing_key: FilingKey
) -> None:
    first = keys.current(PATIENT)
    assert keys.current(PATIENT) == first
    assert KeyStore(tmp_path / "keys", filing_key).current(PATIENT) == first
    assert keys.current(OTHER) != first
    assert not any(PATIENT in str(path) for path in (tmp_path / "keys").rglob("*"))
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "keys").rglob("*")} == {0}
    assert first.secret.hex() not in repr(first)
    content_secret = keys.content_secret(PATIENT)
    assert keys.content_secret(PATIENT) == content_secret
    keys.rotate(PATIENT)
    assert keys.content_secret(PATIENT) == content_secret
    assert keys.content_secret(OTHER) != content_secret


def test_a_new_key_takes_over_and_old_ones_can_be_forgotten(keys: KeyStore) -> None:
    old = keys.current(PATIENT)
    new = keys.rotate(PATIENT)
    assert keys.current(PATIENT) == new
    assert keys.get(PATIENT, old.key_id) == old
    keys.forget(PATIENT, old.key_id)
    with pytest.raises(DataKeyError, match="replaced, or shredded"):
        keys.get(PATIENT, old.key_id)
    assert keys.current(PATIENT) == new
    keys.forget(PATIENT, old.key_id)


def test_shredded_keys_are_gone_from_the_disk(keys: KeyStore, tmp_path: Path) -> None:
    secrets_of = [keys.current(PATIENT).secret, keys.rotate(PATIENT).secret]
    kept = keys.current(OTHER)
    secrets_of.append(keys.content_secret(PATIENT))
    assert keys.shred(PATIENT) == 3
    assert keys.key_ids(PATIENT) == ()
    left = b"".join(path.read_bytes() for path in (tmp_path / "keys").rglob("*") if path.is_file())
    assert not any(secret.hex().encode() in left for secret in secrets_of)
    assert keys.current(OTHER) == kept
    assert keys.shred(PATIENT) == 0


def test_two_processes_that_make_the_first_key_get_the_same(
    tmp_path: Path, filing_key: FilingKey
) -> None:
    barrier = threading.Barrier(8)
    found: list[DataKey] = []

    def make() -> None:
        barrier.wait()
        found.append(KeyStore(tmp_path, filing_key).current(PATIENT))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({key.key_id for key in found}) == 1
    assert KeyStore(tmp_path, filing_key).key_ids(PATIENT) == (found[0].key_id,)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"key_id":"x","secret":"00"}', '{"secret":1}'])
def test_a_key_file_that_is_damaged_is_named_as_such(
    keys: KeyStore, tmp_path: Path, text: str
) -> None:
    key = keys.current(PATIENT)
    (path,) = (tmp_path / "keys").rglob("*.key")
    path.write_text(text)
    with pytest.raises(DataKeyError):
        keys.get(PATIENT, key.key_id)
    with pytest.raises(DataKeyError, match="letters and digits"):
        keys.get(PATIENT, "../other")


secret_bytes = st.binary(min_size=16, max_size=64)


@settings(max_examples=30, deadline=None)
@given(secret_bytes, st.integers(2, 6), st.integers(0, 3))
def test_s1_any_t_of_n_shares_give_the_secret(secret: bytes, threshold: int, more: int) -> None:
    shares = split_secret(secret, threshold=threshold, shares=threshold + more)
    for chosen in itertools.combinations(shares, threshold):
        assert combine_shares(chosen) == secret
    assert combine_shares(shares[::-1]) == secret
    assert [Share.from_json(share.to_json()) for share in shares] == [*shares]


@settings(max_examples=30, deadline=None)
@given(secret_bytes, st.integers(2, 6), st.integers(0, 3))
def test_s2_fewer_fail(secret: bytes, threshold: int, more: int) -> None:
    shares = split_secret(secret, threshold=threshold, shares=threshold + more)
    for chosen in itertools.combinations(shares, threshold - 1):
        with pytest.raises(ShareError, match=f"{threshold} different shares are needed"):
            combine_shares(chosen)
    with pytest.raises(ShareError, match="are needed"):
        combine_shares([shares[0]] * threshold)
    with pytest.raises(ShareError):
        combine_shares([])


def test_fewer_shares_say_nothing_about_the_secret() -> None:
    """For every secret there is a missing share that would give it: all are as likely."""
    secret = bytes(range(16))
    one, _ = split_secret(secret, threshold=2, shares=2)
    pretended = split_secret(bytes(16), threshold=2, shares=2)
    assert len(one.value) == len(pretended[0].value) == 16
    seen = {split_secret(secret, threshold=2, shares=2)[0].value[0] for _ in range(3000)}
    assert len(seen) > 250, "a share's bytes are any bytes"


@settings(max_examples=30, deadline=None)
@given(secret_bytes, st.integers(2, 5), st.integers(0, 4), st.data())
def test_s3_a_corrupt_share_is_found(
    secret: bytes, threshold: int, more: int, data: st.DataObject
) -> None:
    shares = [*split_secret(secret, threshold=threshold, shares=threshold + more)]
    place = data.draw(st.integers(0, len(shares) - 1))
    value = bytearray(shares[place].value)
    value[data.draw(st.integers(0, len(value) - 1))] ^= data.draw(st.integers(1, 255))
    set_id = shares[place].set_id
    shares[place] = replace(shares[place], value=bytes(value))
    with pytest.raises(ShareError) as caught:
        combine_shares(shares)
    assert caught.value.numbers == (place + 1,)
    with pytest.raises(ShareError):
        combine_shares(shares, set_id=set_id)


def test_a_share_of_another_set_is_found() -> None:
    mine = split_secret(bytes(16), threshold=3, shares=4)
    other = split_secret(bytes(16), threshold=3, shares=4)
    with pytest.raises(ShareError) as caught:
        combine_shares([mine[0], mine[1], other[2]])
    assert caught.value.numbers == (3,)
    with pytest.raises(ShareError) as caught:
        combine_shares(other[:3], set_id=mine[0].set_id)
    assert caught.value.numbers == (1, 2, 3)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"number":"x"}', json.dumps({"number": 1})])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(ShareError):
        Share.from_json(text)


@pytest.mark.parametrize(("threshold", "shares"), [(1, 3), (4, 3), (2, 256), (0, 0)])
def test_thresholds_that_make_no_sense(threshold: int, shares: int) -> None:
    with pytest.raises(ValueError, match="does not hold"):
        split_secret(bytes(16), threshold=threshold, shares=shares)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        split_secret(b"1234", threshold=2, shares=3)
