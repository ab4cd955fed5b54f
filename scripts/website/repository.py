"""Hooks of the site's build: README.md as its tour, and links to files outside docs/.

On the site a file of the repository has no address, so a link to one becomes its path. The build
fails where there is no such file, as it does for a link within docs/.
"""

from __future__ import annotations

import logging
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).parents[2]
TOUR = "tour.md"
_LINK = re.compile(r"\[(?P<text>[^\]\n]+)\]\((?P<target>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)")
_log = logging.getLogger("mkdocs.hooks.repository")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """README.md is the page `tour.md`."""
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    files.append(File.generated(config, TOUR, content=readme))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links out of docs/ become paths; links of README.md into docs/ become links of the site."""
    source = page.file.src_uri
    folder = "." if source == TOUR else posixpath.join("docs", posixpath.dirname(source))

    def replaced(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, link["target"]))
        if path.startswith("docs/"):
            if source != TOUR:
                return link[0]
            return f"[{link['text']}]({path.removeprefix('docs/')}{link['anchor'] or ''})"
        if not (REPOSITORY / path).exists():
            _log.warning("%s links to %s, which is not in the repository", source, path)
        text = link["text"].strip("`")
        return f"`{path}`" if text in {path, link["target"]} else f"{link['text']} (`{path}`)"

    return _LINK.sub(replaced, markdown)
