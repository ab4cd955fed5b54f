"""Extension of griffe: docstrings, in which code is indented and roles are marked, as Markdown."""

from __future__ import annotations

import ast
import re
import textwrap
from typing import Any

import griffe

_ROLE = re.compile(r":(?:class|func|meth|mod|attr|exc|data):(?=`)")
_LITERAL = re.compile(r"``(?=[^`])([^`]+)``")


class MarkdownDocstrings(griffe.Extension):
    """Rewrites every docstring of a package once it has been read."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        _rewrite(pkg)


def _rewrite(documented: griffe.Object) -> None:
    if documented.docstring is not None:
        documented.docstring.value = as_markdown(documented.docstring.value)
    for member in documented.members.values():
        if isinstance(member, griffe.Object):
            _rewrite(member)


def as_markdown(docstring: str) -> str:
    """Indented paragraphs become fenced code; `::` before them and roles go."""
    parts: list[str] = []
    code: list[str] = []
    fenced = False
    for paragraph in re.split(r"\n{2,}", docstring):
        fences = paragraph.count("```")
        if not fenced and not fences and paragraph.startswith("    "):
            code.append(paragraph)
            continue
        _close(code, parts)
        if not fenced and not fences:
            paragraph = _LITERAL.sub(r"`\1`", _ROLE.sub("", paragraph))
            if paragraph.endswith("::"):
                paragraph = "" if paragraph == "::" else paragraph[:-1]
        fenced ^= fences % 2 == 1
        if paragraph:
            parts.append(paragraph)
    _close(code, parts)
    return "\n\n".join(parts)


def _close(code: list[str], parts: list[str]) -> None:
    if code:
        text = textwrap.dedent("\n\n".join(code))
        try:
            compile(text, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except SyntaxError:
            language = "text"
        else:
            language = "python"
        parts.append(f"```{language}\n{text}\n```")
        code.clear()
