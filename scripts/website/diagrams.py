"""Hook of the site's build: an image that is a text of D2 becomes a picture, light and dark.

    ![What the picture shows, in words](diagrams/architecture.d2)

D2 (a Go module, pinned in d2/go.sum) is built once, into medfab's cache.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import posixpath
import re
import subprocess
import tempfile
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from medfab_network._binaries import cache_folder
from medfab_network._go import find_go

MODULE = Path(__file__).with_name("d2")
# Numbers of D2's themes.
THEMES = {"light": "0", "dark": "200"}
_IMAGE = re.compile(r"!\[(?P<alt>[^\]]+)\]\((?P<path>[^)\s]+)\.d2\)")
_BUILD_SECONDS = 600


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put the rendered forms in the place of the page's diagrams."""

    def picture(image: re.Match[str]) -> str:
        uri = posixpath.normpath(
            posixpath.join(posixpath.dirname(page.file.src_uri), image["path"])
        )
        source = Path(config.docs_dir, f"{uri}.d2")
        if not source.is_file():
            raise PluginError(f"{page.file.src_uri} shows {uri}.d2, which does not exist")
        forms = []
        for form, theme in THEMES.items():
            rendered = f"{uri}-{form}.svg"
            if rendered not in files.src_uris:
                files.append(File.generated(config, rendered, content=render(source, theme)))
            forms.append(f"![{image['alt']}]({image['path']}-{form}.svg#only-{form}){{ .diagram }}")
        return "\n".join(forms)

    return _IMAGE.sub(picture, markdown)


def render(source: Path, theme: str) -> bytes:
    """The diagram as SVG, without a background of its own."""
    done = subprocess.run(
        [program(), "--theme", theme, "--pad", "8", "-", "-"],
        input=source.read_bytes(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise PluginError(f"d2 refuses {source.name}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def program() -> Path:
    """D2, built where this version is not in the cache."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((MODULE / name).read_bytes())
    folder = cache_folder() / f"d2-{digest.hexdigest()[:12]}"
    built = folder / "d2"
    if built.exists():
        return built
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        fresh = Path(temporary, "d2")
        done = subprocess.run(
            [asyncio.run(find_go()), "build", "-o", fresh, "oss.terrastruct.com/d2"],
            cwd=MODULE,
            env={**os.environ, "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"},
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise PluginError(f"D2 cannot be built from {MODULE}:\n{done.stderr[-2000:]}")
        fresh.rename(built)
    return built
