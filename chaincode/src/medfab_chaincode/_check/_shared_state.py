"""State that outlives a transaction: the module's variables, and the contract object's own."""

import ast
from collections.abc import Iterator

from ._rules import Finding
from ._source import Source

_CHANGES = (
    "append", "appendleft", "add", "clear", "discard", "extend", "insert", "pop", "popitem",
    "popleft", "remove", "setdefault", "update",
)  # fmt: skip
"""Methods that change a list, dict, set or deque."""


def shared_state(source: Source) -> Iterator[Finding]:
    """Find where a function changes what the next transaction will see."""
    for node in source.nodes:
        if isinstance(node, ast.Global):
            yield source.finding(node, "global", f"`{ast.unparse(node)}`")
        for changed in _changed(node):
            base = _base(changed)
            if not isinstance(base, ast.Name) or not source.functions(node):
                continue
            is_shared = source.binding_scope(base) is source.tree
            if is_shared or _is_contract_itself(source, base):
                yield source.finding(node, "global", f"a change of `{ast.unparse(changed)}`")


def _changed(node: ast.AST) -> list[ast.expr]:
    """Return what a statement or call changes in place."""
    match node:
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            single = [one for target in targets for one in getattr(target, "elts", [target])]
            return [_container(target) for target in single if not isinstance(target, ast.Name)]
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target, value=ast.expr()):
            return [] if isinstance(target, ast.Name) else [_container(target)]
        case ast.Call(func=ast.Attribute(attr=name, value=owner)) if name in _CHANGES:
            return [owner]
    return []


def _container(target: ast.expr) -> ast.expr:
    return target.value if isinstance(target, ast.Subscript) else target


def _base(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node


def _is_contract_itself(source: Source, name: ast.Name) -> bool:
    """Return whether a name is the `self` of a contract's method, other than `__init__`."""
    method = source.functions(name)[-1]
    owner = source.scope(method)
    return (
        isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
        and method.name != "__init__"
        and isinstance(owner, ast.ClassDef)
        and any(ast.unparse(base).endswith("Contract") for base in owner.bases)
        and bool(method.args.args)
        and method.args.args[0].arg == name.id
    )
