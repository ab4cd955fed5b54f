"""Chaincode packages and definitions."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile

import pytest
from fabric_protos.peer import policy_pb2

import medfab_gateway.admin
from medfab_gateway.admin import (
    ChaincodeDefinition,
    DefinitionError,
    PackageError,
    package_ccaas,
    package_id,
)
from medfab_gateway.admin._packaging import _gzip_stored


def unpack(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for entry in tar.getmembers():
            assert (entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname) == (
                0,
                0,
                0,
                "",
                "",
            )
            assert entry.isreg()
        files = {name: tar.extractfile(name) for name in tar.getnames()}
        return {name: file.read() for name, file in files.items() if file}


def test_a_package_holds_metadata_and_connection() -> None:
    connection = {"address": "localhost:9999", "tls_required": True}
    files = unpack(package_ccaas("ehr_1.0", connection))
    assert list(files) == ["metadata.json", "code.tar.gz"]
    assert json.loads(files["metadata.json"]) == {"type": "ccaas", "label": "ehr_1.0"}
    assert json.loads(unpack(files["code.tar.gz"])["connection.json"]) == connection


def test_a_package_without_connection_has_empty_code() -> None:
    assert unpack(unpack(package_ccaas("ehr_1.0"))["code.tar.gz"]) == {}


def test_the_bytes_never_change() -> None:
    """Were they to change with a release, organisations would disagree on the package id."""
    digest = "da0d4038a30992cacef9b4d7a88303b08364ca022e3d6ec3eb20e80498c5f662"
    assert hashlib.sha256(package_ccaas("ehr_1.0")).hexdigest() == digest
    assert package_id(package_ccaas("ehr_1.0")) == f"ehr_1.0:{digest}"


def test_the_order_of_keys_does_not_matter() -> None:
    assert package_ccaas("a", {"x": 1, "y": 2}) == package_ccaas("a", {"y": 2, "x": 1})


@pytest.mark.parametrize("size", [1, 0xFFFF, 0x10000, 200_000])
def test_gzip_of_stored_blocks(size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    assert gzip.decompress(_gzip_stored(data[:size])) == data[:size]


@pytest.mark.parametrize("label", ["", "-a", ".a", "a b", "a/b", "a:b", "ä", "a\n"])
def test_labels_that_fabric_refuses(label: str) -> None:
    with pytest.raises(PackageError, match="cannot be the label"):
        package_ccaas(label)


def test_a_connection_that_is_no_json() -> None:
    with pytest.raises(PackageError, match="connection of package 'a' is no JSON"):
        package_ccaas("a", {"key": b"bytes"})


@pytest.mark.parametrize("package", [b"", b"x" * 100, gzip.compress(b""), package_ccaas("a")[:40]])
def test_what_is_no_package(package: bytes) -> None:
    with pytest.raises(PackageError, match="no chaincode package"):
        package_id(package)


def test_a_definition_has_fabrics_defaults() -> None:
    definition = ChaincodeDefinition(name="ehr", version="1.0", sequence=1)
    policy = policy_pb2.ApplicationPolicy.FromString(definition.endorsement_policy)
    assert policy.channel_config_policy_reference == "/Channel/Application/Endorsement"
    assert (definition.endorsement_plugin, definition.validation_plugin) == ("escc", "vscc")
    assert definition.collections == b""


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a--b"},
        {"name": "_a"},
        {"name": "a b"},
        {"name": "qscc"},
        {"version": ""},
        {"version": "1 0"},
        {"sequence": 0},
    ],
)
def test_definitions_that_fabric_refuses(wrong: dict[str, object]) -> None:
    right: dict[str, object] = {"name": "ehr", "version": "1.0", "sequence": 1}
    with pytest.raises(DefinitionError):
        ChaincodeDefinition(**{**right, **wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", medfab_gateway.admin.__all__)
def test_what_is_exported_exists(name: str) -> None:
    assert hasattr(medfab_gateway.admin, name)


def test_the_exports_are_sorted() -> None:
    assert sorted(medfab_gateway.admin.__all__) == medfab_gateway.admin.__all__
