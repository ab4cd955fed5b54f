"""The order of a set: another one in every process, because texts are hashed with a secret."""

import ast
from collections.abc import Iterator

from ._rules import Finding
from ._source import Source
from ._types import Types

_SETS = ("set", "frozenset", "AbstractSet", "Set", "MutableSet")
_SET_METHODS = ("union", "intersection", "difference", "symmetric_difference", "copy")
_SET_OPERATORS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)

_ORDERED = (
    "list", "tuple", "iter", "enumerate", "zip", "map", "filter", "dict", "dict.fromkeys",
    "itertools.chain", "itertools.product", "itertools.starmap", "collections.deque",
)  # fmt: skip
"""Calls whose result has the order of their arguments."""

_ORDERLESS = ("sorted", "set", "frozenset", "len", "any", "all", "min", "max", "sum")
"""Calls that the order of their argument does not matter to."""


def unordered(source: Source) -> Iterator[Finding]:
    """Find where the order of a set gets out."""
    sets = _Sets(source)
    for node in source.nodes:
        if any(sets.holds(taken) for taken in _taken_in_order(source, node)):
            text = ast.unparse(node).partition("\n")[0].rstrip(":")
            yield source.finding(node, "order", f"the order of a set in `{text}`")


def _taken_in_order(source: Source, node: ast.AST) -> list[ast.expr]:
    """Return the expressions whose order matters to a node."""
    if isinstance(node, ast.For | ast.AsyncFor):
        return [node.iter]
    if isinstance(node, ast.ListComp | ast.DictComp | ast.GeneratorExp):
        is_lost = _order_is_lost(source, node)
        return [] if is_lost else [generator.iter for generator in node.generators]
    if isinstance(node, ast.Starred) and isinstance(node.ctx, ast.Load):
        return [] if isinstance(next(source.holders(node)), ast.Set) else [node.value]
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("join", "extend"):
            return node.args
        if isinstance(node.func, ast.Attribute) and node.func.attr == "pop" and not node.args:
            return [node.func.value]
        is_kept = source.name_of(node.func) in _ORDERED and not _order_is_lost(source, node)
        return node.args if is_kept else []
    return []


def _order_is_lost(source: Source, node: ast.AST) -> bool:
    """Return whether an expression only goes through calls that keep order into one that does not.

    `sorted(product(a, b))` and `{*map(f, a)}` lose it.
    """
    for holder in source.holders(node):
        if isinstance(holder, ast.Call):
            name = source.name_of(holder.func)
            if name in _ORDERLESS:
                return True
            if name not in _ORDERED:
                return False
        elif not isinstance(holder, ast.Starred):
            return isinstance(holder, ast.Set)
    return False


class _Sets:
    """Which expressions are certainly sets."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._types = Types(source)
        self._asking: set[str] = set()
        """Variables that are being looked at: `a = a | b` would ask for ever."""

    def holds(self, node: ast.expr) -> bool:
        """Return whether an expression is certainly a set."""
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Await(value=value):
                return self.holds(value)
            case ast.IfExp(body=body, orelse=orelse):
                return self.holds(body) or self.holds(orelse)
            case ast.BoolOp(values=values):
                return any(self.holds(value) for value in values)
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _SET_OPERATORS):
                return any(self.holds(side) or _is_view(side) for side in (left, right))
            case ast.Call(func=ast.Attribute(attr=name, value=value)) if name in _SET_METHODS:
                return self.holds(value)
            case ast.Call(func=func):
                is_made = self._source.name_of(func) in ("set", "frozenset")
                return is_made or self._types.declared(func) in _SETS
            case ast.Name():
                return self._types.declared(node) in _SETS or self._is_assigned_a_set(node)
            case ast.Attribute():
                return self._types.declared(node) in _SETS
        return False

    def _is_assigned_a_set(self, name: ast.Name) -> bool:
        if name.id in self._asking:
            return True  # as far as its other values are sets
        self._asking.add(name.id)
        values = self._types.assigned(name)
        found = bool(values) and all(self.holds(value) for value in values)
        self._asking.discard(name.id)
        return found


def _is_view(node: ast.expr) -> bool:
    """Return whether an expression is `something.keys()` or `.items()`."""
    match node:
        case ast.Call(func=ast.Attribute(attr="keys" | "items"), args=[]):
            return True
    return False
