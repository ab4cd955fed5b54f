"""The narrator: any width, with a hanging indent, nothing lost."""

from __future__ import annotations

import re

import pytest

from medfab_network.demo import Narrator

LONG = "The hospital's practitioner files the bundle into the hospital's private data"


@pytest.mark.parametrize("width", [40, 80, 120, 300])
def test_text_is_wrapped_below_itself(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    narrator = Narrator()
    for _ in range(10):
        narrator.step(LONG)
    narrator.good(LONG * 3)
    narrator.table(["who", "why"], [["clinic-practitioner-1 (ClinicMSP)", LONG]])
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert max(map(len, lines)) <= min(width, 120)
    assert all(re.match(r" {5}(\S| {2}\S|  +\S)|  ?[ \d]\d  The|$", line) for line in lines), lines
    assert "".join((LONG * 3).split()) in "".join(printed.split())


def test_commands_are_never_wrapped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    Narrator().command("medfab " + "x" * 100)
    assert capsys.readouterr().out == "  medfab " + "x" * 100 + "\n"


def test_silent(capsys: pytest.CaptureFixture[str]) -> None:
    narrator = Narrator(silent=True)
    with narrator.part("Title", "doing it"):
        narrator.step("Somebody does something")
        assert narrator.place == "in step 1 (Somebody does something)"
    assert list(narrator.seconds) == ["doing it"]
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_what_is_shown_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    narrator = Narrator()
    narrator.good("a\x1b[2Jb")
    narrator.table(["value"], [["1\x1b[31m"]])
    assert "\x1b" not in capsys.readouterr().out
