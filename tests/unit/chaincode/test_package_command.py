"""`medfab-chaincode package`: the same bytes as the gateway makes, on any machine."""

import io
import json
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from medfab_chaincode._cli import main
from medfab_chaincode._package import package_ccaas
from medfab_gateway.admin import package_ccaas as package_of_the_gateway
from medfab_gateway.admin import package_id

CONNECTION = {"address": "notes:9999", "dial_timeout": "10s", "tls_required": True}
LARGE = {"root_cert": "x" * 70_000}  # more than one stored block


@pytest.mark.parametrize("connection", [None, {}, CONNECTION, LARGE], ids=str)
def test_the_bytes_are_those_of_the_gateway(connection: dict[str, object] | None) -> None:
    identifier, package = package_ccaas("notes_1.0", connection)
    assert package == package_of_the_gateway("notes_1.0", connection)
    assert identifier == package_id(package)


def test_the_command_writes_the_package_and_prints_its_id(tmp_path: Path) -> None:
    connection = tmp_path / "connection.json"
    connection.write_text(json.dumps(CONNECTION, indent=4))
    output = tmp_path / "notes.tar.gz"
    arguments = ["package", "notes_1.0", "--output", output, "--connection", connection]
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0
    assert result.stdout == f"{package_ccaas('notes_1.0', CONNECTION)[0]}\n"
    with tarfile.open(output) as archive:
        assert archive.getnames() == ["metadata.json", "code.tar.gz"]
        code = archive.extractfile("code.tar.gz")
        assert code is not None
        with tarfile.open(fileobj=io.BytesIO(code.read())) as inner:
            assert inner.getnames() == ["connection.json"]


def test_the_id_never_changes() -> None:
    # Were it to, a consortium that has approved it could not package it again.
    assert (
        package_ccaas("notes_1.0")[0]
        == "notes_1.0:affbfbaab60a4ed523ab304e099429405e53ce4120ae5fb4ce9d30a9ba853750"
    )


@pytest.mark.parametrize(
    ("label", "connection", "text"),
    [
        ("no spaces", None, "cannot be the label of a package"),
        ("notes", "{", "is no JSON"),
        ("notes", "[]", "is no JSON object"),
    ],
)
def test_what_cannot_be_packaged(
    tmp_path: Path, label: str, connection: str | None, text: str
) -> None:
    arguments = ["package", label, "--output", str(tmp_path / "package")]
    if connection is not None:
        (tmp_path / "connection.json").write_text(connection)
        arguments += ["--connection", str(tmp_path / "connection.json")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert text in result.stderr
    assert not (tmp_path / "package").exists()
