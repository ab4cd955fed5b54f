"""What is known of the types of expressions: from annotations and plain assignments alone."""

import ast
from collections import defaultdict

from ._source import Source


class Types:
    """The types that one module declares: names of classes, `set` for `set[str]`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._declared: dict[tuple[ast.AST, str], str] = {}
        self._assigned: defaultdict[tuple[ast.AST, str], list[ast.expr | None]] = defaultdict(list)
        self._attributes: defaultdict[str, set[str]] = defaultdict(set)
        for node in source.nodes:
            self._learn(node)

    def declared(self, node: ast.expr) -> str:
        """Return the annotated type of a variable or attribute, or of a function's result.

        Empty if there is none. An attribute has the type that all classes here give it.
        """
        if isinstance(node, ast.Name):
            scope = self._source.binding_scope(node)
            return "" if scope is None else self._declared.get((scope, node.id), "")
        if isinstance(node, ast.Attribute):
            types = self._attributes[node.attr]
            return next(iter(types)) if len(types) == 1 else ""
        return ""

    def assigned(self, name: ast.Name) -> list[ast.expr]:
        """Return all values that a variable is given; none if some are not plain to see."""
        scope = self._source.binding_scope(name)
        values = [] if scope is None else self._assigned[scope, name.id]
        return [] if None in values else [value for value in values if value is not None]

    def _learn(self, node: ast.AST) -> None:
        if isinstance(node, ast.arg):
            self._declare(node, node.arg, node.annotation)
            self._assigned[self._source.scope(node), node.arg].append(None)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._declare(node, node.name, node.returns)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            self._declare(node, node.target.id, node.annotation)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            holder = next(self._source.holders(node))
            if not isinstance(holder, ast.AugAssign):
                plain = (ast.Assign, ast.AnnAssign, ast.NamedExpr)
                value = holder.value if isinstance(holder, plain) else None
                self._assigned[self._source.scope(node), node.id].append(value)

    def _declare(self, node: ast.AST, name: str, annotation: ast.expr | None) -> None:
        if annotation is None:
            return
        outer = annotation.value if isinstance(annotation, ast.Subscript) else annotation
        type_ = ast.unparse(outer)
        scope = self._source.scope(node)
        self._declared[scope, name] = type_
        if isinstance(scope, ast.ClassDef):
            self._attributes[name].add(type_)
