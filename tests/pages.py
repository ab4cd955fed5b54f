"""The fenced code blocks of README.md and docs/, and which of them a test has run.

A test that runs blocks of a page says so with `ran`, once they have run. Which test has to run
which block is in `pages_registry`; at the end of a session conftest.py compares the two.
"""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block."""

    page: str
    """Its file, from the root of the repository."""
    line: int
    language: str
    text: str
    section: str
    """The heading above it."""

    @property
    def is_output(self) -> bool:
        """What a program prints, a picture or a table: nothing that could be run."""
        return self.language == "text"

    def __str__(self) -> str:
        return f"{self.page}:{self.line} ({self.language or 'without a language'})"


_RAN: dict[str, set[Block]] = {}


def pages() -> list[str]:
    """Every page: the READMEs, and docs/."""
    files = [*ROOT.glob("README.md"), *ROOT.glob("*/README.md"), *ROOT.glob("docs/**/*.md")]
    return sorted(str(file.relative_to(ROOT)) for file in files)


@functools.cache
def blocks(page: str) -> tuple[Block, ...]:
    """All blocks of a page, in order."""
    text = (ROOT / page).read_text("utf-8")
    found = []
    for fence in _FENCE.finditer(text):
        # A comment of a shell looks like a heading: those within blocks do not count.
        prose = _FENCE.sub("", text[: fence.start()])
        headings = _HEADING.findall(prose)
        found.append(
            Block(
                page=page,
                line=text.count("\n", 0, fence.start()) + 1,
                language=fence["language"],
                text=re.sub(f"^{fence['indent']}", "", fence["text"], flags=re.MULTILINE),
                section=headings[-1] if headings else "",
            )
        )
    return tuple(found)


def ran(page: str | Path, *texts: str) -> None:
    """The running test has run the blocks of the page that have these texts."""
    name = str(Path(page).resolve().relative_to(ROOT)) if isinstance(page, Path) else page
    known = {block.text for block in blocks(name)}
    for text in texts:
        if text not in known:
            raise ValueError(f"{name} has no such block:\n{text}")
    _RAN.setdefault(running_test(), set()).update(b for b in blocks(name) if b.text in texts)


def ran_by(test: str) -> set[Block]:
    """What the function with this id has run in this session."""
    return _RAN.get(test, set())


def running_test() -> str:
    """The id of the test function that runs now, without its parameters."""
    return function_of(os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0])


def function_of(nodeid: str) -> str:
    """`tests/a.py::test_b[c]` without `[c]`."""
    return nodeid.partition("[")[0]
