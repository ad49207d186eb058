"""Products of matrices that are fast in both worlds.

Natively NumPy hands `@` to BLAS. NumPy's wasm build has no BLAS: there `@` is a plain loop. `_simd.py` has
a loop of vector instructions for the browser, and what is too small for it, or where it is not to be had,
goes through `einsum` without `optimize`, whose inner loop is several times faster than that of `@`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sim_engine import _simd

Path = Literal["blas", "simd", "einsum"]

# einsum's dot loop needs some length to pay for its start; below it the row-times-scalar loop wins.
SHORT_INNER = 16
# A Gram matrix of shorter rows, or of fewer products, is quicker made whole by vectors than by blocks of
# which half are copied.
LONG_INNER = 64
MANY_PRODUCTS = 2**23
# Rows of blocks in a Gram matrix: with 8, 36 of 64 blocks are computed and the rest is copied.
BLOCKS = 8
# Rows of a block that a tile of vectors of either dtype fits into.
LEAST_BLOCK = _simd.WIDTH // 4
# einsum counts its products in the machine's own integers, which wasm has of 32 bits.
MOST_PRODUCTS = 2**31 - 1

_path: Path = "simd" if sys.platform == "emscripten" else "blas"


def matmul(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return the matrix product $AB$ by the path that suits this machine.

    Args:
        a: (n, k).
        b: (k, p), of the same dtype.

    Returns:
        (n, p).
    """
    if _path == "blas":
        product: NDArray[Any] = a @ b
        return product
    if _path == "simd" and _simd.suits(a, b):
        return _simd.product(a, b)
    product = np.empty((a.shape[0], b.shape[1]), np.result_type(a, b))
    letters, b = ("ik,kj->ij", b) if a.shape[1] < SHORT_INNER else ("ik,jk->ij", b.T)
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    size = max(1, MOST_PRODUCTS // max(1, b.size))
    for start in range(0, len(a), size):
        np.einsum(letters, a[start : start + size], b, out=product[start : start + size])
    return product


def gram(a: NDArray[Any]) -> NDArray[Any]:
    r"""Return $AA^\top$, of which BLAS and the blocks below compute one triangle.

    Args:
        a: (n, k).

    Returns:
        (n, n), symmetric.
    """
    vectors = _path == "simd" and _simd.suits(a, a.T)
    few = vectors and (len(a) < BLOCKS * LEAST_BLOCK or len(a) * a.size < MANY_PRODUCTS)
    if _path == "blas" or few or a.shape[1] < (LONG_INNER if vectors else SHORT_INNER):
        return matmul(a, a.T)
    a = np.ascontiguousarray(a)
    product = np.empty((len(a), len(a)), a.dtype)
    across = np.ascontiguousarray(a.T) if vectors else a
    for start, end in _simd.cuts(len(a), max(1, min(-(-len(a) // BLOCKS), MOST_PRODUCTS // a.size))):
        if vectors:
            product[start:end, :end] = _simd.product(a[start:end], across[:, :end])
        else:
            np.einsum("ik,jk->ij", a[start:end], a[:end], out=product[start:end, :end])
        product[:start, start:end] = product[start:end, :start].T
    return product


def symmetrized_product(m: NDArray[Any], a: NDArray[Any]) -> NDArray[Any]:
    r"""Return $(M + M^\top)A$.

    BLAS reads a transpose for nothing, so two products spare a matrix of M's size; elsewhere a
    product costs more than the sum.

    Args:
        m: (n, n).
        a: (n, p).

    Returns:
        (n, p).
    """
    if _path == "blas":
        product = matmul(m, a)
        product += matmul(m.T, a)
        return product
    return matmul(m + m.T, a)


@contextmanager
def forced(path: Path) -> Iterator[None]:
    """Use one path inside the `with` block, whatever the machine; for tests and benchmarks.

    Raises:
        ValueError: `path` is none of "blas", "simd" and "einsum".
    """
    global _path
    if path not in ("blas", "simd", "einsum"):
        raise ValueError(f"path must be 'blas', 'simd' or 'einsum', got {path!r}")
    before, _path = _path, path
    try:
        yield
    finally:
        _path = before
