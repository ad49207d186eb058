"""The recipe's hash: its settings, and the code that decides its numbers, without comments or docstrings."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["fingerprint"]


def fingerprint(config: Mapping[str, Any], files: Iterable[Path]) -> str:
    """Return a sha256 that changes when a setting or a line of code does, and not when a comment does.

    Args:
        config: the settings, JSON-ready.
        files: the Python files that decide the result; their names count, their folder does not.
    """
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for path in sorted(files, key=lambda p: p.name):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        digest.update(f"\n{path.name}\n{_canonical(tree)}".encode())
    return digest.hexdigest()


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
