"""The tool that makes the synchronous client: its rules, and that its results are up to date."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import medfab_gateway
import medfab_gateway.ehr

SCRIPT = Path(__file__).parents[3] / "scripts" / "make_sync.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_sync", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make_sync = load()


def test_making_it_again_changes_nothing() -> None:
    run = subprocess.run(
        [sys.executable, SCRIPT, "--check"], capture_output=True, text=True, timeout=60
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


SOURCE = '''"""Reads, `async with` care."""

from collections.abc import Awaitable, Callable

from medfab_gateway import _aio
from medfab_gateway._thing_async import AsyncThing
from medfab_gateway._aio import Client

__all__ = ["AsyncReader", "Client"]


class AsyncReader:
    """An :class:`AsyncThing`'s reader: an async iterator. Not `submit_async`."""

    def __aiter__(self) -> "AsyncReader":
        return self

    async def __anext__(self) -> AsyncThing:
        # await it
        raise StopAsyncIteration

    async def wait(self, calls: list[Callable[[], Awaitable[bytes]]], thing: AsyncThing) -> bytes:
        async with thing:
            async for part in thing:
                await _aio.sleep(await part.seconds())
        return await thing.submit_async(calls)
'''

TWIN = '''# Made by scripts/make_sync.py from _reader_async.py: change that, and run it.
"""Reads, `with` care."""

from collections.abc import Callable

from medfab_gateway import _blocking
from medfab_gateway._blocking import Client
from medfab_gateway._thing import Thing

__all__ = ["Client", "Reader"]


class Reader:
    """An :class:`Thing`'s reader: an iterator. Not `submit_async`."""

    def __iter__(self) -> "Reader":
        return self

    def __next__(self) -> Thing:
        # it
        raise StopIteration

    def wait(self, calls: list[Callable[[], bytes]], thing: Thing) -> bytes:
        with thing:
            for part in thing:
                _blocking.sleep(part.seconds())
        return thing.submit_async(calls)
'''


def test_words_are_turned_in_code_and_prose() -> None:
    expected = TWIN.replace('["Client", "Reader"]', '["Reader", "Client"]')
    assert make_sync.to_sync(SOURCE, "_reader_async.py") == expected


@pytest.mark.parametrize(
    "line",
    ["import asyncio", "x: grpc.aio.Channel", '"""For one event loop."""', "# another task's"],
)
def test_what_is_left_over_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(make_sync.SourceError, match=r"_x_async\.py: .* is left, about line 3"):
        make_sync.to_sync(f'"""Doc."""\n\n{line}\n', "_x_async.py")


def test_phrases_are_found_across_lines() -> None:
    text = make_sync.to_sync('"""One two\n    three."""\n', "_x_async.py", {"two three": "2"})
    assert '"""One 2."""' in text


def package(folder: Path, **files: str) -> Path:
    phrases = "\n".join(make_sync.PHRASES)
    for name, text in {"_all_async": f'"""{phrases}"""\n', **files}.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def test_a_twin_without_its_source_is_to_go(tmp_path: Path) -> None:
    made = make_sync.to_sync('"""Doc."""\n', "_gone_async.py")
    found = dict(make_sync.outdated(package(tmp_path, _gone=made)))
    assert found.keys() == {tmp_path / "_all.py", tmp_path / "_gone.py"}
    assert found[tmp_path / "_gone.py"] is None
    (tmp_path / "_gone.py").unlink()
    (tmp_path / "_all.py").write_text(found[tmp_path / "_all.py"])
    assert [*make_sync.outdated(tmp_path)] == []


def test_modules_written_by_hand_are_never_replaced(tmp_path: Path) -> None:
    with pytest.raises(make_sync.SourceError, match="written by hand"):
        dict(make_sync.outdated(package(tmp_path, _all="x = 1\n")))


def test_phrases_that_no_source_has_are_refused(tmp_path: Path) -> None:
    (tmp_path / "_x_async.py").write_text('"""Doc."""\n')
    with pytest.raises(make_sync.SourceError, match="PHRASES"):
        dict(make_sync.outdated(tmp_path))


def test_every_asynchronous_class_has_its_twin() -> None:
    for door in (medfab_gateway, medfab_gateway.ehr):
        for name in door.__all__:
            if name.startswith("Async"):
                assert name.removeprefix("Async") in door.__all__


def test_both_hand_written_modules_have_the_same_names() -> None:
    """The generated code takes them from either."""
    folder = Path(medfab_gateway.__path__[0])
    shapes = []
    for name in ("_aio", "_blocking"):
        tree = ast.parse((folder / f"{name}.py").read_text())
        shape = {
            (node.name, *_arguments(node))
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if node.name
            in {"open_channel", "call", "sign", "acquire", "release", "read", "cancel", "for_each"}
        }
        shapes.append(shape)
    assert shapes[0] == shapes[1]
    assert len(shapes[0]) == 8


def _arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    return [argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)]
