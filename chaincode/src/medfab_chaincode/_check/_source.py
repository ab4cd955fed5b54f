"""A parsed module: what its names mean, and what is around a node."""

import ast
import builtins
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from ._rules import Finding

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPES = (*_FUNCTIONS, ast.ClassDef, ast.Module)
_NOT_IN_A_PEER = ("TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'")


class Source:
    """One module, without what does not run in a peer's transaction.

    Left out: the bodies of `if TYPE_CHECKING:` and `if __name__ == "__main__":`.
    """

    def __init__(self, text: str, path: Path) -> None:
        """Raises `SyntaxError`."""
        self.text = text
        self.path = path
        self.tree = ast.parse(text, filename=str(path))
        self.nodes = list(_running(self.tree))
        """Every node, outer ones before those inside."""
        self._parents = {
            child: parent for parent in self.nodes for child in ast.iter_child_nodes(parent)
        }
        self._imported = dict(_imports(self.nodes))
        self._bound: defaultdict[ast.AST, set[str]] = defaultdict(set)
        for node in self.nodes:
            if name := _binds(node):
                self._bound[self.scope(node)].add(name)

    def finding(self, node: ast.AST, rule: str, what: str) -> Finding:
        """Make a finding at a node."""
        return Finding(path=self.path, line=getattr(node, "lineno", 1), rule=rule, what=what)

    def holders(self, node: ast.AST) -> Iterator[ast.AST]:
        """Return what holds a node, from the inside out, ending with the module."""
        while node is not self.tree:
            node = self._parents[node]
            yield node

    def scope(self, node: ast.AST) -> ast.AST:
        """Return the function, class or module that a node is directly in."""
        return next(holder for holder in self.holders(node) if isinstance(holder, _SCOPES))

    def functions(self, node: ast.AST) -> list[ast.AST]:
        """Return the functions that hold a node, from the inside out."""
        return [holder for holder in self.holders(node) if isinstance(holder, _FUNCTIONS)]

    def binding_scope(self, name: ast.Name) -> ast.AST | None:
        """Return the function or module that gives a name its meaning; None: neither does."""
        scopes = (*self.functions(name), self.tree)
        return next((scope for scope in scopes if name.id in self._bound[scope]), None)

    def name_of(self, node: ast.AST) -> str:
        """Return the dotted name that an expression refers to, e.g. `datetime.datetime.now`.

        Empty where that is neither something imported nor a builtin.
        """
        if isinstance(node, ast.Attribute):
            owner = self.name_of(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        if not isinstance(node, ast.Name) or self.binding_scope(node) is not None:
            return ""
        return self._imported.get(node.id) or (node.id if hasattr(builtins, node.id) else "")


def _running(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in _NOT_IN_A_PEER:
            for other in child.orelse:
                yield from _running(other)
        else:
            yield from _running(child)


def _imports(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (top, top)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _binds(node: ast.AST) -> str:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name
    return node.arg if isinstance(node, ast.arg) else ""
