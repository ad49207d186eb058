"""Checks that several losses share, of what comes in and of what goes out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, all_finite, floats, rows


def number(name: str, value: ArrayLike) -> float:
    """Return `value` as a finite float, or raise `ValueError`."""
    return float(floats(name, value, ndim=0))


def not_negative(name: str, value: ArrayLike) -> float:
    """Return `value` as a finite float >= 0, or raise `ValueError`."""
    result = number(name, value)
    if result < 0:
        raise ValueError(f"{name} must be >= 0, got {result}")
    return result


def share(name: str, value: ArrayLike) -> float:
    """Return `value` as a float from 0 to 1, or raise `ValueError`."""
    result = number(name, value)
    if not 0 <= result <= 1:
        raise ValueError(f"{name} must lie from 0 to 1, got {result}")
    return result


def same_shape(**arrays: ArrayLike) -> list[Array]:
    """Return (N, d) arrays of one shape and one dtype (the widest), in the order given.

    Raises:
        ValueError: one is not a finite (N, d) array, or its shape is not that of the first.
    """
    checked = {name: rows(name, values) for name, values in arrays.items()}
    first, *others = checked
    for name in others:
        if checked[name].shape != checked[first].shape:
            shapes = f"{checked[first].shape} and {checked[name].shape}"
            raise ValueError(
                f"{first} and {name} must have one shape, row i of both belonging together, got {shapes}"
            )
    dtype = np.result_type(*checked.values())
    return [array.astype(dtype, copy=False) for array in checked.values()]


def at_least_two(count: int, names: str, reason: str) -> None:
    """Raise `ValueError` for a batch of one, with the reason why one is too few."""
    if count < 2:
        raise ValueError(f"{names} must hold at least 2 rows, got {count}: {reason}")


def finite(value: float, **grads: Array) -> None:
    """Raise `ValueError` when finite input has led beyond what the dtype can hold."""
    if not math.isfinite(value):
        raise ValueError(f"the loss overflows: values of {' or '.join(grads)} are too large; scale them down")
    for name, grad in grads.items():
        if not all_finite(grad):
            row = int(np.argmin(np.isfinite(grad).all(axis=1)))
            raise ValueError(
                f"the gradient in {name} overflows {grad.dtype} at row {row}: "
                "a row, or what divides it, is too small, or its values are too large"
            )
