"""Images: the same inputs make the same one; upon a base image from here or from a registry."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

from containers.conftest import free_ports
from debian import unpacked
from medfab_network import _debian
from medfab_network._binaries import Binaries, ensure_binaries
from medfab_network._image_archive import Recipe
from medfab_network._images import _look_into, _make, _Maker, ensure_images
from medfab_network._progress import Silent
from medfab_network.errors import ImageError

if TYPE_CHECKING:
    from docker import DockerClient

pytestmark = pytest.mark.integration
_BASE = "medfab-test/base:1"


@pytest.fixture(scope="module")
async def binaries() -> Binaries:
    return await ensure_binaries(Silent())


@pytest.fixture(scope="module")
async def base(engine: DockerClient) -> str:
    """A base image as others have it: with a `python3`, and nothing of ours."""
    packages = await _debian.unpacked("base", Silent())
    recipe = Recipe(
        name=_BASE,
        files=[("", packages.root)],
        links={"usr/bin/python3": "python3.11"},
        environment={"PATH": "/usr/bin", "LANG": "C.UTF-8"},
        user="0",
    )
    _make(engine, recipe)
    return _BASE


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Debian's, on loopback."""
    root = unpacked("docker-registry", "docker-registry")
    if root is None:
        pytest.skip("no apt-get to fetch Debian's docker-registry with")
    (port,) = free_ports(1)
    configuration = tmp_path / "registry.yml"
    configuration.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path}/images}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    with (tmp_path / "log").open("wb") as log:
        program = root / "usr/bin/docker-registry"
        process = subprocess.Popen([program, "serve", configuration], stdout=log, stderr=log)
    try:
        _wait_for(port)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < end
        time.sleep(0.1)


async def test_the_same_inputs_make_the_same_image(
    engine: DockerClient, binaries: Binaries
) -> None:
    kinds = ("peer", "chaincode")
    first = await ensure_images(engine, binaries, Silent(), kinds=kinds)
    again = await ensure_images(engine, binaries, Silent(), kinds=kinds, force=True)
    assert [made.identifier for made in again] == [made.identifier for made in first]


async def _run_upon(engine: DockerClient, binaries: Binaries, base: str) -> None:
    """Chaincode and certificate authority upon it, under names of this test."""
    maker = _Maker(engine, binaries, Silent(), base, False)
    for kind, command, said in (
        ("chaincode", ["medfab-chaincode", "--help"], b"serve"),
        ("ca", ["fabric-ca-server", "version"], b"1.5.21"),
    ):
        recipe, _, differences = await maker.recipe(kind)
        assert any("is in no lock" in each for each in differences)
        name = f"medfab-test/{kind}:1"
        _make(engine, replace(recipe, name=name))
        try:
            # The base's own settings stay, and so do its users.
            assert "LANG=C.UTF-8" in engine.images.get(name).attrs["Config"]["Env"]
            output = engine.containers.run(
                name, command, remove=True, network_disabled=True, read_only=True, user="10001"
            )
            assert said in output
        finally:
            engine.images.remove(name)


async def test_upon_a_base_image_that_is_here(
    engine: DockerClient, binaries: Binaries, base: str
) -> None:
    await _run_upon(engine, binaries, base)


async def test_upon_a_base_image_from_a_registry(
    engine: DockerClient, binaries: Binaries, base: str, registry: str
) -> None:
    name = f"{registry}/team/base:1"
    engine.images.get(base).tag(name)
    try:
        for line in engine.images.push(name, stream=True, decode=True):
            assert "error" not in line, line
    finally:
        engine.images.remove(name)
    with pytest.raises(docker.errors.ImageNotFound):
        engine.images.get(name)
    try:
        await _run_upon(engine, binaries, name)
    finally:
        engine.images.remove(name)


def test_a_base_image_that_is_nowhere(engine: DockerClient) -> None:
    (port,) = free_ports(1)
    with pytest.raises(ImageError, match=r"nothing:1 cannot be used: .*in a registry that answers"):
        _look_into(engine, f"127.0.0.1:{port}/nothing:1")


async def test_a_base_image_without_python(engine: DockerClient, binaries: Binaries) -> None:
    (peer,) = await ensure_images(engine, binaries, Silent(), kinds=("peer",))
    with pytest.raises(ImageError, match="have `python3` on its PATH"):
        _look_into(engine, peer.name)


async def test_locked_refuses_what_the_lock_does_not_name(
    engine: DockerClient, binaries: Binaries, base: str
) -> None:
    with pytest.raises(ImageError, match=r"not be made of what images\.lock says:\n.*in no lock"):
        await ensure_images(
            engine, binaries, Silent(), kinds=("chaincode",), base_image=base, locked=True
        )
