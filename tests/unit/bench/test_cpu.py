"""Every process that takes part is counted, or the run stops."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bench.suite._cpu import Census, UncountedError

BUSY = "import time\nwhile time.process_time() < 0.3: pass\n"
WAIT = "print('there', flush=True); input()"


@contextmanager
def process(program: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that has come to its first line, until the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "there\n"
        try:
            yield started
        finally:
            if started.poll() is None:
                started.communicate("\n")


def census(directory: Path) -> Census:
    """Everybody who is here now, named: other tests' processes are not this one's concern."""
    found = Census(directory)
    while True:
        try:
            found.snapshot()
        except UncountedError as error:
            text = str(error).partition(": ")[2]
            pids = [int(each.rpartition("(")[2].rstrip(")")) for each in text.split(", ")]
            for pid in pids:
                if pid in found.kinds:
                    del found.kinds[pid]
                else:
                    found.name(pid, "others")
        else:
            return found


def test_one_that_nobody_has_named_stops_the_run(tmp_path: Path) -> None:
    known = census(tmp_path)
    with process(WAIT) as child:
        with pytest.raises(UncountedError, match=rf"not counted: .*\({child.pid}\)"):
            known.snapshot()
        known.name(child.pid, "client")
        known.snapshot()
    with pytest.raises(UncountedError, match=rf"have ended: client \({child.pid}\)"):
        known.snapshot()


def test_a_node_that_somebody_else_has_started_is_found(tmp_path: Path) -> None:
    """As the nodes of a network that an earlier command has started: no child of ours."""
    known = census(tmp_path)
    program = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {WAIT!r}], start_new_session=True,"
        " stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)\n"
    )  # whose input ends when its parent does
    mark = f"{tmp_path.resolve()}|peer0.hospital"
    with process(program + "input()", MEDFAB_NODE=mark) as parent:
        with pytest.raises(UncountedError) as caught:
            known.snapshot()
        assert str(parent.pid) in str(caught.value)
        assert str(caught.value).count("(") == 2  # it, and what it has started


def test_what_was_used_is_seen_by_kind(tmp_path: Path) -> None:
    known = census(tmp_path)
    with process(f"{WAIT}\n{BUSY}print('done', flush=True); input()") as child:
        known.name(child.pid, "client")
        before = known.snapshot()
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline() == "done\n"
        used = known.between(before, known.snapshot())
    assert used.by_kind["client"] >= 0.2
    assert used.total >= used.by_kind["client"]
    assert used.machine >= used.by_kind["client"] - 0.05
    assert used.elapsed > 0.2


def test_a_child_that_came_and_went_is_its_parents(tmp_path: Path) -> None:
    known = census(tmp_path)
    program = (
        f"{WAIT}\nimport subprocess, sys\n"
        f"subprocess.run([sys.executable, '-c', {BUSY!r}], check=True)\n"
        "print('done', flush=True); input()"
    )
    with process(program) as child:
        known.name(child.pid, "client")
        before = known.snapshot()
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline() == "done\n"
        used = known.between(before, known.snapshot())
    assert used.by_kind["client"] >= 0.3
