"""A node's new certificate and key: made beside the old pair, put in its place while it is down.

Two files cannot be replaced at once. `next/` in the folder of the pair holds the new one until both
are in place, and a mark says that the replacement has begun: who is cut off finds the mark, here
or at the next `up`, and finishes.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from medfab_gateway.ca import Enrollment
from medfab_network._files import write_atomically, write_folder_atomically
from medfab_network._layout import Layout
from medfab_network._runner import Runner
from medfab_network.topology import Node

_CERTIFICATE, _KEY, _MARK = "cert.pem", "key.pem", "replacing"


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as a node reads them."""

    certificate: Path
    key: Path
    next: Path
    """Folder of the pair that will take its place; where nodes do not look for certificates."""

    @classmethod
    def tls(cls, layout: Layout, organization: str, node: str) -> Pair:
        folder = layout.tls(organization, node)
        return cls(folder / _CERTIFICATE, folder / _KEY, folder.with_name("next-tls"))

    @classmethod
    def sign(cls, layout: Layout, organization: str, node: str) -> Pair:
        folder = layout.node(organization, node) / "msp"
        return cls(
            folder / "signcerts" / _CERTIFICATE,
            folder / "keystore" / _KEY,
            folder.with_name("next-sign"),
        )

    @property
    def serial(self) -> int:
        """Of the certificate in place."""
        return serial_of(self.certificate.read_bytes())

    @property
    def staged(self) -> bytes | None:
        """The certificate that will take its place."""
        path = self.next / _CERTIFICATE
        return path.read_bytes() if path.exists() else None

    def stage(self, enrollment: Enrollment) -> None:
        """Keep a new pair, for `replace`."""
        write_folder_atomically(
            self.next,
            {_KEY: (enrollment.private_key, 0o600), _CERTIFICATE: (enrollment.certificate, 0o644)},
        )

    def replace(self) -> None:
        """Put the staged pair into place; the node does not run."""
        write_atomically(self.next / _MARK, b"")
        self.finish()

    def finish(self) -> None:
        """Go on with a replacement that was cut off; nothing where there is none."""
        if not (self.next / _MARK).exists():
            return
        write_atomically(self.key, (self.next / _KEY).read_bytes(), 0o600)
        write_atomically(self.certificate, (self.next / _CERTIFICATE).read_bytes())
        discarded = self.next.with_name(f".{self.next.name}.done")
        shutil.rmtree(discarded, ignore_errors=True)
        self.next.replace(discarded)
        shutil.rmtree(discarded)


def finish_replacements(layout: Layout, nodes: Iterable[Node], processes: Runner) -> list[Node]:
    """No key without its certificate, and none locked out. Returns whose files are other ones now.

    They may run: an engine starts its containers again by itself.
    """
    finished = []
    for node in nodes:
        pairs = [make(layout, node.organization, node.name) for make in (Pair.tls, Pair.sign)]
        staged = [pair for pair in pairs if pair.staged is not None]
        if node.kind == "orderer" and any(_is_ordered(node, pair, processes) for pair in staged):
            # Cut off between the channel's consent and the replacement: with the old certificate
            # the others would not let it in.
            for pair in staged:
                pair.replace()
        else:
            for pair in pairs:
                pair.finish()
        if any(pair.staged is None for pair in staged):
            finished.append(node)
    return finished


def _is_ordered(node: Node, pair: Pair, processes: Runner) -> bool:
    """Whether a block that the orderer has holds the staged certificate."""
    certificate = pair.staged or b""
    with contextlib.closing(processes.data_files(node, "ledger/chains")) as files:
        # Each has at most 64 MB, by Fabric's own limit.
        return any(certificate in content.read() for _, content in files)


def serial_of(pem: bytes) -> int:
    """The serial number of a certificate."""
    return x509.load_pem_x509_certificate(pem).serial_number
