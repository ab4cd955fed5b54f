"""Decoding a block that configtxgen has made."""

from __future__ import annotations

import hashlib

import pytest
from fabric_protos.common import common_pb2

from integration.conftest import Consortium
from medfab_gateway import Block, decode_block

pytestmark = pytest.mark.integration


def test_a_genesis_block_of_configtxgen(consortium: Consortium) -> None:
    file = consortium.running_network.directory / "channels" / "care.block"
    block: Block = decode_block(file.read_bytes())
    assert block.number == 0
    assert block.raw == file.read_bytes()
    data = common_pb2.Block.FromString(block.raw).data.data
    assert block.data_hash == hashlib.sha256(b"".join(data)).digest()
    [transaction] = block.transactions
    assert (transaction.type, transaction.channel_id) == ("CONFIG", "care")
    assert transaction.undecoded is None
    assert transaction.config is not None
    assert "Orderer" in transaction.config.channel.groups
