"""Nodes as containers: the same calls as `NodeProcesses`, on the Docker engine.

Containers carry Compose's labels, so `docker-compose ps`, `logs` and `down` of the directory's
compose file see them; the engine alone is the record of what runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import os
import socket
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from tarfile import TarInfo
from types import MappingProxyType
from typing import IO, TYPE_CHECKING

from medfab_network._engine import engine_errors
from medfab_network._files import Readable
from medfab_network._layout import Layout
from medfab_network._place import CONTAINER_DATA
from medfab_network._profile_services import EXTRA_IMAGES
from medfab_network._runner import PutData
from medfab_network._services import IMAGES, USER, Service, services, volume_of
from medfab_network._volume import PutFile, files_below, holder, put_below
from medfab_network.errors import DirectoryError, EngineError, NodeFailedError
from medfab_network.topology import HOST, Node, Topology

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

_TAIL_LINES = 15
_PROJECT, _SERVICE = "com.docker.compose.project", "com.docker.compose.service"
_EXTRA = "medfab.environment"  # of one start alone
_LOOK_SECONDS = 1.0
_LOCAL_ENGINE = "unix:///var/run/docker.sock"
_SECOND = 1_000_000_000  # Docker counts nanoseconds


def connect() -> DockerClient:
    """The engine of the environment (`DOCKER_HOST`, else the local socket).

    Raises `EngineError`, which says what to do.
    """
    try:
        import docker
    except ImportError as error:
        raise EngineError(
            "running in containers needs the Docker SDK: `pip install 'medfab-network[docker]'`"
        ) from error
    where = os.environ.get("DOCKER_HOST") or _LOCAL_ENGINE
    try:
        if where.startswith("unix://"):  # the SDK leaves its socket open when this fails
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(where.removeprefix("unix://"))
        client = docker.from_env(timeout=60)
    except (OSError, docker.errors.DockerException) as error:
        raise EngineError(
            f"no Docker engine answers at {where}: start it (`systemctl start docker`), name "
            "another with DOCKER_HOST, or leave --docker away to run plain processes"
        ) from error
    return client


def project_name(topology: Topology, directory: Path) -> str:
    """Of the directory's containers, volumes and network: its own on this machine."""
    digest = hashlib.sha256(str(directory).encode()).hexdigest()[:8]
    return f"{topology.name}-{digest}"


def node_user() -> str:
    """`uid:gid` that nodes run as: our own, whose files they read; never root."""
    uid = os.geteuid()
    return f"{USER}:{USER}" if uid == 0 else f"{uid}:{os.getegid()}"


def _as_label(extra: Mapping[str, str]) -> str:
    return json.dumps(dict(extra), sort_keys=True)


class Containers:
    """The containers of one network directory."""

    def __init__(self, directory: Path, topology: Topology) -> None:
        self._directory = directory
        self.project = project_name(topology, directory)
        self._services = {service.name: service for service in services(topology)}
        # Starting one waits for the engine most of the time, and a network has dozens.
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="medfab-docker")
        self._starts: dict[str, Future[None]] = {}
        self._network_lock = threading.Lock()
        self._looked: dict[str, float] = {}

    def adopt(self, topology: Topology) -> None:
        """From now on the services are those of this topology; what runs goes on."""
        self._services |= {service.name: service for service in services(topology)}

    @cached_property
    def client(self) -> DockerClient:
        return connect()

    @cached_property
    def _engine_folder(self) -> Path | None:
        with engine_errors():
            root = self.client.info().get("DockerRootDir")
        return Path(root) if root else None

    # --- starting -------------------------------------------------------------------------

    def start(
        self,
        node: str,
        command: list[str],
        environment: Mapping[str, str],
        folder: Path,
        extra: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Start a node's container; command and environment are those of its service, and extra.

        It returns at once: what goes wrong is raised by `check_alive`.
        """
        del command, environment, folder
        service = self._services[node]
        self.hand_over(node)
        self._starts[node] = self._pool.submit(self._start, service, extra)

    def _start(self, service: Service, extra: Mapping[str, str]) -> None:
        old = self._container(service.name)
        if old is not None:
            if self._is_same(old, service, extra):
                old.start()
                return
            old.remove(force=True)
        self._ensure_network()
        self._create(service, extra).start()

    def _is_same(self, container: Container, service: Service, extra: Mapping[str, str]) -> bool:
        """Whether the container would be made like this again: images and versions change."""
        image = self.client.images.get(_image(service))
        environment = set(container.attrs["Config"]["Env"] or ())
        wanted = {f"{name}={value}" for name, value in service.environment.items()}
        return (
            container.attrs["Image"] == image.id
            and wanted <= environment
            and container.labels.get(_EXTRA, _as_label({})) == _as_label(extra)
        )

    def _create(self, service: Service, extra: Mapping[str, str]) -> Container:
        binds = {
            f"{self._directory}/{bind.source}": {
                "bind": bind.target,
                "mode": "ro" if bind.read_only else "rw",
            }
            for bind in service.binds
        }
        if service.data:
            binds[f"{self.project}_{service.volume}"] = {"bind": service.data, "mode": "rw"}
        alias = self.client.api.create_endpoint_config(aliases=[service.name])
        return self.client.containers.create(
            _image(service),
            list(service.command),
            name=self._container_name(service.name),
            hostname=service.name,
            user=node_user(),
            environment={**service.environment, **extra},
            volumes=binds,
            ports={f"{port}/tcp": (HOST, port) for port in service.ports},
            network=self._network,
            networking_config={self._network: alias},
            healthcheck={
                "test": ["CMD", *service.health],
                "interval": 10 * _SECOND,
                "timeout": 6 * _SECOND,
                "start_period": 5 * _SECOND,
            },
            init=True,
            read_only=True,
            tmpfs={"/tmp": ""},  # noqa: S108 - the container's own
            cap_drop=["ALL"],
            restart_policy={"Name": "unless-stopped"},
            labels={
                _PROJECT: self.project,
                _SERVICE: service.name,
                _EXTRA: _as_label(extra),
                "com.docker.compose.container-number": "1",
                "com.docker.compose.oneoff": "False",
                "com.docker.compose.project.working_dir": str(self._directory),
                "com.docker.compose.project.config_files": str(
                    self._directory / "docker-compose.yaml"
                ),
                "com.docker.compose.config-hash": "medfab",
                "com.docker.compose.version": "1.29.2",
            },
            detach=True,
        )

    def hand_over(self, node: str) -> None:
        """What the container may read becomes its user's: as root we would be the only one."""
        service = self._services[node]
        # A chaincode's connection is written after its peers have been started.
        sources = {bind.source for bind in service.binds}
        sources.add(f"organizations/{service.node.organization}/connections")
        for source in sources:
            folder = self._directory / source
            folder.mkdir(parents=True, exist_ok=True)  # else the engine makes it, root's
            if os.geteuid() == 0 and source.startswith("organizations/"):
                for path in (folder, *folder.rglob("*")):
                    os.chown(path, USER, USER, follow_symlinks=False)

    def _ensure_network(self) -> None:
        import docker

        with self._network_lock:  # the engine takes two of one name
            with contextlib.suppress(docker.errors.NotFound):
                self.client.networks.get(self._network)
                return
            self.client.networks.create(
                self._network,
                labels={_PROJECT: self.project, "com.docker.compose.network": "default"},
            )

    # --- looking --------------------------------------------------------------------------

    def running(self) -> dict[str, int]:
        """Node name → pid on the engine's machine, of what runs or is being started."""
        with engine_errors():
            return {
                container.labels[_SERVICE]: container.attrs["State"]["Pid"]
                for container in self._containers(all=False)
            }

    async def settled(self, *, grace: float = 10.0) -> dict[str, int]:
        """Like `running`: the engine does not show what is dying."""
        del grace
        return await asyncio.to_thread(self.running)

    def environment(self, node: str) -> dict[str, str]:
        """The environment of a running node's container; empty when it does not run."""
        with engine_errors():
            for container in self._containers(all=False):
                if container.labels[_SERVICE] == node:
                    pairs = (entry.partition("=") for entry in container.attrs["Config"]["Env"])
                    return {name: value for name, _, value in pairs}
        return {}

    def check_alive(self, node: str) -> None:
        """Raise `NodeFailedError` when a container that we started could not, or has ended."""
        start = self._starts.get(node)
        if start is None or not start.done():
            return
        now = time.monotonic()
        if start.exception() is None and now - self._looked.get(node, 0.0) < _LOOK_SECONDS:
            return  # who waits asks twenty times a second, and each answer is a request
        self._looked[node] = now
        error = start.exception()
        if error is not None:
            raise NodeFailedError(node, f"cannot be started ({error})", "") from error
        container = self._container(node)
        if container is None:
            raise NodeFailedError(node, "is gone: its container was removed", "")
        state = container.attrs["State"]
        if state["Status"] in ("exited", "dead") or container.attrs["RestartCount"] > 2:
            reason = f"ended with exit code {state['ExitCode']}"
            raise NodeFailedError(node, reason, self.log_tail(node))

    def log_tail(self, node: str, lines: int = _TAIL_LINES) -> str:
        """The last `lines` lines of a node's log; empty when it has no container."""
        with engine_errors():
            container = self._container(node)
            log: bytes = container.logs(tail=lines) if container is not None else b""
        return log.decode(errors="replace").rstrip("\n")

    def log_mark(self, node: str) -> float:
        """The time."""
        del node
        return time.time()

    def log_since(self, node: str, mark: float) -> str:
        """What the node has logged since then, in the container that it has now."""
        with engine_errors():
            container = self._container(node)
            log: bytes = container.logs(since=mark) if container is not None else b""
        return log.decode(errors="replace")

    def has(self, node: str) -> bool:
        """Whether the node has a container, running or not."""
        with engine_errors():
            return self._container(node) is not None

    def follow(self, node: str, lines: int) -> Iterator[str]:
        """The last lines of a node's log, and then what it logs, until it ends."""
        with engine_errors():
            container = self._container(node)
            if container is not None:
                for piece in container.logs(tail=lines, follow=True, stream=True):
                    yield piece.decode(errors="replace")

    def data_files(
        self, node: Node, folder: str = ""
    ) -> Generator[tuple[TarInfo, IO[bytes]], None, None]:
        """The files of a folder in the volume of a node, named within it."""
        if self._has_volume(node):
            with self._holder(node) as container:
                yield from files_below(container, CONTAINER_DATA / folder)

    def replace_data(self, node: Node, file: str, content: bytes) -> None:
        """Write a file in its volume anew; nothing where it is not there.

        For a moment it is not: the engine deletes it before it writes.
        """
        if not self._has_volume(node):
            return
        path = CONTAINER_DATA / file
        entry = TarInfo(path.name)
        entry.size, entry.mode, entry.mtime = len(content), 0o600, int(time.time())
        uid, gid = map(int, node_user().split(":"))
        with self._holder(node) as container:
            if entry.name in {found.name for found, _ in files_below(container, path.parent)}:
                with put_below(container, path.parent, uid=uid, gid=gid) as put:
                    put(entry, io.BytesIO(content))

    def check_no_data(self, nodes: Iterable[Node]) -> None:
        """Raise `DirectoryError` where they have volumes, whatever is in those."""
        there = [node for node in nodes if self._has_volume(node)]
        if there:
            with engine_errors():
                held = [c.name for node in there for c in self._holding(node)]
            volumes = " ".join(map(self._volume, there))
            raise DirectoryError(
                f"there is a volume of {', '.join(node.name for node in there)}: a restore "
                "replaces nothing. Where it is lost or damaged, delete it first: "
                + (f"`docker rm --force {' '.join(held)}`, then " if held else "")
                + f"`docker volume rm {volumes}`"
            )

    @contextlib.contextmanager
    def new_data(self, nodes: Mapping[Node, Path]) -> Iterator[PutData]:
        """In volumes: what is there of them goes first, and again if the block raises."""
        for node in nodes:
            self._delete(node)
        try:
            with contextlib.ExitStack() as one_by_one:
                uploads: dict[Node, PutFile] = {}

                def put(node: Node, entry: TarInfo, content: Readable) -> None:
                    if node not in uploads:
                        one_by_one.close()  # the one before; it raises what the engine says
                        uploads[node] = one_by_one.enter_context(self._upload(node))
                    uploads[node](entry, content)

                yield put
        except BaseException:
            for node in nodes:
                self._delete(node)
            raise

    @contextlib.contextmanager
    def _upload(self, node: Node) -> Iterator[PutFile]:
        uid, gid = map(int, node_user().split(":"))
        with (
            self._holder(node) as container,
            put_below(container, CONTAINER_DATA, uid=uid, gid=gid) as put,
        ):
            yield put

    def _holder(self, node: Node) -> AbstractContextManager[Container]:
        labels = {
            _PROJECT: self.project,
            _SERVICE: volume_of(node.name),
            "com.docker.compose.oneoff": "True",  # no container of the service for Compose
        }
        image = _image(self._services[node.name])
        return holder(self.client, image, self._volume(node), CONTAINER_DATA, labels)

    def _has_volume(self, node: Node) -> bool:
        import docker

        with engine_errors():
            try:
                self.client.volumes.get(self._volume(node))
            except docker.errors.NotFound:
                return False
            return True

    def _volume(self, node: Node) -> str:
        return f"{self.project}_{volume_of(node.name)}"

    # --- ending ---------------------------------------------------------------------------

    async def stop(self, nodes: Iterable[str] | None = None, *, grace: float = 10.0) -> list[str]:
        """End the named nodes (None: all); killed after `grace` seconds. Returns their names."""
        wanted = None if nodes is None else set(nodes)
        await self._settle()

        def stop(container: Container) -> str:
            container.stop(timeout=int(grace))
            return str(container.labels[_SERVICE])

        with engine_errors():
            found = await asyncio.to_thread(self._containers, all=False)
            chosen = [c for c in found if wanted is None or c.labels[_SERVICE] in wanted]
            return sorted(await asyncio.gather(*(asyncio.to_thread(stop, c) for c in chosen)))

    def kill_now(self) -> None:
        """SIGKILL for every node at once: for a second Ctrl-C."""
        import docker

        for container in self._containers(all=False):
            with contextlib.suppress(docker.errors.APIError):
                container.kill()

    def data_folder(self, node: Node) -> Path | None:
        """A certificate authority's is a folder of ours; volumes are where the engine has them.

        None for a chaincode, and where the engine does not say.
        """
        if node.kind == "chaincode":
            return None
        if node.kind == "ca":
            return Layout(self._directory).ca(node.organization)
        return self._engine_folder

    def remove(self) -> None:
        """Delete the containers, their volumes and their network, running or not."""
        import docker

        with engine_errors():
            for container in self._containers(all=True):
                container.remove(force=True)
            for volume in self.client.volumes.list(filters={"name": f"{self.project}_"}):
                if volume.name.startswith(f"{self.project}_"):  # the filter finds it anywhere
                    volume.remove()
            with contextlib.suppress(docker.errors.NotFound):
                self.client.networks.get(self._network).remove()

    async def forget(self, node: Node) -> None:
        """Delete the container of a node that has been stopped, and its volume."""
        await asyncio.to_thread(self._delete, node)

    def _delete(self, node: Node) -> None:
        import docker

        with engine_errors():
            for container in self._holding(node):
                container.remove(force=True)
            with contextlib.suppress(docker.errors.NotFound):
                self.client.volumes.get(self._volume(node)).remove()

    async def _settle(self) -> None:
        """Wait until nothing is being started any more."""
        starts = [asyncio.wrap_future(start) for start in self._starts.values()]
        await asyncio.gather(*starts, return_exceptions=True)

    def _containers(self, *, all: bool, service: str | None = None) -> list[Container]:
        labels = [f"{_PROJECT}={self.project}"]
        if service is not None:
            labels.append(f"{_SERVICE}={service}")
        found: list[Container] = self.client.containers.list(
            all=all, filters={"label": labels}, ignore_removed=True
        )
        return found

    def _container(self, node: str) -> Container | None:
        """By its label: Compose 2 gives it another name than we do."""
        return next(iter(self._containers(all=True, service=node)), None)

    def _holding(self, node: Node) -> list[Container]:
        """Those that have the node's volume."""
        own = self._containers(all=True, service=node.name)
        return [*own, *self._containers(all=True, service=volume_of(node.name))]

    @property
    def _network(self) -> str:
        return f"{self.project}_default"

    def _container_name(self, node: str) -> str:
        return f"{self.project}_{node}_1"


def compose_environment(directory: Path, project: str) -> str:
    """The text of `.env` beside the compose file."""
    settings = {
        "COMPOSE_PROJECT_NAME": project,
        "MEDFAB_DIR": str(directory),
        "MEDFAB_USER": node_user(),
    }
    for image in (*IMAGES.values(), *EXTRA_IMAGES.values()):
        settings[image.variable] = os.environ.get(image.variable, image.default)
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _image(service: Service) -> str:
    return os.environ.get(service.image.variable, service.image.default)
