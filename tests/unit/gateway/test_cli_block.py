"""`medfab block decode`."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from fabric_protos.common import common_pb2

from medfab_gateway import block_json
from medfab_gateway.cli._main import medfab
from unit.gateway.made_transactions import made_transaction


def block() -> bytes:
    data = common_pb2.BlockData(data=[made_transaction("t1", args=(b"File",)).envelope])
    serialized: bytes = common_pb2.Block(data=data).SerializeToString()
    return serialized


def test_a_file_and_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "care.block"
    file.write_bytes(block())
    for argument, given in ((str(file), b""), ("-", block())):
        result = CliRunner().invoke(medfab, ["block", "decode", argument], input=given)
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout) == block_json(block())


def test_a_file_that_is_no_block(tmp_path: Path) -> None:
    file = tmp_path / "care.block"
    file.write_bytes(b"\xff\xff")
    result = CliRunner().invoke(medfab, ["block", "decode", str(file)])
    assert result.exit_code == 2
    assert "not a block" in result.output
