"""What a layer is given, checked without a copy: each runs in every step of a training."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from sim_engine._check import Array, all_finite


def size_of(name: str, array: Array) -> tuple[int, ...]:
    """Return the shape of an array of real numbers.

    Raises:
        ValueError: it is no array, holds something else, or is empty.
    """
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name} must be an array, got {type(array).__name__}; np.asarray makes one")
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must hold real numbers, got dtype {array.dtype}")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    return array.shape


def gradient(grad_y: Array, shape: tuple[int, ...]) -> None:
    """Check a gradient that comes back: the shape of y to the letter, and finite.

    Raises:
        ValueError: it has another shape, one that NumPy would stretch too, or is NaN or infinite somewhere.
    """
    if size_of("grad_y", grad_y) != shape:
        raise ValueError(f"grad_y must have the shape of y, {shape}, got {grad_y.shape}")
    if not all_finite(grad_y):
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(grad_y))[0])
        raise ValueError(f"grad_y must be finite, got {grad_y[where]} at {list(where)}")


def float_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return `dtype` where it is float32 or float64, or raise `ValueError`."""
    try:
        kind = np.dtype(dtype)
    except TypeError:
        kind = None
    if kind not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64, got {dtype!r}")
    return kind
