"""Floats: literals, the type, divisions of whole numbers, and functions that return them."""

import ast
from collections.abc import Iterator

from ._rules import Finding
from ._source import Source
from ._types import Types

_WHOLE_MATH = tuple(
    f"math.{name}" for name in ("ceil", "comb", "factorial", "floor", "gcd", "isqrt", "lcm", "perm")
)
_WHOLE_CALLS = ("int", "len", "ord")


def floats(source: Source) -> Iterator[Finding]:
    """Find where a float comes from."""
    types = Types(source)
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield source.finding(node, "float", f"`{ast.unparse(node)}`")
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            left = node.left if isinstance(node, ast.BinOp) else node.target
            right = node.right if isinstance(node, ast.BinOp) else node.value
            if _is_whole(source, types, left) and _is_whole(source, types, right):
                yield source.finding(node, "float", "`/` of whole numbers")
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            name = source.name_of(node)
            if _makes_floats(name) and not _is_in_test(source, node):
                yield source.finding(node, "float", f"`{name}`")


def _makes_floats(name: str) -> bool:
    is_math = name.startswith(("math.", "cmath.", "statistics."))
    return name in ("float", "complex") or (is_math and name not in _WHOLE_MATH)


def _is_whole(source: Source, types: Types, node: ast.expr) -> bool:
    """Return whether an expression is certainly an int."""
    if isinstance(node, ast.Constant):
        return type(node.value) is int
    if isinstance(node, ast.UnaryOp):
        return _is_whole(source, types, node.operand)
    if isinstance(node, ast.BinOp):
        return _is_whole(source, types, node.left) and _is_whole(source, types, node.right)
    if isinstance(node, ast.Call):
        return source.name_of(node.func) in _WHOLE_CALLS or types.declared(node.func) == "int"
    return types.declared(node) == "int"


def _is_in_test(source: Source, node: ast.AST) -> bool:
    """Return whether `float` stands in `isinstance(value, float)`, which may refuse floats."""
    calls = (holder for holder in source.holders(node) if isinstance(holder, ast.Call))
    call = next(calls, None)
    return call is not None and source.name_of(call.func) in ("isinstance", "issubclass")
