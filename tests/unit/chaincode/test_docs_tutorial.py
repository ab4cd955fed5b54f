"""docs/tutorial.md: the steps that need no network (the others: integration/test_tutorial.py)."""

import re
from pathlib import Path

from tutorial_page import PAGE, actions, steps, work_through


def test_write_check_and_test(tmp_path: Path) -> None:
    work_through([1, 2, 3], tmp_path)


def test_every_block_of_the_steps_is_run() -> None:
    assert list(steps()) == [1, 2, 3, 4, 5, 6, 7]
    for text in steps().values():
        blocks = [1 if action["file"] else 2 for action in actions(text)]
        assert text.count("\n```") == 2 * sum(blocks)


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((.*?)\)", PAGE.read_text())
    assert links
    assert [link for link in links if not (PAGE.parent / link).is_file()] == []
