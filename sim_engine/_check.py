"""Checks of what comes in. Each error names the argument, what was wanted and what came."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating[Any]]

# Rows count as unit within this distance of length 1: room for arrays that were stored as float16,
# and for those that were stored as 16-bit integers and widened since.
UNIT_TOLERANCE = {2: 4e-3}
UNIT_TOLERANCE_ELSE = 2e-4

# No count is larger, and what is computed of one stays far from overflow.
LARGEST_WHOLE = 2**63 - 1


def floats(name: str, values: ArrayLike, *, ndim: int | None = None) -> Array:
    """Return `values` as a finite array of float32 or float64.

    float32 and float64 stay what they are; float16 is widened to float32, and integers, Python
    numbers and wider floats become float64.

    Raises:
        ValueError: not numbers, another number of axes, empty, or NaN or infinite somewhere.
    """
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        raise ValueError(f"{name} must be an array of numbers, got rows of different lengths") from None
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must hold real numbers, got dtype {array.dtype}")
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, got shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    result: Array = array
    if array.dtype not in (np.float32, np.float64):
        dtype = np.float32 if array.dtype.itemsize <= 4 and array.dtype.kind == "f" else np.float64
        with np.errstate(over="ignore"):  # a wider float that overflows is reported as infinite below
            result = array.astype(dtype)
    if not all_finite(result):
        where = np.argwhere(~np.isfinite(result))[0]
        at = ", ".join(str(int(i)) for i in where)
        raise ValueError(f"{name} must be finite, got {result[tuple(where)]} at [{at}]")
    return result


def all_finite(array: Array) -> bool:
    """Tell whether no number is NaN or infinite.

    A sum is finite only where all that it sums is, and quicker than a look at each number, which is left to
    sums that overflow. einsum's says nothing of its overflow.
    """
    return math.isfinite(np.einsum("i->", array.ravel(order="K"))) or bool(np.isfinite(array).all())


def rows(name: str, values: ArrayLike, *, unit: bool = False) -> Array:
    """Return `values` as a finite (N, d) array; with `unit`, of rows of length 1.

    Raises:
        ValueError: as `floats`; or, with `unit`, a row is not of length 1.
    """
    array = floats(name, values, ndim=2)
    if unit:
        with np.errstate(over="ignore"):
            lengths = np.sqrt(np.einsum("ij,ij->i", array, array))
        off = np.abs(lengths - 1.0)
        worst = int(np.argmax(off))
        if not off[worst] <= UNIT_TOLERANCE.get(np.asarray(values).dtype.itemsize, UNIT_TOLERANCE_ELSE):
            raise ValueError(
                f"{name} must have unit rows, got length {float(lengths[worst]):.6g} in row {worst}; "
                "similarity.normalize makes them unit"
            )
    return array


def paired_views(z_a: ArrayLike, z_b: ArrayLike, *, unit: bool = False) -> tuple[Array, Array]:
    """Return two views as (N, d) arrays of one shape and one dtype (the wider of the two).

    Raises:
        ValueError: as `rows`, or the shapes differ.
    """
    a, b = rows("z_a", z_a, unit=unit), rows("z_b", z_b, unit=unit)
    if a.shape != b.shape:
        raise ValueError(
            f"z_a and z_b must have one shape, row i of both from image i, got {a.shape} and {b.shape}"
        )
    if a.dtype != b.dtype:
        a, b = a.astype(np.float64, copy=False), b.astype(np.float64, copy=False)
    return a, b


def temperature(tau: float, dtype: np.dtype[Any] | None = None) -> float:
    """Return `tau` as a float > 0 whose inverse the dtype can hold.

    Raises:
        ValueError: tau is not a finite number > 0, or so small that 1 / tau overflows.
    """
    tau = positive("tau", tau)
    # The factor leaves room for differences of cosines, which reach 2.
    least = 4.0 / float(np.finfo(dtype if dtype is not None else np.float64).max)
    if tau < least:
        raise ValueError(f"tau must be at least {least:.3g} in this precision, got {tau}")
    return tau


def positive(name: str, value: float, *, most: float | None = None) -> float:
    """Return `value` as a finite float > 0, at most `most`, or raise `ValueError`."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise ValueError(f"{name} must be a number > 0, got {value!r}")
    number = float(value)
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{name} must be finite and > 0, got {value!r}")
    if most is not None and number > most:
        raise ValueError(f"{name} must be at most {most:g}, got {value!r}")
    return number


def generator(rng: np.random.Generator) -> np.random.Generator:
    """Return `rng`, or raise `ValueError` where it is not a generator, such as a seed."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"rng must be a numpy.random.Generator, got {rng!r}; np.random.default_rng(seed) makes one"
        )
    return rng


def whole(name: str, value: int, *, least: int, most: int | None = None) -> int:
    """Return `value` as an int within [least, most], at most 2**63 - 1 where `most` is not given.

    Raises:
        ValueError: not a whole number, or outside.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    number = int(value)
    if abs(number) > (LARGEST_WHOLE if most is None else max(most, LARGEST_WHOLE)):
        raise ValueError(f"{name} must be a whole number of at most 63 bits, got {number.bit_length()} bits")
    if number < least or (most is not None and number > most):
        wanted = f"at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} must be {wanted}, got {number}")
    return number
