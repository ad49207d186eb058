"""Packages whose names are loaded when they are first used: an import delays a reader's first picture."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

__all__ = ["load_when_used"]


class _Package(ModuleType):
    """A package in which a function may have the name of its module: the name is the function."""

    _home: Mapping[str, str]
    _modules: frozenset[str]

    def __getattr__(self, name: str) -> Any:
        if name in self._modules:
            return importlib.import_module(f"{self.__name__}.{name}")
        if name not in self._home:
            known = ", ".join(sorted({*self._home, *self._modules}))
            raise AttributeError(f"{self.__name__} has no {name!r}; it has {known}")
        value = getattr(importlib.import_module(f"{self.__name__}.{self._home[name]}"), name)
        super().__setattr__(name, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        # The import of a submodule sets it as an attribute of its package.
        if self._home.get(name) == name and isinstance(value, ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *self._home, *self._modules})


def load_when_used(package: str, homes: Mapping[str, tuple[str, ...]], modules: tuple[str, ...] = ()) -> None:
    """Give a package its public names, each loaded with its module when it is first used.

    Args:
        package: `__name__` of the package.
        homes: module of the package to the names that come from it.
        modules: of the package that are public themselves.
    """
    module = sys.modules[package]
    module.__dict__["_modules"] = frozenset(modules)
    module.__dict__["_home"] = {name: home for home, names in homes.items() for name in names}
    module.__class__ = _Package
