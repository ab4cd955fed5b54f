"""PostgreSQL on loopback: this machine's programs, or else Debian's, unpacked into the cache.

Nothing is installed. PostgreSQL refuses to run as root; there it runs as another user.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from medfab_network._binaries import cache_folder

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",  # the machine does not lose its power; `kill -9` of the server loses nothing
    "shared_buffers": "32MB",
    "max_connections": "40",
}
_SECONDS = 60


class Postgres:
    """A server with an empty database `medfab`, in a temporary folder."""

    def __init__(self, programs: Path, folder: Path) -> None:
        """programs: the folder `bin`. folder: empty; other users must be able to get into it."""
        self._programs = programs
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _other_user()
        self.port = _free_port()

    @property
    def address(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=medfab dbname=medfab passfile={self._pass}"

    @property
    def _pass(self) -> Path:
        return self._folder / "pgpass"

    def create(self) -> None:
        password = secrets.token_hex(16)
        self._pass.write_text(f"*:*:*:medfab:{password}\n")
        self._pass.chmod(0o600)
        (self._folder / "server").mkdir()
        secret = self._folder / "server" / "password"
        secret.write_text(password)
        if self._user is not None:
            for path in (self._folder / "server", secret):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        self._run(
            "initdb",
            "-D",
            "data",
            "-U",
            "medfab",
            "--pwfile=password",
            "-E",
            "UTF8",
            "--locale=C",
            "-A",
            "scram-sha-256",
            "--no-sync",
            "--no-instructions",
        )
        secret.unlink()
        self.start()
        with psycopg.connect(self.address.replace("dbname=medfab", "dbname=postgres")) as server:
            server.autocommit = True
            server.execute("CREATE DATABASE medfab")

    def start(self) -> None:
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *self._other_user_prefix,
                    self._programs / "postgres",
                    "-D",
                    "data",
                    "-p",
                    str(self.port),
                    "-k",
                    ".",
                    *settings,
                ],
                stdout=log,
                stderr=log,
                **self._as_other_user(),
            )
        end = time.monotonic() + _SECONDS
        while not self.answers():
            if self._process.poll() is not None:  # the last one's children are still ending
                assert time.monotonic() < end, self.log()
                time.sleep(0.2)
                self.start()
                return
            assert time.monotonic() < end, self.log()
            time.sleep(0.05)

    def kill(self) -> None:
        """`kill -9`; its children end by themselves."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """To the server and all its children: it is paused as a whole, or goes on."""
        import psutil

        assert self._process is not None
        parent = psutil.Process(self._process.pid)
        for process in (parent, *parent.children(recursive=True)):
            process.send_signal(number)

    def end(self, number: signal.Signals) -> None:
        """By a signal to the server alone: SIGINT is its fast shutdown."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(_SECONDS)

    def restart(self) -> None:
        """Start it again, whether or not it has ended."""
        self.stop()
        self.start()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)  # at once
            self._process.wait(_SECONDS)

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.address, autocommit=True)

    @property
    def log_file(self) -> Path:
        return self._folder / "log"

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")[-2000:]

    def cpu_seconds(self) -> float:
        """Of the server with all its children that have ended or still run."""
        import psutil

        assert self._process is not None
        parent = psutil.Process(self._process.pid)
        total = 0.0
        for process in (parent, *parent.children(recursive=True)):
            times = process.cpu_times()
            total += times.user + times.system
        own = parent.cpu_times()
        return total + own.children_user + own.children_system

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            psycopg.connect(
                self.address.replace("dbname=medfab", "dbname=postgres"), connect_timeout=5
            ).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._other_user_prefix, self._programs / program, *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **self._as_other_user(),
        )
        assert done.returncode == 0, done.stderr

    def _as_other_user(self) -> dict[str, Any]:
        options: dict[str, Any] = {"cwd": self._folder / "server"}
        libraries = [
            str(path) for path in self._programs.parents[3].glob("lib/*-linux-gnu") if path.is_dir()
        ]
        path = ":".join(libraries)
        options["env"] = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": path, "LC_ALL": "C"}
        return options

    @property
    def _other_user_prefix(self) -> list[str]:
        """`Popen(user=…)` would fork, and gRPC does not bear forks from another thread: it starts
        programs without one where there is nothing to be done before them."""
        if self._user is None:
            return []
        user, group = self._user.pw_uid, self._user.pw_gid
        return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]


@contextmanager
def postgres_server(data: Path | None = None) -> Iterator[Postgres]:
    """A running one. Skips the test where PostgreSQL neither is nor can be fetched from Debian.

    data: an empty folder for it, which other users can get into; None: a temporary one.
    """
    with tempfile.TemporaryDirectory(prefix="medfab-pg-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        server = Postgres(_programs(folder), data or folder)
        try:
            server.create()
            yield server
        finally:
            server.stop()


def _programs(folder: Path) -> Path:
    found = _find_in(Path("/"))
    if found is not None:
        return found
    unpacked = _unpacked()
    if unpacked is None:
        pytest.skip("PostgreSQL is not installed, and there is no apt-get to fetch it with")
    if _other_user() is None:
        return unpacked
    # Root's own folders are closed to the user that the server runs as.
    shutil.copytree(unpacked.parents[4], folder / "programs", symlinks=True)
    return folder / "programs" / unpacked.relative_to(unpacked.parents[4])


def _find_in(root: Path) -> Path | None:
    folders = sorted(root.glob("usr/lib/postgresql/*/bin"))
    return folders[-1] if folders and (folders[-1] / "initdb").exists() else None


def _unpacked() -> Path | None:
    if shutil.which("apt-get") is None:
        return None
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / "postgresql"
    with (cache / "postgresql.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                _fetch(Path(folder))
                (Path(folder) / "root").rename(target)
    return _find_in(target)


def _fetch(folder: Path) -> None:
    """With package lists of its own, so that neither root nor an earlier update is needed."""
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    own = ["-o", f"Dir::State::Lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache"]
    apt = ["apt-get", "-q", *own, "-o", "APT::Sandbox::User=root"]
    _checked([*apt, "update"], folder)
    told = _checked(["apt-cache", *own, "depends", "postgresql"], folder)
    names = re.findall(r"Depends: (postgresql-(\d+))$", told, re.MULTILINE)
    assert names, told
    server, version = names[0]
    needed = _checked(["apt-cache", *own, "depends", server], folder)
    # Just-in-time compilation is loaded where it is there; without, 100 MB less.
    libraries = {
        name
        for name in re.findall(r"^ +Depends: (lib[\w.+-]+)$", needed, re.MULTILINE)
        if not name.startswith(("libllvm", "libc6", "libgcc", "libstdc", "libsystemd", "libpam"))
    }
    wanted = [server, f"postgresql-client-{version}", "libpq5", *sorted(libraries)]
    _checked([*apt, "download", *wanted], folder)
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, folder / "root"], check=True, timeout=120)


def _checked(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True, timeout=300
    )
    return done.stdout


def _other_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
