"""The small, safe language of computed values.

Python expressions over numbers: arithmetic, comparisons, calls and attributes of the engine's
public modules, and the part of NumPy that computes. An author cannot reach files, imports or
private names through it, so a page from a stranger's pull request can be built.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import operator
import pkgutil
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

import sim_engine
from build_scripts.markdown.book import Book
from build_scripts.markdown.errors import SyntaxProblem, nearest
from sim_engine.data import Recorded, load
from sim_engine.microsim import Frame, Readout

__all__ = ["evaluate"]

_ARRAY = frozenset(
    [
        "T",
        "all",
        "any",
        "argmax",
        "argmin",
        "flat",
        "item",
        "max",
        "mean",
        "min",
        "ndim",
        "round",
        "shape",
        "size",
        "std",
        "sum",
        "var",
    ]
)
_NUMPY = frozenset(
    [
        "arange",
        "argmax",
        "argmin",
        "argsort",
        "array",
        "concatenate",
        "cos",
        "cumsum",
        "diag",
        "dot",
        "einsum",
        "eye",
        "full",
        "geomspace",
        "linspace",
        "logspace",
        "max",
        "mean",
        "median",
        "min",
        "newaxis",
        "ones",
        "pi",
        "prod",
        "quantile",
        "sort",
        "std",
        "sum",
        "var",
        "zeros",
        "e",
        "inf",
    ]
)
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_BUILTINS: dict[str, Any] = {"abs": abs, "len": len, "max": max, "min": min, "round": round, "sum": sum}


class _Readouts:
    """A sim's frame, seen through its readouts: `sim("slug", tau=0.1).loss`."""

    def __init__(self, frame: Frame, slug: str) -> None:
        self.values = {n: r.value if isinstance(r, Readout) else float(r) for n, r in frame.readouts.items()}
        self.slug = slug


def evaluate(book: Book, expression: str) -> Any:
    """Return the value of an expression of the small language.

    Raises:
        SyntaxProblem: it is not allowed, or it raises.
    """
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError as error:
        raise SyntaxProblem(
            f"{expression!r} is not an expression: {error.msg}", "Write one Python expression."
        ) from None
    try:
        return _Evaluator(book).of(tree.body)
    except SyntaxProblem:
        raise
    except Exception as error:  # whatever the engine raises on bad arguments
        raise SyntaxProblem(
            f"{expression!r} raises {type(error).__name__}: {error}",
            "Mend the expression; it is computed at build.",
        ) from None


class _Evaluator:
    """Walks an expression; whatever is not listed here is refused."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.names: dict[str, Any] = {
            **_engine(),
            **_BUILTINS,
            "np": np,
            "sim": self._sim,
            "data": self._data,
            "True": True,
            "False": False,
        }

    def of(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=int() | float() | str() | bool() | None):
                return node.value
            case ast.Name():
                if node.id not in self.names:
                    raise SyntaxProblem(f"there is no name {node.id!r} here", nearest(node.id, self.names))
                return self.names[node.id]
            case ast.Attribute():
                return _attribute(self.of(node.value), node.attr)
            case ast.Call():
                return self._call(node)
            case ast.BinOp() if type(node.op) in _BINARY:
                left, right = self.of(node.left), self.of(node.right)
                if isinstance(node.op, ast.Pow) and isinstance(right, int | float) and abs(right) > 1024:
                    raise SyntaxProblem("the exponent is beyond 1024", "Compute with logarithms.")
                return _BINARY[type(node.op)](left, right)
            case ast.UnaryOp() if type(node.op) in _UNARY:
                return _UNARY[type(node.op)](self.of(node.operand))
            case ast.Compare(ops=[only]) if type(only) in _COMPARE:
                return _COMPARE[type(only)](self.of(node.left), self.of(node.comparators[0]))
            case ast.IfExp():
                return self.of(node.body) if self.of(node.test) else self.of(node.orelse)
            case ast.Subscript():
                return self.of(node.value)[self._index(node.slice)]
            case ast.List():
                return [self.of(item) for item in node.elts]
            case ast.Tuple():
                return tuple(self.of(item) for item in node.elts)
        raise SyntaxProblem(
            f"{ast.unparse(node)!r} is not allowed in a value",
            "Allowed: numbers, + - * / ** %, comparisons, `a if b else c`, indexing, calls of the engine.",
        )

    def _index(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Slice):
            return slice(*(self.of(part) if part else None for part in (node.lower, node.upper, node.step)))
        if isinstance(node, ast.Tuple):
            return tuple(self._index(part) for part in node.elts)
        return self.of(node)

    def _call(self, node: ast.Call) -> Any:
        if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
            raise SyntaxProblem("* and ** are not allowed in a value", "Write the arguments out.")
        function = self.of(node.func)
        if not callable(function) or isinstance(function, type):
            raise SyntaxProblem(
                f"{ast.unparse(node.func)!r} cannot be called here", "Call a function of the engine."
            )
        arguments = [self.of(a) for a in node.args]
        return function(*arguments, **{str(k.arg): self.of(k.value) for k in node.keywords})

    def _sim(self, slug: str, **controls: Any) -> _Readouts:
        microsim = self.book.sim(slug).microsim
        step = int(controls.pop("frame", 0)) if microsim.kind == "process" else 0
        frame = microsim(**controls)
        if microsim.kind == "process":
            frame = next(f for i, f in enumerate(frame) if i == step)
        return _Readouts(frame, slug)

    def _data(self, slug: str) -> Recorded:
        return load(self.book.sim(slug).folder / "sim.py")


def _attribute(owner: Any, name: str) -> Any:
    """Return a public attribute of a thing that a value may look into."""
    if name.startswith("_"):
        raise SyntaxProblem(f"{name!r} is private", "Use a public name.")
    if owner is np:
        found = getattr(np, name, None)
        if name in _NUMPY or isinstance(found, np.ufunc):
            return found
        raise SyntaxProblem(f"np.{name} is not allowed in a value", nearest(name, _NUMPY))
    if isinstance(owner, types.ModuleType):
        public = _public(owner)
        if name not in public:
            raise SyntaxProblem(f"{owner.__name__} has no {name!r}", nearest(name, public))
        return getattr(owner, name)
    if isinstance(owner, _Readouts):
        if name not in owner.values:
            raise SyntaxProblem(f"{owner.slug} has no readout {name!r}", nearest(name, owner.values))
        return owner.values[name]
    if isinstance(owner, np.ndarray | np.generic):
        if name in _ARRAY:
            return getattr(owner, name)
        raise SyntaxProblem(f"an array's {name!r} is not allowed in a value", nearest(name, _ARRAY))
    if isinstance(owner, Recorded):
        known: tuple[str, ...] = ("metrics", "manifest")
    elif dataclasses.is_dataclass(owner):
        known = tuple(f.name for f in dataclasses.fields(owner))
    elif isinstance(owner, tuple) and hasattr(owner, "_fields"):
        known = tuple(owner._fields)
    else:
        known = ()
    if name not in known:
        what = (
            "a mapping: index it, as in metrics['name']"
            if isinstance(owner, Mapping)
            else type(owner).__name__
        )
        raise SyntaxProblem(f"{name!r} cannot be looked up: its owner is {what}", nearest(name, known))
    return getattr(owner, name)


@cache
def _engine() -> dict[str, Any]:
    """The engine's public modules, but those that host sims and read files; not to be changed."""
    names = [m.name for m in pkgutil.iter_modules(sim_engine.__path__) if not m.name.startswith("_")]
    kept = [n for n in names if n not in ("bridge", "data", "microsim")]
    return {n: importlib.import_module(f"sim_engine.{n}") for n in kept}


def _public(module: types.ModuleType) -> list[str]:
    names = getattr(module, "__all__", [])
    return [n for n in names if not isinstance(getattr(module, n), type)]
