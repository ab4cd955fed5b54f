"""What brings nodes to life and ends them: processes of this machine, or containers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from tarfile import TarInfo
from typing import IO, Protocol

from medfab_network._files import Readable
from medfab_network.topology import Node, Topology

PutData = Callable[[Node, TarInfo, Readable], None]
"""Takes a file of a node's data, named within that, and reads all of it."""


class Runner(Protocol):
    """`NodeProcesses` and `Containers` say what each call does."""

    def adopt(self, topology: Topology) -> None:
        """From now on the nodes are those of this topology; what runs goes on."""

    async def forget(self, node: Node) -> None:
        """Delete the ledgers of a node that has been stopped; its keys stay, and its name."""

    def data_files(
        self, node: Node, folder: str = ...
    ) -> Generator[tuple[TarInfo, IO[bytes]], None, None]:
        """The files of a folder in what is its `Place.data`, named within that folder.

        In no order, each to be read before the next is asked for. None where there is no such
        folder. Of a node that runs, only what it has finished with is whole.
        """

    def check_no_data(self, nodes: Iterable[Node]) -> None:
        """Raise `DirectoryError` where they have data elsewhere than in their own folders."""

    def new_data(self, nodes: Mapping[Node, Path]) -> AbstractContextManager[PutData]:
        """Data for stopped nodes; what they have is deleted first, and it all if the block raises.

        nodes: each with the folder that will be its data's, where that is one of this machine.
        """

    def start(
        self,
        node: str,
        command: list[str],
        environment: Mapping[str, str],
        folder: Path,
        extra: Mapping[str, str] = ...,
    ) -> None:
        """extra: environment of this start alone."""

    def hand_over(self, node: str) -> None:
        """The node's files have been written anew while it runs."""

    def running(self) -> dict[str, int]: ...

    async def settled(self, *, grace: float = 10.0) -> dict[str, int]: ...

    def environment(self, node: str) -> dict[str, str]: ...

    def check_alive(self, node: str) -> None: ...

    def log_tail(self, node: str, lines: int = ...) -> str: ...

    def log_mark(self, node: str) -> float:
        """Where the node's log is by now, for `log_since`."""

    def log_since(self, node: str, mark: float) -> str:
        """What the node has logged since then."""

    async def stop(
        self, nodes: Iterable[str] | None = None, *, grace: float = 10.0
    ) -> list[str]: ...

    def kill_now(self) -> None: ...

    def replace_data(self, node: Node, file: str, content: bytes) -> None:
        """Write a file of its data anew; nothing where it is not there. The node may run."""

    def data_folder(self, node: Node) -> Path | None:
        """Where its ledgers or its database are on this machine; None where it has neither."""
