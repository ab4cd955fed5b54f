"""THIRD-PARTY-NOTICES.md names all that the distributions need, and licences that may be used."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from scripts.inventory import recognise

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "THIRD-PARTY-NOTICES.md").read_text("utf-8")
ROW = re.compile(r"^\| (\S+) \| (.+?) \|$", re.MULTILINE)

FREE = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MIT-CMU"),
    *("MPL-2.0", "PSF-2.0", "Unlicense"),
    # As three packages and a dual-licensed one write it.
    *("BSD license", "3-Clause BSD License", "BSD"),
}
CONDITIONED = {"psycopg", "psycopg-binary"}
"""LGPL: installed beside ours and imported, never changed or copied in; only with [postgres]."""


def rows(section: str) -> dict[str, str]:
    text = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    return {name: licence for name, licence in ROW.findall(text) if name != "Name"}


def test_every_package_that_users_may_get_is_named() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    packages = {package["name"]: package for package in lock["package"]}
    needed: set[str] = set()
    waiting = [
        (name, extra)
        for name in ("medfab-gateway", "medfab-chaincode", "medfab-network")
        for extra in ("", *packages[name].get("optional-dependencies", {}))
        if extra != "go"
    ]
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        needed.add(name)
        waiting += _requirements(packages[name], extra)
    ours = {name for name in needed if name.startswith("medfab-")}
    assert rows("Python packages").keys() == needed - ours, "run `make notices`"


def _requirements(package: dict[str, Any], extra: str) -> list[tuple[str, str]]:
    listed = (
        package.get("optional-dependencies", {}).get(extra, [])
        if extra
        else package.get("dependencies", [])
    )
    return [
        (each["name"], wanted)
        for each in listed
        if _here(each.get("marker", ""))
        for wanted in ("", *each.get("extra", []))
    ]


def _here(marker: str) -> bool:
    from packaging.markers import Marker

    return not marker or Marker(marker).evaluate({"extra": ""})


def test_every_licence_may_be_used() -> None:
    sections = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert len(sections) == 3
    for section in sections:
        found = rows(section)
        assert len(found) > 40
        for name, licence in found.items():
            if name not in CONDITIONED:
                assert set(re.split(r" AND | OR ", licence)) <= FREE, (name, licence)


def test_licences_are_told_apart() -> None:
    assert recognise((ROOT / "LICENSE").read_text()) == "Apache-2.0"
    assert recognise("Permission is hereby granted, free of charge, to any person") == "MIT"
    assert recognise("GNU AFFERO GENERAL PUBLIC LICENSE") is None
