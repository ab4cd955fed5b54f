"""`# medfab: allow[rule] reason`: a finding that its author answers for."""

import io
import re
import tokenize
from collections.abc import Iterator, Sequence

from ._rules import RULES, Finding
from ._source import Source

_COMMENT = re.compile(r"#\s*medfab:\s*allow\[([^\]]*)\]\s*(.*)")


def without_allowed(findings: Sequence[Finding], source: Source) -> Iterator[Finding]:
    """Drop the findings that a comment allows, on their line or alone on the line before.

    Adds one for a comment that names no rule, gives no reason, or has nothing to allow.
    """
    found = {(finding.line, finding.rule) for finding in findings}
    allowed = set()
    for line, rule, reason in _comments(source.text):
        allowed.add((line, rule))
        problem = None
        if rule not in RULES:
            problem = "names no rule"
        elif not reason:
            problem = "gives no reason"
        elif (line, rule) not in found:
            problem = "has nothing to allow"
        if problem is not None:
            what = f"`allow[{rule}]` {problem}"
            yield Finding(path=source.path, line=line, rule="allow", what=what)
    yield from (finding for finding in findings if (finding.line, finding.rule) not in allowed)


def _comments(text: str) -> Iterator[tuple[int, str, str]]:
    """Return the line that each comment is for, its rule and its reason."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and (comment := _COMMENT.match(token.string)):
            is_alone = not token.line[: token.start[1]].strip()
            line = token.start[0] + (1 if is_alone else 0)
            for rule in comment[1].split(","):
                yield line, rule.strip(), comment[2].strip()
