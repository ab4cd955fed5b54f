"""A node's certificate and key are replaced together, whenever it is cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from medfab_gateway import WalletError
from medfab_gateway.cli.ca._certificate_files import CertificateFiles
from unit.gateway.fake_gateway import make_identity

OLD, OLD_KEY = make_identity()
NEW, NEW_KEY = make_identity()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cert.pem").write_bytes(OLD.certificate)
    (tmp_path / "cert.pem").chmod(0o644)
    (tmp_path / "key.pem").write_bytes(OLD_KEY)
    (tmp_path / "key.pem").chmod(0o600)
    return tmp_path


def files(folder: Path) -> CertificateFiles:
    return CertificateFiles(folder / "cert.pem", folder / "key.pem", "HospitalMSP")


def test_both_are_replaced(folder: Path) -> None:
    assert files(folder).get("x").identity == OLD
    files(folder).put("x", NEW, NEW_KEY)
    entry = files(folder).get("x")
    assert (entry.identity, entry.private_key_pem) == (NEW, NEW_KEY)
    assert sorted(file.name for file in folder.iterdir()) == ["cert.pem", "key.pem"]
    assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600
    assert (folder / "cert.pem").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_cut_off_after_any_step(
    renames: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old or new, but always a pair; and the next time it goes on."""
    done = 0
    replace = Path.replace

    def dying(self: Path, target: Path) -> Path:
        nonlocal done
        if self.suffix == ".new":
            if done == renames:
                raise KeyboardInterrupt
            done += 1
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", dying)
        if renames < 2:
            with pytest.raises(KeyboardInterrupt):
                files(folder).put("x", NEW, NEW_KEY)
        else:
            files(folder).put("x", NEW, NEW_KEY)
    entry = files(folder).get("x")
    expected = (OLD, OLD_KEY) if renames == 0 else (NEW, NEW_KEY)
    assert (entry.identity, entry.private_key_pem) == expected
    files(folder).put("x", NEW, NEW_KEY)
    assert files(folder).get("x").identity == NEW


def test_files_that_do_not_belong_together(folder: Path) -> None:
    (folder / "key.pem").write_bytes(NEW_KEY)
    with pytest.raises(WalletError, match=r"key\.pem is not the key of"):
        files(folder).get("x")
    (folder / "key.pem").unlink()
    with pytest.raises(WalletError, match="cannot be read"):
        files(folder).get("x")
