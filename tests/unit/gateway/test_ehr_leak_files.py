"""The search of files finds what is planted, in every encoding, and nothing else."""

import base64
import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import medfab_gateway.ehr._leak_files as leak_files
from medfab_gateway.ehr import PhiValue, example_bundle, load_bundle, phi_values, scan_files

NAME = "Quenneville"
VALUES = [PhiValue(kind="name", value=NAME), PhiValue(kind="measurement", value="98.60 %")]

ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "utf-8": lambda data: data,
    "upper case": lambda data: data.upper(),
    "hex": lambda data: data.hex().encode(),
    "base64": lambda data: base64.b64encode(b"?" + data + b"??"),
    "utf-16-le": lambda data: data.decode().encode("utf-16-le"),
    "sha256 as hex": lambda data: hashlib.sha256(data).hexdigest().encode(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "md5 as base64": lambda data: base64.b64encode(
        hashlib.md5(data, usedforsecurity=False).digest()
    ),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_planted_leaks_are_found(tmp_path: Path, encoding: str) -> None:
    clean, leaky = tmp_path / "clean.log", tmp_path / "leaky.log"
    clean.write_bytes(b"2026-11-27 INFO peer joined care\n" * 99)
    leaky.write_bytes(clean.read_bytes() + b" " + ENCODINGS[encoding](NAME.encode()) + b" \n")
    report = scan_files([clean, leaky], VALUES)
    assert {(finding.path, finding.kind) for finding in report.findings} == {(str(leaky), "name")}
    assert not report.clean
    assert NAME not in repr(report)
    assert (report.files, report.values) == (2, 2)
    assert scan_files([clean], VALUES).clean


def test_a_value_across_two_parts_of_a_large_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leak_files, "_CHUNK", 1000)
    for start in (985, 990, 995, 999, 1000):
        path = tmp_path / f"{start}.log"
        path.write_bytes(b" " * start + NAME.encode() + b" " * 3000)
        assert not scan_files([path], VALUES).clean, start


def test_databases_are_searched_cell_by_cell(tmp_path: Path) -> None:
    path = tmp_path / "projection.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE disclosures (request TEXT, note TEXT, raw BLOB, n INTEGER)")
        database.execute("INSERT INTO disclosures VALUES ('a', 'nothing', x'00', 98)")
        database.commit()
        report = scan_files([path], VALUES)
        assert (report.clean, report.cells) == (True, 4)
        database.execute("INSERT INTO disclosures VALUES ('b', ?, NULL, 1)", [f"for {NAME}"])
        database.commit()
    report = scan_files([path], VALUES)
    assert "disclosures.note" in {finding.where for finding in report.findings}


def test_what_is_in_any_log_by_chance_is_not_searched(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"took 98.60 ms on port 17000, M, 151.70\n")
    values = [PhiValue(kind="measurement", value=value) for value in ("98.60", "17000", "M")]
    report = scan_files([path], values)
    assert (report.clean, report.values) == (True, 0)


def test_every_value_of_a_bundle(tmp_path: Path) -> None:
    values = phi_values(load_bundle(example_bundle()))
    clean, whole = tmp_path / "clean.log", tmp_path / "whole.json"
    clean.write_bytes(b"INFO committed block 7 in 3ms\n" * 100)
    whole.write_bytes(example_bundle())
    assert scan_files([clean], values).clean
    found = {finding.kind for finding in scan_files([whole], values).findings}
    assert {"name", "address", "identifier", "date", "narrative", "resource-id"} <= found
