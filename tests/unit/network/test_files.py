"""Files that survive a crash, and certificates of our own."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from medfab_network._certificates import self_signed
from medfab_network._files import write_atomically, write_folder_atomically


def test_content_and_mode(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "key.pem"
    write_atomically(path, "secret", 0o600)
    assert path.read_text() == "secret"
    assert path.stat().st_mode & 0o777 == 0o600
    write_atomically(path, b"public")
    assert path.read_bytes() == b"public"
    assert path.stat().st_mode & 0o777 == 0o644
    assert os.listdir(path.parent) == ["key.pem"]  # noqa: PTH208


def test_the_umask_does_not_weaken_or_widen_the_mode(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_atomically(tmp_path / "key", b"", 0o600)
    finally:
        os.umask(before)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_what_was_there_stays_when_writing_fails(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.mkdir()
    (target / "inside").touch()
    with pytest.raises(OSError, match="directory"):
        write_atomically(target, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_reader_holds_the_old_file_while_the_new_one_comes(tmp_path: Path) -> None:
    target = tmp_path / "file"
    write_atomically(target, b"old")
    with target.open("rb") as reader:
        write_atomically(target, b"new")
        assert reader.read() == b"old"
    assert target.read_bytes() == b"new"


class Killed(BaseException):
    """As SIGKILL: nothing of ours runs after it."""


def test_a_folder_whose_making_was_cut_off_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fabric reads every file of an MSP: a temporary one is a certificate too many."""
    folder = tmp_path / "msp"
    files: dict[str, tuple[bytes | str, int]] = {
        "keystore/key.pem": ("key", 0o600),
        "signcerts/cert.pem": ("certificate", 0o644),
    }
    replaced: list[Path] = []
    cut = 0

    def replace(path: Path, target: Path) -> None:
        replaced.append(target)
        if len(replaced) == cut:
            raise Killed
        os.replace(path, target)  # noqa: PTH105

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(Path, "unlink", lambda path, missing_ok: None)
    for number in (1, 2, 3):
        cut = number
        replaced.clear()
        with pytest.raises(Killed):
            write_folder_atomically(folder, files)
        assert not folder.exists()
    cut = 0
    write_folder_atomically(folder, files)
    found = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}
    assert found == {name: content for name, (content, _) in files.items()}
    assert (folder / "keystore" / "key.pem").stat().st_mode & 0o777 == 0o600


def test_a_self_signed_certificate_serves_tls(tmp_path: Path) -> None:
    certificate, key = self_signed("ca.clinic", hosts=("localhost", "127.0.0.1"))
    names = x509.load_pem_x509_certificate(certificate).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(ip) for ip in names.value.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    for name, content in (("cert", certificate), ("key", key)):
        (tmp_path / name).write_bytes(content)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "cert", tmp_path / "key")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_writes_is_its_folder_s_owner_s(tmp_path: Path) -> None:
    """A container's user reads a key that root has replaced, at any moment."""
    os.chown(tmp_path, 10001, 10002)
    for _ in range(2):
        write_atomically(tmp_path / "key.pem", "secret", 0o600)
        found = (tmp_path / "key.pem").stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (10001, 10002, 0o600)
