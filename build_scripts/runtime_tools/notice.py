"""The notice that goes with the runtime: what is in it, under which licence, what was changed."""

from __future__ import annotations

from pathlib import Path

from build_scripts.runtime_tools.sources import PYODIDE_VERSION

__all__ = ["write_notice"]

_TEXT = """\
This folder holds software by others, for readers' browsers.

Pyodide {pyodide}: Mozilla Public License 2.0. Sources: github.com/pyodide/pyodide, tag {pyodide}.
  pyodide.mjs, pyodide.asm.mjs and pyodide.asm.wasm are as published.
CPython {python} and its standard library: Python Software Foundation License 2.0,
  copyright Python Software Foundation. Sources: github.com/python/cpython, tag v{python}.
  Changed: compiled to bytecode; modules that no page can use were left out.
NumPy {numpy}: BSD 3-Clause; its licence and those of what it contains are in the wheel, under
  numpy-{numpy}.dist-info/licenses. Sources: github.com/numpy/numpy, tag v{numpy}.
  Changed: compiled to bytecode; tests, headers and type stubs were left out.
sim_engine: MIT, part of this book.
"""


def write_notice(path: Path, *, python: str, numpy: str) -> None:
    """Write the notice of one runtime."""
    path.write_text(_TEXT.format(pyodide=PYODIDE_VERSION, python=python, numpy=numpy), encoding="utf-8")
