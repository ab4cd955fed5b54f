"""The external builder that peers run for chaincode as a service."""

from __future__ import annotations

from importlib import resources

from medfab_network._files import write_atomically
from medfab_network._layout import Layout


def install_builder(layout: Layout) -> None:
    """Write its programs into the network directory."""
    source = resources.files("medfab_network").joinpath("data/builder")
    for name in ("detect", "build", "release"):
        program = layout.builder / "bin" / name
        write_atomically(program, source.joinpath(name).read_bytes(), 0o755)
