from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from medfab_gateway import (
    FileSystemWallet,
    Hash,
    IdentityError,
    IdentityNotFoundError,
    InMemoryWallet,
    Wallet,
    WalletError,
)
from unit.gateway.fake_gateway import make_identity, verify

IDENTITY, KEY = make_identity("HospitalMSP")


@pytest.fixture
def wallet(tmp_path: Path) -> FileSystemWallet:
    return FileSystemWallet(tmp_path / "organisation" / "wallet")


def test_put_and_get(wallet: FileSystemWallet) -> None:
    wallet.put("dr.okafor", IDENTITY, KEY)
    entry = wallet.get("dr.okafor")
    assert (entry.label, entry.identity, entry.private_key_pem) == ("dr.okafor", IDENTITY, KEY)
    verify(IDENTITY.serialized, b"message", entry.signer()(Hash.SHA256.digest(b"message")))
    assert "PRIVATE KEY" not in repr(entry)


def test_the_format_of_the_official_wallets(wallet: FileSystemWallet) -> None:
    wallet.put("admin", IDENTITY, KEY)
    assert json.loads((wallet.path / "admin.id").read_text()) == {
        "credentials": {"certificate": IDENTITY.certificate.decode(), "privateKey": KEY.decode()},
        "mspId": "HospitalMSP",
        "type": "X.509",
        "version": 1,
    }


def test_only_the_owner_can_read_it(wallet: FileSystemWallet) -> None:
    previous = os.umask(0)
    try:
        wallet.put("admin", IDENTITY, KEY)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(wallet.path.stat().st_mode) == 0o700
    assert stat.S_IMODE((wallet.path / "admin.id").stat().st_mode) == 0o600


def test_list_is_of_identities_alone(wallet: FileSystemWallet) -> None:
    assert wallet.list() == ()
    for label in ("b", "a"):
        wallet.put(label, IDENTITY, KEY)
    (wallet.path / "notes.txt").write_text("")
    (wallet.path / ".x.id").write_text("")
    assert wallet.list() == ("a", "b")


def test_put_replaces_and_leaves_nothing_behind(wallet: FileSystemWallet) -> None:
    wallet.put("a", IDENTITY, KEY)
    other, other_key = make_identity("ClinicMSP")
    wallet.put("a", other, other_key)
    assert wallet.get("a").identity == other
    assert [file.name for file in wallet.path.iterdir()] == ["a.id"]


def test_remove(wallet: FileSystemWallet) -> None:
    wallet.put("a", IDENTITY, KEY)
    wallet.remove("a")
    assert wallet.list() == ()
    with pytest.raises(IdentityNotFoundError, match="It is empty"):
        wallet.remove("a")


def test_an_unknown_label_lists_the_known(wallet: FileSystemWallet) -> None:
    wallet.put("nurse", IDENTITY, KEY)
    wallet.put("admin", IDENTITY, KEY)
    with pytest.raises(IdentityNotFoundError, match=r"'nusre'. It has: admin, nurse\."):
        wallet.get("nusre")


@pytest.mark.parametrize("label", ["", "../a", "a/b", ".hidden", "-x", "a\0", "a\n", "a" * 201])
def test_unsafe_labels(wallet: FileSystemWallet, label: str) -> None:
    for action in (wallet.get, wallet.remove, lambda label: wallet.put(label, IDENTITY, KEY)):
        with pytest.raises(WalletError, match="cannot be a label"):
            action(label)


def test_key_and_certificate_must_belong_together(wallet: FileSystemWallet) -> None:
    _, other_key = make_identity()
    with pytest.raises(WalletError, match="does not belong to its certificate"):
        wallet.put("a", IDENTITY, other_key)
    with pytest.raises(IdentityError):
        wallet.put("a", IDENTITY, b"no key")
    assert wallet.list() == ()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"type":"X.509","version":1,"mspId":"A","credentials":null}',
        '{"type":"HSM-X.509","version":1}',
        '{"type":"HSM-X.509","version":2,"mspId":"A","credentials":{"certificate":"x"}}',
        '{"type":"X.509","version":1,"mspId":"A","credentials":{"certificate":"x"}}',
        '{"type":"X.509","version":1,"mspId":"A",'
        '"credentials":{"certificate":"x","privateKey":"SECRET"}}',
    ],
)
def test_a_damaged_file_is_named_and_not_quoted(wallet: FileSystemWallet, content: str) -> None:
    wallet.put("a", IDENTITY, KEY)
    (wallet.path / "a.id").write_text(content)
    with pytest.raises(WalletError, match=r"a\.id is not an X\.509 identity") as raised:
        wallet.get("a")
    assert "SECRET" not in str(raised.value)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    wallet = FileSystemWallet(tmp_path / "file")
    with pytest.raises(WalletError, match="cannot be written"):
        wallet.put("a", IDENTITY, KEY)
    with pytest.raises(WalletError, match="cannot be read"):
        wallet.list()


def test_a_key_in_a_token_is_not_in_the_file(wallet: FileSystemWallet) -> None:
    """The layout of the official Node SDK for such identities."""
    wallet.put("admin", IDENTITY, None)
    assert json.loads((wallet.path / "admin.id").read_text()) == {
        "credentials": {"certificate": IDENTITY.certificate.decode()},
        "mspId": "HospitalMSP",
        "type": "HSM-X.509",
        "version": 1,
    }
    entry = wallet.get("admin")
    assert entry.private_key_pem is None
    with pytest.raises(IdentityError, match="HsmWallet"):
        entry.signer()


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_all_wallets_do_the_same(kind: str, tmp_path: Path) -> None:
    wallet: Wallet = InMemoryWallet() if kind == "memory" else FileSystemWallet(tmp_path)
    assert wallet.list() == ()
    wallet.put("b", IDENTITY, KEY)
    other, other_key = make_identity("ClinicMSP")
    wallet.put("a", other, other_key)
    assert wallet.list() == ("a", "b")
    assert wallet.get("b").identity == IDENTITY
    with pytest.raises(WalletError, match="does not belong"):
        wallet.put("b", other, KEY)
    with pytest.raises(WalletError, match="cannot be a label"):
        wallet.put("../b", IDENTITY, KEY)
    assert wallet.get("b").identity == IDENTITY
    wallet.put("b", other, other_key)
    assert wallet.get("b").identity == other
    wallet.remove("b")
    with pytest.raises(IdentityNotFoundError, match="It has: a"):
        wallet.get("b")
    with pytest.raises(IdentityNotFoundError):
        wallet.remove("b")


def test_when_it_expires() -> None:
    assert IDENTITY.valid_until == IDENTITY.x509.not_valid_after_utc
