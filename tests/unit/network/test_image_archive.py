"""Images as archives: equal content is an equal image, upon nothing and upon a base."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medfab_network._image_archive import Recipe, content, layer, write


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    tree = tmp_path / "tree"
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/program").write_bytes(b"\x7fELF")
    (tree / "usr/bin/program").chmod(0o700)
    (tree / "usr/bin/alias").symlink_to("program")
    (tree / "usr/data").write_text("data")
    (tree / "usr/__pycache__").mkdir()
    (tree / "usr/__pycache__/data.cpython-311.pyc").write_bytes(os.urandom(8))
    return Recipe(
        name="medfab/example:1",
        files=[("", tree)],
        texts={"etc/passwd": "root\n"},
        links={"bin": "usr/bin"},
        environment={"PATH": "/usr/bin"},
        user="10001:10001",
        writable=("data",),
    )


def archive(recipe: Recipe, base: bytes | None = None) -> bytes:
    target = io.BytesIO()
    write(recipe, target, io.BytesIO(base) if base is not None else None)
    return target.getvalue()


def opened(image: bytes) -> tuple[dict[str, Any], dict[str, Any], list[bytes]]:
    """Its manifest, its configuration and its layers."""
    with tarfile.open(fileobj=io.BytesIO(image)) as files:

        def read(name: str) -> bytes:
            file = files.extractfile(name)
            assert file is not None
            return file.read()

        (manifest,) = json.loads(read("manifest.json"))
        layers = [read(name) for name in manifest["Layers"]]
        return manifest, json.loads(read(manifest["Config"])), layers


def test_times_owners_and_order_of_the_files_make_no_other_image(
    recipe: Recipe, tmp_path: Path
) -> None:
    before = archive(recipe)
    os.utime(tmp_path / "tree/usr/data", (1, 1))
    (tmp_path / "tree/usr/bin/program").chmod(0o755)  # executable as before
    other = tmp_path / "other"
    (tmp_path / "tree").rename(other)
    assert archive(replace(recipe, files=[("", other)])) == before


def test_other_content_is_another_image(recipe: Recipe, tmp_path: Path) -> None:
    before = archive(recipe), content(recipe, None)
    (tmp_path / "tree/usr/data").write_text("Data")
    assert archive(recipe) != before[0]
    assert content(recipe, None) != before[1]
    assert content(replace(recipe, user="0"), None) != content(recipe, None)
    assert content(recipe, "sha256:base") != content(recipe, None)


def test_what_is_in_the_layer(recipe: Recipe) -> None:
    target = io.BytesIO()
    digest = layer(recipe, target)
    assert digest == hashlib.sha256(target.getvalue()).hexdigest()
    with tarfile.open(fileobj=io.BytesIO(target.getvalue())) as files:
        entries = {entry.name: entry for entry in files}
    assert list(entries) == sorted(entries)
    assert "usr/__pycache__" not in entries
    assert entries["usr/bin/program"].mode == 0o755
    assert entries["usr/data"].mode == 0o644
    assert entries["usr/bin/alias"].linkname == "program"
    assert (entries["tmp"].mode, entries["data"].mode) == (0o1777, 0o1777)
    assert {(e.uid, e.gid, e.mtime) for e in entries.values()} == {(0, 0, 0)}


def test_upon_nothing(recipe: Recipe) -> None:
    manifest, configuration, layers = opened(archive(recipe))
    assert manifest["RepoTags"] == ["medfab/example:1"]
    digests = [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in layers]
    assert configuration["rootfs"]["diff_ids"] == digests
    assert configuration["config"]["User"] == "10001:10001"


def test_upon_a_base_its_layers_and_settings_stay(recipe: Recipe) -> None:
    base = archive(replace(recipe, name="base:1", environment={"PATH": "/bin", "LANG": "C"}))
    _, below, (lowest,) = opened(base)
    _, configuration, layers = opened(archive(replace(recipe, base="base:1", texts={}), base))
    assert layers[0] == lowest
    assert len(layers) == 2
    assert configuration["rootfs"]["diff_ids"][0] == below["rootfs"]["diff_ids"][0]
    assert len(configuration["history"]) == 2
    assert set(configuration["config"]["Env"]) == {"PATH=/usr/local/bin:/usr/bin", "LANG=C"}
