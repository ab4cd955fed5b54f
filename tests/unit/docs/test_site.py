"""The site of docs/: builds strictly, loads nothing from elsewhere, has every public name."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
DOCUMENTED = (
    "medfab_chaincode",
    "medfab_chaincode.testing",
    "medfab_gateway",
    "medfab_gateway.admin",
    "medfab_gateway.ca",
    "medfab_gateway.consumers",
    "medfab_gateway.ehr",
    "medfab_gateway.hsm",
    "medfab_gateway.pharma",
    "medfab_gateway.telemetry",
    "medfab_network",
)
# `<a href>` leads somewhere when it is clicked; all others load by themselves.
_LOADED = re.compile(
    r"<(?!a\b)\w+\b[^>]*\s(?:src|href|srcset|poster|data)\s*=\s*[\"']?\s*(?:https?:)?//[^>]*>"
)
_STYLE = re.compile(r"@import[^;]+|url\(\s*[\"']?\s*(?:https?:)?//[^)]+\)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [Path(sys.executable).with_name("mkdocs"), "build", "--strict", "--site-dir", folder],
        cwd=REPOSITORY,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_pages_load_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    found = {page.name: _LOADED.findall(page.read_text("utf-8")) for page in pages}
    for sheet in site.rglob("*.css"):
        found[sheet.name] = _STYLE.findall(sheet.read_text("utf-8"))
    assert not {name: loads for name, loads in found.items() if loads}


def test_what_counts_as_loaded() -> None:
    assert _LOADED.search('<script async src="https://cdn.example/x.js"></script>')
    assert _LOADED.search("<link rel=stylesheet href=//fonts.example/a.css>")
    assert _LOADED.search('<img alt="" src="http://example/a.png">')
    assert not _LOADED.search('<a href="https://example">')
    assert not _LOADED.search('<img src="../assets/a.svg">')
    assert _STYLE.search("a{background:url(https://example/a.png)}")


@pytest.mark.parametrize("module", DOCUMENTED)
def test_the_reference_has_every_public_name(site: Path, module: str) -> None:
    inventory = (site / "objects.inv").read_bytes()
    names = {
        line.split(" ", 1)[0]
        for line in zlib.decompress(inventory.split(b"zlib.\n", 1)[1]).decode().splitlines()
    }
    public = {f"{module}.{name}" for name in importlib.import_module(module).__all__}
    assert public <= names, sorted(public - names)
