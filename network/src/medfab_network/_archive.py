"""Reading a backup: all of it is verified before anything is written."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from medfab_network._backup import FORMAT, MANIFEST, Digested
from medfab_network._files import Readable
from medfab_network._sealed import SealedReader, Secret
from medfab_network.errors import ArchiveError

_FOLDERS = ("organization", "shared")
_PIECE = 1 << 20
_LARGEST_MANIFEST = 1 << 28

PutEntry = Callable[[tarfile.TarInfo, Readable], None]
"""Takes a file by its path in the archive, and reads all of it."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an archive says of itself."""

    organization: str
    msp_id: str
    made: str
    topology: Mapping[str, Any]
    heights: Mapping[str, Mapping[str, int]]
    files: Mapping[str, str]
    """Path in the archive → SHA-256."""


def verified(path: Path, secret: Secret) -> Manifest:
    """Read the whole archive; nothing is written. Raises `ArchiveError`."""
    digests: dict[str, str] = {}

    def digest(entry: tarfile.TarInfo, content: Readable) -> None:
        digested = Digested(content)
        while digested.read(_PIECE):
            pass
        digests[entry.name] = digested.digest.hexdigest()

    manifest = _walk(path, secret, digest)
    if manifest.files != digests:
        differing = sorted(set(manifest.files.items()) ^ set(digests.items()))
        raise ArchiveError(f"{path} is damaged: {differing[0][0]} is not what the manifest says")
    return manifest


def extract(path: Path, secret: Secret, put: PutEntry) -> None:
    """Hand on the files of a verified archive. Raises `ArchiveError`."""
    digests: dict[str, str] = {}

    def put_and_digest(entry: tarfile.TarInfo, content: Readable) -> None:
        digested = Digested(content)
        put(entry, digested)
        digests[entry.name] = digested.digest.hexdigest()

    manifest = _walk(path, secret, put_and_digest)
    if manifest.files != digests:
        raise ArchiveError(f"{path} has changed since it was verified")


def _walk(path: Path, secret: Secret, each: PutEntry) -> Manifest:
    manifest: Manifest | None = None
    with SealedReader(path, secret) as reader:
        try:
            with tarfile.open(fileobj=reader, mode="r|") as archive:
                for member in archive:
                    content = archive.extractfile(member) if member.isreg() else None
                    if content is None or manifest is not None:
                        raise ArchiveError(f"{path} holds what no backup holds: {member.name}")
                    if member.name == MANIFEST:
                        manifest = _manifest(path, content.read(_LARGEST_MANIFEST))
                    else:
                        _check_name(path, member.name)
                        each(member, content)
        except tarfile.TarError as error:
            raise ArchiveError(f"{path} is damaged: {error}") from error
        while reader.read(_PIECE):
            pass  # what follows the archive's end is verified as well
    if manifest is None:
        raise ArchiveError(f"{path} is damaged: it has no manifest")
    return manifest


def _check_name(path: Path, name: str) -> None:
    parts = PurePosixPath(name).parts
    if not parts or parts[0] not in _FOLDERS or ".." in parts:
        raise ArchiveError(f"{path} holds what no backup holds: {name}")


def _manifest(path: Path, content: bytes) -> Manifest:
    try:
        document = json.loads(content)
        if document["format"] != FORMAT:
            raise ArchiveError(
                f"{path} is of format {document['format']}; this medfab reads {FORMAT}"
            )
        names = ("organization", "msp_id", "made", "topology", "heights", "files")
        return Manifest(**{name: document[name] for name in names})
    except (ValueError, LookupError, TypeError) as error:
        raise ArchiveError(f"{path} is damaged: its manifest cannot be read") from error
