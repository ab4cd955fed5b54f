"""Which modules belong to a contract: found without running any of them."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec, resolve_name
from pathlib import Path

_SHIM = "medfab_chaincode"
_LIBRARIES = ("site-packages", "dist-packages")


@dataclass(frozen=True, kw_only=True)
class _Module:
    name: str
    file: Path | None
    """Its source; None for a namespace package."""

    folders: tuple[Path, ...]
    """Where its submodules are; empty: it is no package."""

    @property
    def package(self) -> str:
        """The package that it is, or is in; empty: none."""
        return self.name if self.folders else self.name.rpartition(".")[0]


def contract_sources(names: Iterable[str]) -> Iterator[tuple[Path, str]]:
    """Return the path and text of modules, and of a contract's own ones that they import.

    Its own ones are in the same top-level package; those of a module outside of packages are in
    the same folder; those of a contract inside of `medfab_chaincode` are in the package it is in.

    Raises `ModuleNotFoundError` for a name without a source file.
    """
    seen: set[Path] = set()
    for name in names:
        root = _find(name)
        if root is None or root.file is None:
            raise ModuleNotFoundError(f"there is no source file of the module {name!r}", name=name)
        waiting = [root]
        while waiting:
            module = waiting.pop()
            if module.file is None or module.file in seen:
                continue
            seen.add(module.file)
            text = module.file.read_text(encoding="utf-8")
            yield module.file, text
            imported = map(_find, _imports(ast.parse(text, str(module.file)), module.package))
            waiting += [found for found in imported if found is not None and _is_own(found, root)]


def _find(name: str) -> _Module | None:
    """Find a module as the import system would, which would run the packages around it."""
    top, *rest = name.split(".")
    spec = find_spec(top)
    if spec is None:
        return None
    origin = spec.origin or ""
    file = Path(origin) if origin.endswith(".py") else None
    folders = tuple(map(Path, spec.submodule_search_locations or ()))
    for part in rest:
        inside = [folder / part for folder in folders]
        packages = [path / "__init__.py" for path in inside if (path / "__init__.py").is_file()]
        modules = [path.with_suffix(".py") for path in inside if path.with_suffix(".py").is_file()]
        namespaces = tuple(path for path in inside if path.is_dir())
        if packages:
            file, folders = packages[0], (packages[0].parent,)
        elif modules:
            file, folders = modules[0], ()
        elif namespaces:
            file, folders = None, namespaces
        else:
            return None
    return _Module(name=name, file=file, folders=folders)


def _is_own(module: _Module, root: _Module) -> bool:
    if not root.package:
        if module.file is None or root.file is None or root.file.parent.name in _LIBRARIES:
            return False
        return module.file.parent == root.file.parent
    outermost = root.package.partition(".")[0]
    own = root.package if outermost == _SHIM else outermost
    return f"{module.name}.".startswith(f"{own}.")


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    """Return the names that may be modules among what a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
