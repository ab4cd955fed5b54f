"""Makes the synchronous twin of the gateway client: `*_async.py` → the module of the same name
without `_async`, beside it.

    python scripts/make_sync.py            writes what has changed
    python scripts/make_sync.py --check    writes nothing; exit status 1 where a twin is not up to
                                           date, or has lost its source

The work is done on the text, words in docstrings and comments included. What differs in more than
words is no business of this tool: it is in `_aio.py` and `_blocking.py`, whose names are the same.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "gateway" / "src" / "medfab_gateway"

_HEADER = "# Made by scripts/make_sync.py from {source}: change that, and run it.\n"
_MADE = _HEADER.partition("{")[0]

# Sentences that are true of one form only. Whitespace stands for any whitespace. Each must occur
# in one source at least, so that none stays behind when a docstring is rewritten.
PHRASES = {
    " Call it in a running event loop.": "",
    "Use it within one event loop; it may serve any number of tasks at a time.": """\
Any number of threads may share it, its networks and its contracts; a
    proposal, a transaction or a commit is for one thread at a time.""",
    """\
`aclose()`, an error, and cancelling the task that waits for an event all end the stream. An
ended stream yields nothing more.""": """\
`close()`, and an error end the stream. One thread reads; any other
    may call `close()`. An ended stream yields nothing more.""",
}

# Tried in this order.
_WORDS = {
    r"\bmedfab_gateway((?:\.\w+)*)\._aio\b": r"medfab_gateway\1._blocking",
    r"\b_aio\b": "_blocking",
    r"\b(_[a-z]\w*)_async\b(?=\s+import\b)": r"\1",
    r"\bAwaitable\[(\w+)\]": r"\1",
    r"\bStopAsyncIteration\b": "StopIteration",
    r"\bAsync(?=[A-Z])": "",
    r"__a(?=(?:iter|next|enter|exit)__)": "__",
    r"\baclose\b": "close",
    r"\ban async (?=[a-z])": "a ",
    r"\basync (?=(?:def|with|for)\b)": "",
    r"\bawait ": "",
}
_A_VOWEL = re.compile(r"\ba (?=i(?:terator|terable)\b)")


class SourceError(Exception):
    """A source has something that this tool cannot turn."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="only say what is not up to date")
    check = parser.parse_args().check
    try:
        changed = [*outdated(PACKAGE)]
    except SourceError as error:
        sys.exit(str(error))
    for path, text in changed:
        sys.stdout.write(f"{path.relative_to(PACKAGE)}\n")
        if check:
            continue
        if text is None:
            path.unlink()
        else:
            path.write_text(text, encoding="utf-8")
    if check and changed:
        sys.exit("Not up to date: run scripts/make_sync.py.")


def outdated(package: Path) -> Iterator[tuple[Path, str | None]]:
    """The twins to be written, with their text; None: to be deleted, for the source is gone."""
    sources = {path: path.read_text("utf-8") for path in sorted(package.rglob("_*_async.py"))}
    unused = [phrase for phrase in PHRASES if not any(_find(phrase, s) for s in sources.values())]
    if unused:
        raise SourceError(f"No source has the words {unused[0]!r} any more: see PHRASES.")
    wanted = {twin_of(source): to_sync(text, source.name) for source, text in sources.items()}
    for path, text in wanted.items():
        if path.exists() and not path.read_text("utf-8").startswith(_MADE):
            raise SourceError(f"{path} is written by hand: no twin can take its place.")
        if not path.exists() or path.read_text("utf-8") != text:
            yield path, text
    for path in sorted(package.rglob("_*.py")):
        if path not in wanted and path.read_text("utf-8").startswith(_MADE):
            yield path, None


def twin_of(source: Path) -> Path:
    return source.with_name(source.name.replace("_async.py", ".py"))


def to_sync(text: str, source: str, phrases: Mapping[str, str] = PHRASES) -> str:
    """The synchronous form of a module, formatted. Raises `SourceError`."""
    for phrase, replacement in phrases.items():
        found = _find(phrase, text)
        if found:
            text = text[: found.start()] + replacement + text[found.end() :]
    for pattern, replacement in _WORDS.items():
        text = re.sub(pattern, replacement, text)
    text = _A_VOWEL.sub("an ", text)
    left = re.search(r"\b(async|await|asyncio|aio|coroutine|event loop|tasks?)\b", text)
    if left:
        line = text.count("\n", 0, left.start()) + 1
        raise SourceError(
            f"{source}: {left[0]!r} is left, about line {line}. Move what differs into _aio.py "
            "and _blocking.py; where it is prose, reword it or add it to PHRASES."
        )
    text = _HEADER.format(source=source) + text
    # Names have become shorter: imports are sorted anew, lines joined.
    text = _ruff(["check", "--select", "I,F401", "--fix", "--quiet"], text, source)
    return _ruff(["format"], text, source)


def _find(phrase: str, text: str) -> re.Match[str] | None:
    return re.search(r"\s+".join(re.escape(word) for word in re.split(r"\s+", phrase)), text)


def _ruff(arguments: list[str], text: str, source: str) -> str:
    name = str(PACKAGE / source.replace("_async.py", ".py"))  # decides on the configuration
    run = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", name, "-"],
        input=text.encode(),
        capture_output=True,
        cwd=PACKAGE,
        timeout=60,
    )
    if run.returncode != 0:
        raise SourceError(f"{source}: ruff {arguments[0]} failed: {run.stderr.decode()}")
    return run.stdout.decode()


if __name__ == "__main__":
    main()
