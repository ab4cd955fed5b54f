"""Writes the public API of the three distributions, name by name, for reviews to see what changes.

    python scripts/make_api.py            writes tests/unit/release/api/*.txt (make api)

A name is public where no part of its path begins with an underscore and its module's `__all__` has
it; docs/stability.md says what that promises. Of classes there are the members that they define
themselves or take from private bases: a public base is listed by itself.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).parents[1] / "tests" / "unit" / "release" / "api"
PACKAGES = ("medfab_gateway", "medfab_chaincode", "medfab_network")
# Commands are the API of the command line, which docs/cli.md holds; modules of groups are not.
_NOT_API = re.compile(r"\.cli\.|\.__main__$|^medfab_network\.demo")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for package in PACKAGES:
        (FOLDER / f"{package}.txt").write_text(document(package), "utf-8")


def document(package: str) -> str:
    """One line for each name and member, sorted."""
    return "".join(f"{line}\n" for module in modules(package) for line in _module(module))


def modules(name: str) -> Iterator[ModuleType]:
    """The public modules of a package."""
    module = importlib.import_module(name)
    yield module
    for child in pkgutil.iter_modules(getattr(module, "__path__", [])):
        path = f"{name}.{child.name}"
        if not child.name.startswith("_") and not _NOT_API.search(path):
            yield from modules(path)


def names(module: ModuleType) -> list[str]:
    """Those of `__all__`; without one, what the module defines itself."""
    said: list[str] | None = getattr(module, "__all__", None)
    if said is not None:
        return sorted(said)
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    )


def _module(module: ModuleType) -> Iterator[str]:
    for name in names(module):
        value = getattr(module, name)
        path = f"{module.__name__}.{name}"
        home = getattr(value, "__module__", module.__name__)
        if home != module.__name__ and name in names_of(home):
            yield f"{path} = {home}.{name}"  # told where it is at home
        elif inspect.isclass(value):
            yield from _class(path, value)
        elif inspect.isroutine(value):
            yield f"{path}{_signature(value)}"
        elif inspect.ismodule(value):
            yield f"{path}: module"
        else:
            yield f"{path}: {type(value).__name__}"


def names_of(module: str) -> list[str]:
    """The public names of a module, none where it is private."""
    if any(part.startswith("_") for part in module.split(".")) or not module.startswith("medfab_"):
        return []
    return names(sys.modules[module])


def _class(path: str, cls: type) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in cls.__bases__ if not _private(base))
    yield f"class {path}({bases})"
    if issubclass(cls, enum.Enum):
        yield from (f"{path}.{name} = {member.value!r}" for name, member in cls.__members__.items())
    members = _members(cls)
    if dataclasses.is_dataclass(cls):
        for field in dataclasses.fields(cls):
            if not field.name.startswith("_"):
                default = "" if _required(field) else " = …"
                yield f"{path}.{field.name}: {field.type}{default}"
                members.pop(field.name, None)
    elif "__init__" in members or not issubclass(cls, BaseException | enum.Enum):
        yield f"{path}.__init__{_signature(cls.__init__)}"  # type: ignore[misc]
    for name in sorted(members):
        if name == "__init__" or (issubclass(cls, enum.Enum) and name in cls.__members__):
            continue
        value = members[name]
        if isinstance(value, staticmethod | classmethod):
            yield f"{path}.{name}{_signature(value.__func__)} {type(value).__name__}"
        elif inspect.isroutine(value):
            kind = "async " if inspect.iscoroutinefunction(value) else ""
            yield f"{kind}{path}.{name}{_signature(value)}"
        else:
            yield f"{path}.{name}: {_kind(value)}"


def _members(cls: type) -> dict[str, object]:
    """Public members of the class and its private bases, the nearest of each name."""
    found: dict[str, object] = {}
    for base in reversed(cls.__mro__):
        if base is cls or (base.__module__.startswith("medfab_") and _private(base)):
            found |= {
                name: value
                for name, value in vars(base).items()
                if not name.startswith("_") or name == "__init__"
            }
    return found


def _private(cls: type) -> bool:
    return cls.__name__.startswith("_") or cls is object


def _kind(value: object) -> str:
    if isinstance(value, property) or type(value).__name__ in ("lazy_property", "cached_property"):
        return "property"
    return type(value).__name__


def _required(field: dataclasses.Field[object]) -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _signature(value: object) -> str:
    try:
        text = str(inspect.signature(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return "(…)"
    return re.sub(r" at 0x[0-9a-f]+", "", text)


if __name__ == "__main__":
    main()
