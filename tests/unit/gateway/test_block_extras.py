"""What comes with a block besides its transactions: metadata, and private data."""

from __future__ import annotations

import hashlib

from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import events_pb2

from medfab_gateway import (
    Creator,
    Write,
    decode_block,
)
from medfab_gateway._events._private_data import decode_block_and_private_data


def metadata_block(*entries: bytes) -> bytes:
    block = common_pb2.Block(metadata=common_pb2.BlockMetadata(metadata=entries))
    serialized: bytes = block.SerializeToString()
    return serialized


def signed(**signature: bytes) -> bytes:
    value = common_pb2.OrdererBlockMetadata(
        last_config=common_pb2.LastConfig(index=3), consenter_metadata=b"raft"
    )
    entry = common_pb2.Metadata(value=value.SerializeToString())
    entry.signatures.add(signature=b"signed", **signature)
    serialized: bytes = entry.SerializeToString()
    return serialized


def test_metadata_of_raft() -> None:
    creator = identities_pb2.SerializedIdentity(mspid="OrdererMSP", id_bytes=b"pem")
    header = common_pb2.SignatureHeader(creator=creator.SerializeToString())
    commit_hash = common_pb2.Metadata(value=b"h" * 32).SerializeToString()
    metadata = decode_block(
        metadata_block(
            signed(signature_header=header.SerializeToString()), b"", b"", b"", commit_hash
        )
    ).metadata
    assert (metadata.last_config, metadata.consenter_metadata) == (3, b"raft")
    assert metadata.commit_hash == b"h" * 32
    (signature,) = metadata.signatures
    assert signature.signer == Creator(msp_id="OrdererMSP", certificate=b"pem")
    assert (signature.consenter_id, signature.signature) == (None, b"signed")
    assert metadata.undecoded is None


def test_metadata_of_bft() -> None:
    header = common_pb2.IdentifierHeader(identifier=4, nonce=b"n").SerializeToString()
    metadata = decode_block(metadata_block(signed(identifier_header=header))).metadata
    (signature,) = metadata.signatures
    assert (signature.signer, signature.consenter_id) == (None, 4)


def test_metadata_that_is_not_there_and_that_is_broken() -> None:
    nothing = decode_block(metadata_block()).metadata
    assert (nothing.last_config, nothing.signatures, nothing.commit_hash) == (None, (), None)
    assert nothing.undecoded is None
    assert decode_block(metadata_block(b"\xff")).metadata.undecoded


def test_the_id_of_a_certificate_that_is_no_pem() -> None:
    creator = Creator(msp_id="M", certificate=b"idemix")
    assert creator.certificate_id == hashlib.sha256(b"idemix").hexdigest()


def test_private_data() -> None:
    writes = kv_rwset_pb2.KVRWSet(
        writes=[kv_rwset_pb2.KVWrite(key="KEY", value=b"SECRET")],
    ).SerializeToString()
    collections = [
        rwset_pb2.CollectionPvtReadWriteSet(collection_name="consents", rwset=writes),
        rwset_pb2.CollectionPvtReadWriteSet(collection_name="broken", rwset=b"\xff"),
    ]
    namespace = rwset_pb2.NsPvtReadWriteSet(namespace="ehr", collection_pvt_rwset=collections)
    message = events_pb2.BlockAndPrivateData(
        block=common_pb2.Block(header=common_pb2.BlockHeader(number=9)),
        private_data_map={2: rwset_pb2.TxPvtReadWriteSet(ns_pvt_rwset=[namespace])},
    )
    decoded = decode_block_and_private_data(message)
    assert decoded.block.number == 9
    (private,) = decoded.private_data
    assert private.transaction_number == 2
    assert (private.namespace, private.collection) == ("ehr", "consents")
    assert private.writes == (Write(key="KEY", value=b"SECRET", is_delete=False),)
    for text in (repr(decoded), repr(private), repr(private.writes)):
        assert "SECRET" not in text
        assert "KEY" not in text
