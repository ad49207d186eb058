"""Products of matrices, and what a softmax does with each of their numbers, by vectors in the browser.

NumPy's wasm build has no BLAS and uses no vectors. `product.wat`, `exponential.wat`, `row_max.wat` and
`pair_scale.wat` are the loops that matter, by hand; the browser's wheel carries them assembled, for float32
and for float64, and they work in Python's own memory, on the arrays where they lie. A browser without
vectors, or a wheel made elsewhere, has no such loops.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A tile's rows, and its columns in bytes: nothing smaller can be computed.
ROWS = 4
WIDTH = 32
# Below so many products of two numbers, the way into the loop and out costs more than it spares.
FEWEST_PRODUCTS = 2**15
# As many exponentials, or numbers to compare, take NumPy as long as the way into the loop and out.
FEWEST_NUMBERS = 2**11
# A block of B, terms by columns, stays in the processor's near memory while all rows pass by it.
TERMS = 512
COLUMNS = 256
# So many numbers stay near the processor between one of NumPy's steps and the next.
NEAR = 2**15
# The loops to try, by the names of their files: with xy + z rounded once where the browser has that.
VARIANTS = ("_fused", "")

_NAMES = {np.dtype(np.float32): "f32", np.dtype(np.float64): "f64"}


def suits(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Tell whether `product` can multiply these, and it is worth it here."""
    rows, columns = a.shape[0], b.shape[1]
    return (
        a.dtype == b.dtype
        and a.dtype in _NAMES
        and rows >= ROWS
        and columns * a.itemsize >= WIDTH
        and rows * columns * a.shape[1] >= FEWEST_PRODUCTS
        and _loop("product", _NAMES[a.dtype]) is not None
    )


def product(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return the matrix product AB; every entry sums its terms in order, by blocks of `TERMS`.

    Args:
        a: (n, k), any strides.
        b: (k, p), of the same dtype; `suits(a, b)`.

    Returns:
        (n, p).

    Raises:
        ValueError: smaller than a tile, which would be written beyond the end of the result.
    """
    if a.shape[0] < ROWS or b.shape[1] * b.itemsize < WIDTH:
        raise ValueError(f"a product of {a.shape[0]} rows and {b.shape[1]} columns is smaller than a tile")
    if b.strides[1] != b.itemsize:
        b = np.ascontiguousarray(b)
    (rows, terms), columns = a.shape, b.shape[1]
    whole = np.empty((rows, columns), a.dtype)
    if terms <= TERMS and columns <= COLUMNS:
        _into(whole, a, b)
        return whole
    part = whole
    for start, end in cuts(terms, TERMS):
        if start:
            part = np.empty_like(whole)
        for left, right in cuts(columns, COLUMNS):
            _into(part[:, left:right], a[:, start:end], b[start:end, left:right])
        if start:
            whole += part
    return whole


def cuts(length: int, most: int) -> list[tuple[int, int]]:
    """Cut a length into about equal pieces of at most `most`."""
    count = -(-length // most)
    marks = [length * i // count for i in range(count + 1)]
    return list(pairwise(marks))


def _into(c: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> None:
    """Write AB into c; the loop counts in bytes and is told where each array begins."""
    loop: Any = _loop("product", _NAMES[a.dtype])
    loop(
        *(a.shape[0], b.shape[1] * b.itemsize, a.shape[1]),
        *(_address(a), *a.strides),
        *(_address(b), b.strides[0]),
        *(_address(c), c.strides[0]),
    )


def suits_rows(loop: str, scores: NDArray[Any]) -> bool:
    """Tell whether a loop ("exponential", "row_max", "pair_scale") can read these, and is worth it here."""
    return (
        scores.dtype in _NAMES
        and scores.ndim == 2
        and scores.size >= FEWEST_NUMBERS
        and scores.strides[1] == scores.itemsize
        and _loop(loop, _NAMES[scores.dtype]) is not None
    )


def row_max(scores: NDArray[Any]) -> NDArray[Any]:
    """Return the largest number of every row, (R,), by NumPy where `suits_rows("row_max", scores)` is False.

    Args:
        scores: (R, C), C >= 1; no NaN.
    """
    if not suits_rows("row_max", scores):
        found: NDArray[Any] = scores.max(axis=1)
        return found
    most = np.empty(len(scores), scores.dtype)
    loop: Any = _loop("row_max", _NAMES[scores.dtype])
    width = scores.shape[1] * scores.itemsize
    loop(len(scores), width, _address(scores), scores.strides[0], _address(most))
    return most


def exponentials(scores: NDArray[Any], shift: NDArray[Any], inverse: np.floating[Any]) -> NDArray[Any]:
    r"""Overwrite `scores` with $\exp((s - m)/\tau)$ and return the rows' sums.

    The exponential of a number is right to one unit in the last place, as NumPy's is.

    Args:
        scores: (R, C), C >= 1; `suits_rows("exponential", scores)`; no NaN.
        shift: (R,), the m of each row, finite, of the same dtype.
        inverse: 1 / tau > 0, of the same dtype.

    Returns:
        (R,).
    """
    count = 16 // scores.itemsize
    sums = np.empty((len(scores), count), scores.dtype)
    scale, shift = np.array([inverse], scores.dtype), np.ascontiguousarray(shift)
    loop: Any = _loop("exponential", _NAMES[scores.dtype])
    loop(
        *(len(scores), scores.shape[1] * scores.itemsize, _address(scores), scores.strides[0]),
        *(_address(shift), _address(scale), _address(sums)),
    )
    total: NDArray[Any] = sums.sum(axis=1)
    return total


def pair_scale(scores: NDArray[Any], shares: NDArray[Any]) -> None:
    r"""Overwrite $S_{ij}$ with $S_{ij}(r_i + r_j)$, by NumPy where `suits_rows` is False.

    Args:
        scores: S (R, R).
        shares: r (R,), of the same dtype.
    """
    if suits_rows("pair_scale", scores):
        shares = np.ascontiguousarray(shares)
        loop: Any = _loop("pair_scale", _NAMES[scores.dtype])
        width, start = scores.shape[1] * scores.itemsize, _address(shares)
        loop(len(scores), width, _address(scores), scores.strides[0], start, start)
        return
    height = max(1, NEAR // max(1, len(shares)))
    for start in range(0, len(scores), height):
        scores[start : start + height] *= shares[start : start + height, None] + shares


def _address(array: NDArray[Any]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


@cache
def _loop(function: str, dtype: str) -> Callable[..., None] | None:
    """Return the assembled loop of `<function>.wat` for "f32" or "f64", or None where there is none."""
    if sys.platform != "emscripten":
        return None
    # Here, not above: a sim that multiplies nothing large starts without it.
    import pkgutil

    javascript, to_js = import_module("js"), import_module("pyodide.ffi").to_js
    for variant in VARIANTS:
        name = f"{function}{variant}_{dtype}"
        try:
            binary = to_js(pkgutil.get_data("sim_engine", f"{name}.wasm"))
        except FileNotFoundError:
            continue
        if javascript.WebAssembly.validate(binary):
            # Emscripten's own way to load a library: it gives it Python's memory.
            flags = javascript.Object.new()
            flags.loadAsync, flags.nodelete = False, True
            load = import_module("pyodide_js")._module.loadWebAssemblyModule
            made = load(binary, flags, name, javascript.Object.new(), 0)
            loop: Callable[..., None] = getattr(made, function)
            return loop
    return None
