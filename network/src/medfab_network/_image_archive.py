"""Images as archives that `docker load` takes, made so that equal content is an equal image.

No Dockerfile and no builder: one layer of files, with names sorted, owners, times and modes made
even, upon nothing or upon the layers of another image.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import stat
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

_PROGRAMS = "/usr/local/bin"
"""Where our images have what they run."""
_EPOCH = "1970-01-01T00:00:00Z"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What an image is made of."""

    name: str
    files: Sequence[tuple[str, Path]]
    """Path in the image, and the file or folder here that goes there; later ones win."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Path in the image → content; executable."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Path in the image → where it points to."""
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str
    writable: Sequence[str] = ()
    """Folders for volumes: whoever runs the container can write there, as in /tmp."""
    labels: Mapping[str, str] = field(default_factory=dict)
    base: str | None = None
    """Name of the image below; None: nothing is."""


def layer(recipe: Recipe, target: IO[bytes]) -> str:
    """Write the layer; returns its digest."""
    hashed = _Hashed(target)
    with tarfile.open(fileobj=hashed, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for entry, source in sorted(_entries(recipe), key=lambda pair: pair[0].name):
            if isinstance(source, Path):
                with source.open("rb") as file:
                    archive.addfile(entry, file)
            else:
                archive.addfile(entry, io.BytesIO(source) if source is not None else None)
    return hashed.digest.hexdigest()


def content(recipe: Recipe, base_id: str | None) -> str:
    """A digest of all that the image would be made of."""
    with Path("/dev/null").open("wb") as nowhere:
        files = layer(recipe, nowhere)
    facts = (files, recipe.user, sorted(recipe.environment.items()), base_id)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def write(recipe: Recipe, target: IO[bytes], base: IO[bytes] | None = None) -> None:
    """Write the archive. `base`: what `docker save` gave of the image below."""
    with tempfile.TemporaryFile() as own:
        digest = layer(recipe, own)
        size = own.tell()
        own.seek(0)
        with tarfile.open(fileobj=target, mode="w") as archive:
            configuration: dict[str, Any] = {"config": {}, "rootfs": {"diff_ids": []}}
            layers: list[str] = []
            if base is not None:
                configuration, layers = _copy_base(base, archive)
            layers.append(f"{digest}/layer.tar")
            _add(archive, layers[-1], own, size)
            text = json.dumps(
                _configuration(recipe, configuration, digest), sort_keys=True
            ).encode()
            name = f"{hashlib.sha256(text).hexdigest()}.json"
            _add(archive, name, io.BytesIO(text), len(text))
            manifest = json.dumps([{"Config": name, "RepoTags": [recipe.name], "Layers": layers}])
            _add(archive, "manifest.json", io.BytesIO(manifest.encode()), len(manifest))


def _configuration(recipe: Recipe, below: dict[str, Any], digest: str) -> dict[str, Any]:
    config = below.get("config") or {}
    environment = dict(each.split("=", 1) for each in config.get("Env") or ())
    environment |= recipe.environment
    path = environment.get("PATH", "/usr/bin:/bin")
    if _PROGRAMS not in path.split(":"):
        path = f"{_PROGRAMS}:{path}"
    environment["PATH"] = path
    return {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "created": _EPOCH,
        "config": {
            "Env": [f"{name}={value}" for name, value in environment.items()],
            "User": recipe.user,
            "Labels": {**(config.get("Labels") or {}), **recipe.labels},
        },
        "rootfs": {
            "type": "layers",
            "diff_ids": [*below["rootfs"]["diff_ids"], f"sha256:{digest}"],
        },
        "history": [
            *below.get("history", ()),
            {"created": _EPOCH, "created_by": "medfab network images"},
        ],
    }


def _copy_base(saved: IO[bytes], archive: tarfile.TarFile) -> tuple[dict[str, Any], list[str]]:
    """The layers of a saved image into the archive; its configuration, and their names."""
    with tarfile.open(fileobj=saved) as base:
        (manifest,) = json.load(_member(base, "manifest.json"))
        configuration: dict[str, Any] = json.load(_member(base, manifest["Config"]))
        names: list[str] = manifest["Layers"]
        for name in dict.fromkeys(names):
            _add(archive, name, _member(base, name), base.getmember(name).size)
    return configuration, list(names)


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    file = archive.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file in the saved image")
    return file


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    archive.addfile(entry, content)


def _entries(recipe: Recipe) -> Iterator[tuple[tarfile.TarInfo, Path | bytes | None]]:
    """Each with what is in it: a file here, bytes, or nothing."""
    found: dict[str, tuple[tarfile.TarInfo, Path | bytes | None]] = {}
    for name in ("tmp", *recipe.writable):
        found[name] = _entry(name, tarfile.DIRTYPE, 0o1777), None
    for target, source in recipe.files:
        for path in [source] if source.is_file() else sorted(source.rglob("*")):
            name = "/".join(part for part in (target, _relative(path, source)) if part)
            if path.suffix == ".pyc" or path.name == "__pycache__":
                continue
            if path.is_symlink():
                found[name] = _entry(name, tarfile.SYMTYPE, 0o777, str(path.readlink())), None
            elif path.is_dir():
                found.setdefault(name, (_entry(name, tarfile.DIRTYPE, 0o755), None))
            elif path.is_file():
                executable = bool(path.stat().st_mode & stat.S_IXUSR)
                entry = _entry(name, tarfile.REGTYPE, 0o755 if executable else 0o644)
                entry.size = path.stat().st_size
                found[name] = entry, path
    for name, text in recipe.texts.items():
        entry = _entry(name, tarfile.REGTYPE, 0o755)
        entry.size = len(text.encode())
        found[name] = entry, text.encode()
    for name, pointed in recipe.links.items():
        found[name] = _entry(name, tarfile.SYMTYPE, 0o777, pointed), None
    yield from found.values()


def _relative(path: Path, folder: Path) -> str:
    return "" if path == folder else str(path.relative_to(folder))


def _entry(name: str, kind: bytes, mode: int, pointed: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.linkname = kind, mode, pointed
    entry.uname = entry.gname = "root"
    return entry


class _Hashed(io.RawIOBase):
    """Passes bytes on, and hashes them."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.digest.update(data)
        self._target.write(data)
        return len(data)
