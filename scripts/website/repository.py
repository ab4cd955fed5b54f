"""Hooks of the site's build: README.md as its tour, links with titles, links out of docs/.

A link whose text is a file's name, as readers of the repository like it, gets that page's title.
On the site a file outside docs/ has no address, so a link to one becomes its path. The build fails
where there is no such file, as it does for a link within docs/.
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
            target = path.removeprefix("docs/") if source == TOUR else link["target"]
            return f"[{_title(path, link['text'])}]({target}{link['anchor'] or ''})"
        if not (REPOSITORY / path).exists():
            _log.warning("%s links to %s, which is not in the repository", source, path)
        text = link["text"].strip("`")
        return f"`{path}`" if text in {path, link["target"]} else f"{link['text']} (`{path}`)"

    return _LINK.sub(replaced, markdown)


def _title(path: str, text: str) -> str:
    """The heading of the page, where the text is no more than the page's file."""
    file = REPOSITORY / path
    if not text.strip("`").endswith(".md") or not file.is_file():
        return text
    heading = re.search(r"^# (.+)$", file.read_text("utf-8"), re.MULTILINE)
    return heading[1] if heading else text
