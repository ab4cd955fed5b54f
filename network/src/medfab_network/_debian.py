"""Debian's packages for images: fetched as `images.lock` names them, unpacked into the cache.

Debian keeps the newest version of a package alone. Where the locked one is gone, the newest is
taken and reported, or refused when the caller wants what is locked and nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from medfab_network._binaries import cache_folder
from medfab_network._image_lock import Package, locked_packages
from medfab_network._progress import Progress
from medfab_network.errors import ImageError

_RELEASES = {"bookworm": (3, 11)}
"""Debian releases from which images can be made, each with the version of its Python."""
PACKAGES: Mapping[str, Sequence[str]] = {
    # All that Python and Fabric CA load.
    "base": (
        *("libc6", "libcrypt1", "libgcc-s1", "libstdc++6", "zlib1g", "libexpat1", "libssl3"),
        *("libffi8", "libsqlite3-0", "libbz2-1.0", "liblzma5", "libuuid1", "media-types"),
        *("ca-certificates", "python3.11-minimal", "libpython3.11-minimal"),
        "libpython3.11-stdlib",
    ),
    "prometheus": ("prometheus",),
    # Without LLVM: compilation of queries is loaded where it is there, and is 100 MB.
    "postgres": (
        # initdb runs its programs by a shell.
        *(
            "dash",
            "postgresql-15",
            "postgresql-client-15",
            "libpq5",
            "tzdata",
            "libicu72",
            "libxml2",
        ),
        *("libxslt1.1", "liblz4-1", "libzstd1", "libldap-2.5-0", "libsasl2-2", "libgssapi-krb5-2"),
        *("libkrb5-3", "libk5crypto3", "libkrb5support0", "libkeyutils1", "libcom-err2"),
        *("libpam0g", "libaudit1", "libcap-ng0", "libselinux1", "libpcre2-8-0", "libsystemd0"),
        *("libcap2", "libgcrypt20", "libgpg-error0", "libreadline8", "libtinfo6"),
        *("libgnutls30", "libp11-kit0", "libidn2-0", "libunistring2", "libtasn1-6"),
        *("libnettle8", "libhogweed6", "libgmp10"),
    ),
}
_NEEDLESS = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian")


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """Packages in the cache."""

    root: Path
    """The folder with their files."""
    differences: tuple[str, ...]
    """How they are not as locked, each for people to read; empty: to the byte."""


def release() -> str | None:
    """The Debian release from which this machine makes images; None: from none."""
    name = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    fits = _RELEASES.get(name) == sys.version_info[:2] and shutil.which("apt-get") is not None
    return name if fits else None


async def unpacked(group: str, progress: Progress, *, locked: bool = False) -> Unpacked:
    """The packages of a group, fetched once with `apt-get`. Raises `ImageError`.

    locked: other packages than the locked ones are an error.
    """
    name = release()
    if name is None:
        known = ", ".join(f"Debian {each} with its own Python" for each in _RELEASES)
        raise ImageError(
            f"images can be made of packages on {known}, not on this machine. Take a base image "
            "with the same Python instead: MEDFAB_BASE_IMAGE="
            f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"
        )
    wanted = locked_packages(name, platform.machine())
    key = _key(group, wanted)
    target = cache_folder() / f"debian-{name}-{platform.machine()}-{group}-{key}"
    if not target.exists():
        began = time.monotonic()
        progress.step(f"fetching Debian's packages for the images: {group} (once)")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            await _fetch(Path(folder), PACKAGES[group], wanted)
            _keep(Path(folder), target)
        progress.done(f"fetched Debian's packages: {group}", time.monotonic() - began)
    found = {
        name: Package(**each)
        for name, each in json.loads((target / "packages.json").read_text()).items()
    }
    differences = tuple(_differences(found, wanted))
    if differences and locked:
        raise ImageError(
            "Debian no longer has what images.lock names:\n  "
            + "\n  ".join(differences)
            + "\nMake images of the newest without --locked, or `make images-lock` and commit it"
        )
    return Unpacked(root=target / "root", differences=differences)


async def newest(group: str, progress: Progress) -> dict[str, Package]:
    """The packages of a group that Debian has now, for a new lock."""
    progress.step(f"fetching Debian's newest packages: {group}")
    with tempfile.TemporaryDirectory() as folder:
        return await _fetch(Path(folder), PACKAGES[group], {})


def _key(group: str, wanted: Mapping[str, Package]) -> str:
    facts = [(name, wanted.get(name)) for name in PACKAGES[group]]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def _differences(found: Mapping[str, Package], wanted: Mapping[str, Package]) -> list[str]:
    told = []
    for name, package in sorted(found.items()):
        expected = wanted.get(name)
        if expected is None:
            told.append(f"{name} {package.version} is in no lock for this kind of machine")
        elif expected.version != package.version:
            told.append(f"{name} is {package.version}, locked is {expected.version}")
        elif expected.sha256 != package.sha256:
            told.append(
                f"{name} {package.version} has the SHA-256 {package.sha256}, not the lock's"
            )
    return told


def _keep(folder: Path, target: Path) -> None:
    kept = folder / "kept"
    kept.mkdir()
    (folder / "root").rename(kept / "root")
    (folder / "packages.json").rename(kept / "packages.json")
    kept.rename(target)


async def _fetch(
    folder: Path, packages: Sequence[str], wanted: Mapping[str, Package]
) -> dict[str, Package]:
    """With package lists of its own, so that neither root nor an earlier update is needed."""
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    apt = ["apt-get", "-q", "-o", f"Dir::State::Lists={folder}/lists"]
    apt += ["-o", f"Dir::Cache={folder}/cache", "-o", "APT::Sandbox::User=root"]
    await _run([*apt, "update"], folder)
    exact = [f"{name}={wanted[name].version}" if name in wanted else name for name in packages]
    try:
        await _run([*apt, "download", *exact], folder)
    except ImageError:
        await _run([*apt, "download", *packages], folder)
    found = {}
    for file in sorted(folder.glob("*.deb")):
        name, version = (await _run(["dpkg-deb", "-W", str(file)], folder)).split()
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        found[name] = Package(version=version, sha256=digest)
        await _run(["dpkg-deb", "-x", str(file), str(folder / "root")], folder)
    for needless in _NEEDLESS:
        shutil.rmtree(folder / "root" / needless, ignore_errors=True)
    document = {name: asdict(package) for name, package in sorted(found.items())}
    (folder / "packages.json").write_text(json.dumps(document, indent=2))
    return found


async def _run(command: list[str], folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        last = errors.decode(errors="replace").strip().splitlines()[-3:]
        raise ImageError(f"`{' '.join(command[:2])} …` failed:\n" + "\n".join(last))
    return output.decode()
