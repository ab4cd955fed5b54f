"""Pages of docs/ as a reader works through them: writes their files, runs their commands.

docs/tutorial.md is worked through step by step (`work_through`), others as a whole (`run_page`).
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator
from pathlib import Path

from pages import ran

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"
ANYTHING = "…"
_STEP = re.compile(r"^## (\d)\. .*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
# A paragraph that begins with a file's name, and the block below it: what is in the file.
_FILE = (
    r"^`(?P<file>[\w-]+\.[\w.]+|[\w-]+(?=`:\n))`[^\n]*\n(?:[^\n]+\n)*"
    r"\n```\w+\n(?P<content>.*?)^```$"
)
_COMMAND = r"^```sh\n(?P<command>.*?)^```\n\n```text\n(?P<printed>.*?)^```$"
_ACTION = re.compile(f"{_FILE}|{_COMMAND}", re.MULTILINE | re.DOTALL)
_COMMAND_SECONDS = 300


def steps() -> dict[int, str]:
    """The text of each step, by its number."""
    return {int(step[1]): step[0] for step in _STEP.finditer(PAGE.read_text())}


def actions(step: str) -> Iterator[re.Match[str]]:
    """A step's files (groups `file`, `content`) and commands (`command`, `printed`), in order."""
    return _ACTION.finditer(step)


def work_through(numbers: Collection[int], folder: Path, *, base_port: int = 18000) -> None:
    """Do the steps in a folder; assert that each command prints what the page says."""
    for number in numbers:
        for action in actions(steps()[number]):
            if action["file"]:
                content = action["content"].replace("base_port: 18000", f"base_port: {base_port}")
                (folder / action["file"]).write_text(content)
            else:
                _run(action["command"], action["printed"].rstrip(), folder)
            ran(PAGE, action["content"] or action["command"])


def run_page(page: Path, folder: Path, *, base_port: int) -> None:
    """Do all of a page in a folder, on other ports than its own (18000 to 18999)."""

    def moved(text: str) -> str:
        return re.sub(r"\b18(\d{3})\b", lambda port: str(base_port + int(port[1])), text)

    for action in actions(page.read_text()):
        if action["file"]:
            (folder / action["file"]).write_text(moved(action["content"]))
        else:
            _run(moved(action["command"]), moved(action["printed"]).rstrip(), folder)
        ran(page, action["content"] or action["command"])


def _run(command: str, printed: str, folder: Path) -> None:
    expected = re.compile(".*?".join(map(re.escape, printed.split(ANYTHING))), re.DOTALL)
    # Until the reader's Ctrl-C; one in the background goes on.
    follows_a_channel = command.startswith("medfab events") and "&" not in command
    output = ""
    with subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        watchdog = threading.Timer(_COMMAND_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        watchdog.start()
        assert process.stdout is not None
        for line in process.stdout:
            output += line
            if follows_a_channel and expected.fullmatch(output.rstrip()):
                os.killpg(process.pid, signal.SIGINT)
                break
        code = process.wait()
        watchdog.cancel()
    assert expected.fullmatch(output.rstrip()), f"{command}\nprinted:\n{output}\nnot:\n{printed}"
    assert code == (130 if follows_a_channel else 0), f"{command} ended with {code}:\n{output}"
