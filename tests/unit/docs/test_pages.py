"""Every code block of every page is run by a test, or says why not; every page can be found."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from pages import ROOT, Block, blocks, pages, ran, ran_by, running_test
from pages_registry import OWNERS, NotRun, Run, owner, unrun

MYSELF = "tests/unit/docs/test_pages.py"

CODE = [block for page in pages() for block in blocks(page) if not block.is_output]


def test_there_are_pages() -> None:
    assert len(CODE) > 200
    assert {"README.md", "docs/tutorial.md", "docs/design/ehr.md"} <= set(pages())


@pytest.mark.parametrize("page", pages())
def test_every_block_is_run_or_says_why_not(page: str) -> None:
    unlabelled = [str(block) for block in blocks(page) if not block.language]
    assert unlabelled == [], "a block needs its language; `text` for output"
    nobodys = [str(b) for b in blocks(page) if not b.is_output and owner(b) is None]
    assert nobodys == [], "name the test that runs it, or a reason, in tests/pages_registry.py"


@pytest.mark.parametrize("page", OWNERS)
def test_every_entry_takes_a_block(page: str) -> None:
    taken = [owner(block) for block in CODE if block.page == page]
    unused = [entry for entry in OWNERS[page] if not any(entry is each for each in taken)]
    assert unused == []


def test_every_named_test_exists() -> None:
    for test in {
        each.test for entries in OWNERS.values() for each in entries if isinstance(each, Run)
    }:
        file, _, function = test.partition("::")
        assert f"def {function}(" in (ROOT / "tests" / file).read_text("utf-8"), test


def test_every_reason_is_one() -> None:
    reasons = [
        each.reason for entries in OWNERS.values() for each in entries if isinstance(each, NotRun)
    ]
    assert all(len(reason.split()) > 3 for reason in reasons)
    unrun = [
        block for block in CODE if block.page != "docs/cli.md" and isinstance(owner(block), NotRun)
    ]
    assert len(unrun) < len(CODE) / 10, list(map(str, unrun))


def test_blocks_are_found_where_they_are() -> None:
    first = next(b for b in blocks("docs/tutorial.md") if b.language == "python")
    assert isinstance(first, Block)
    lines = (ROOT / "docs/tutorial.md").read_text("utf-8").splitlines()
    assert lines[first.line - 1] == "```python"
    assert first.text.splitlines()[0] == lines[first.line]


def test_a_claim_that_is_not_kept_is_found() -> None:
    """conftest.py fails the session with what `unrun` finds, among the tests that passed."""
    claimed = "tests/integration/test_ehr_tour.py::test_the_tour"
    if not ran_by(claimed):
        assert any("docs/ehr-tour.md" in line for line in unrun({claimed}))
    assert unrun(set()) == []
    with pytest.raises(ValueError, match=r"docs/ehr-tour\.md has no such block"):
        ran("docs/ehr-tour.md", "no block")
    assert running_test() == f"{MYSELF}::test_a_claim_that_is_not_kept_is_found"


def nav_pages(entry: Any) -> list[str]:
    """The pages below an entry of the navigation."""
    if isinstance(entry, str):
        return [entry]
    children = entry.values() if isinstance(entry, dict) else entry
    return [page for child in children for page in nav_pages(child)]


def test_every_page_is_in_the_navigation_and_in_the_readme() -> None:
    """The build is strict about the navigation too; here it is said in a second."""
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    shown = nav_pages(yaml.safe_load(text.partition("\nnav:\n")[2]))
    assert len(shown) == len(set(shown))
    on_disk = {page.removeprefix("docs/") for page in pages() if page.startswith("docs/")}
    assert set(shown) - {"tour.md"} == on_disk
    guides = (ROOT / "README.md").read_text("utf-8").partition("\n## Guides\n")[2]
    linked = set(re.findall(r"\]\(docs/([\w/-]+\.md)\)", guides.partition("\n## ")[0]))
    expected = {page for page in on_disk if "/" not in page} - {"index.md"}
    assert expected - linked == set(), "README.md's table of guides lacks a page"
