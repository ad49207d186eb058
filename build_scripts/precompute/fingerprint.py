"""The recipe's hash: its settings, and the code that decides its numbers, without comments or docstrings."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["fingerprint", "imported", "own_and_shared"]

# What carries a run, and does not decide its numbers.
_CARRIERS = {"__main__", "checkpoint", "export", "fingerprint", "recipe", "report", "sweep", "whole"}
_PACKAGE = "build_scripts.precompute"


def fingerprint(config: Mapping[str, Any], files: Iterable[Path]) -> str:
    """Return a sha256 that changes when a setting or a line of code does, and not when a comment does.

    Args:
        config: the settings, JSON-ready.
        files: the Python files that decide the result; their names count, their folder does not.
    """
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for path in sorted(files, key=lambda p: (p.name, p.parent.name)):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        digest.update(f"\n{path.name}\n{_canonical(tree)}".encode())
    return digest.hexdigest()


def imported(file: Path) -> list[Path]:
    """Return a module's file and those of the pipeline that it imports, itself or through others.

    Left out is what carries a run without deciding its numbers: the command, checkpoints, export, sweeps.

    Args:
        file: a module of `build_scripts/precompute/`.
    """
    found: dict[Path, None] = {}
    waiting = [file.resolve()]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = None
            waiting += _imports(path.read_text(encoding="utf-8"))
    return sorted(found)


@cache
def _imports(code: str) -> tuple[Path, ...]:
    """Return the pipeline's files that code imports; asked for every recipe, and most share them."""
    root = Path(__file__).resolve().parent
    found: list[Path] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.removeprefix(_PACKAGE).strip(".").split(".")
            if not name.startswith(f"{_PACKAGE}.") or parts[0] in _CARRIERS:
                continue
            place = root.joinpath(*parts)
            found += [p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file()]
    return tuple(found)


def own_and_shared(file: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a recipe's `modules` and `code`: its own file, and what it imports of the pipeline.

    Args:
        file: `__file__` of the module that defines the recipe.
    """
    root, own = Path(__file__).resolve().parent, Path(file).resolve()
    names = {path: path.relative_to(root).with_suffix("").as_posix() for path in imported(own)}
    return (names[own],), tuple(name for path, name in names.items() if path != own)


def _canonical(node: Any) -> str:
    """Write a syntax tree the same way under every Python: empty fields, which come and go, are left out."""
    if isinstance(node, list):
        return "[" + ",".join(map(_canonical, node)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = []
    for name, value in ast.iter_fields(node):
        if name == "body" and _has_docstring(node):
            value = value[1:]
        if value not in (None, []):
            fields.append(f"{name}={_canonical(value)}")
    return f"{type(node).__name__}({','.join(fields)})"


def _has_docstring(node: ast.AST) -> bool:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None
