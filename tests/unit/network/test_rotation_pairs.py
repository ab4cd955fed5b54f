"""A node's pair is replaced whole, wherever the replacement is cut off."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from medfab_network import _rotation_pairs
from medfab_network._certificates import self_signed
from medfab_network._files import write_atomically
from medfab_network._layout import Layout
from medfab_network._processes import NodeProcesses
from medfab_network._rotation import Journal
from medfab_network._rotation_pairs import Pair, finish_replacements, serial_of
from medfab_network.errors import NetworkError
from medfab_network.topology import Node, load_topology

PEER = next(node for node in load_topology(None).nodes() if node.kind == "peer")
ORDERER = next(node for node in load_topology(None).nodes() if node.kind == "orderer")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    for node in (PEER, ORDERER):
        for make in (Pair.tls, Pair.sign):
            pair = make(layout, node.organization, node.name)
            certificate, key = self_signed(node.name, hosts=("localhost",))
            write_atomically(pair.certificate, certificate)
            write_atomically(pair.key, key, 0o600)
    return layout


def staged(pair: Pair) -> tuple[bytes, bytes]:
    certificate, key = self_signed("new", hosts=("localhost",))
    pair.stage(cast(Any, SimpleNamespace(certificate=certificate, private_key=key)))
    return certificate, key


def finish(layout: Layout, node: Node) -> list[Node]:
    return finish_replacements(layout, [node], NodeProcesses(layout.root, layout.logs))


def test_a_staged_pair_takes_its_place(layout: Layout) -> None:
    pair = Pair.tls(layout, PEER.organization, PEER.name)
    before = pair.serial
    certificate, key = staged(pair)
    assert pair.serial == before
    assert pair.staged == certificate
    pair.replace()
    assert (pair.certificate.read_bytes(), pair.key.read_bytes()) == (certificate, key)
    assert pair.serial == serial_of(certificate) != before
    assert pair.key.stat().st_mode & 0o777 == 0o600
    assert not pair.next.exists()
    assert pair.staged is None


@pytest.mark.parametrize("writes", [1, 2])
def test_cut_off_between_its_files(
    layout: Layout, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the mark, or after the key: the start of the node finishes it."""
    pair = Pair.tls(layout, PEER.organization, PEER.name)
    certificate, key = staged(pair)
    left = writes

    def write(*arguments: Any) -> None:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        write_atomically(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(_rotation_pairs, "write_atomically", write)
        with pytest.raises(KeyboardInterrupt):
            pair.replace()
    assert finish(layout, PEER) == [PEER]
    assert (pair.certificate.read_bytes(), pair.key.read_bytes()) == (certificate, key)


def test_what_has_not_begun_is_not_finished(layout: Layout) -> None:
    pair = Pair.tls(layout, PEER.organization, PEER.name)
    before = pair.serial
    staged(pair)
    assert finish(layout, PEER) == []
    assert pair.serial == before
    assert pair.staged is not None


@pytest.mark.parametrize("ordered", [True, False])
def test_an_orderer_takes_the_certificate_that_its_channel_knows(
    layout: Layout, ordered: bool
) -> None:
    """With the old one the others would not let it in."""
    pair = Pair.tls(layout, ORDERER.organization, ORDERER.name)
    before = pair.serial
    certificate, _ = staged(pair)
    chain = layout.node(ORDERER.organization, ORDERER.name) / "data/ledger/chains/care"
    chain.mkdir(parents=True)
    (chain / "blockfile_000000").write_bytes(b"block" + (certificate if ordered else b"") + b"end")
    assert finish(layout, ORDERER) == ([ORDERER] if ordered else [])
    assert pair.serial == (serial_of(certificate) if ordered else before)


def test_the_journal(layout: Layout) -> None:
    journal = Journal(layout, "hospital")
    journal.begin("tls", "hospital", None)
    journal.add("peer0.hospital")
    again = Journal(layout, "hospital")
    again.begin("tls", "hospital", None)
    assert again.done("peer0.hospital")
    with pytest.raises(NetworkError, match="rotate --kind tls --org hospital"):
        Journal(layout, "hospital").begin("root-trust", "hospital", None)
    again.end()
    Journal(layout, "hospital").begin("root-trust", "hospital", None)
