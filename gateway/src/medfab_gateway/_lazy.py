"""Properties that are computed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazy_property(Generic[T]):
    """`functools.cached_property` without its lock, which Python has until 3.12, and which costs
    more than most of what blocks are asked for."""

    def __init__(self, function: Callable[[Any], T]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> lazy_property[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> lazy_property[T] | T:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._function(instance)
        return value


class filled(Generic[T]):
    """An attribute that a method of the instance puts into its `__dict__`, with others, the first
    time that one of them is asked for."""

    def __init__(self, fill: Callable[[Any], None]) -> None:
        self._fill = fill

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> filled[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> filled[T] | T:
        if instance is None:
            return self
        self._fill(instance)
        value: T = instance.__dict__[self._name]
        return value
