"""The public API is what the last review saw: `make api` writes it anew, git shows the change."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
_spec = importlib.util.spec_from_file_location("make_api", ROOT / "scripts" / "make_api.py")
assert _spec is not None
assert _spec.loader is not None
make_api = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make_api)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="others write signatures otherwise")
@pytest.mark.parametrize("package", make_api.PACKAGES)
def test_the_public_api_is_the_one_on_record(package: str) -> None:
    recorded = (make_api.FOLDER / f"{package}.txt").read_text("utf-8").splitlines()
    changes = [
        line
        for line in difflib.unified_diff(recorded, make_api.document(package).splitlines(), n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    assert changes == [], (
        "run `make api`, commit it, and say it in CHANGELOG.md (docs/stability.md)"
    )


def test_the_record_shows_names_signatures_and_fields() -> None:
    text = make_api.document("medfab_gateway")
    assert "medfab_gateway.wallet.FileSystemWallet.get(self, label: 'str')" in text
    assert "\nclass medfab_gateway.AsyncGateway(" in text
    assert "\nmedfab_gateway.GatewayOptions.evaluate_timeout: " in text
    assert " object at 0x" not in text


@pytest.mark.parametrize("package", make_api.PACKAGES)
def test_public_modules_say_what_is_public(package: str) -> None:
    silent = [m.__name__ for m in make_api.modules(package) if not hasattr(m, "__all__")]
    # Those without a list are public in everything that they define.
    for name in silent:
        assert make_api.names(importlib.import_module(name)), name
