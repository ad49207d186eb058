"""Labels as they come in."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import Array, floats


def label_array(name: str, labels: ArrayLike, count: int | None = None) -> NDArray[np.int64]:
    """Return labels as whole numbers (count,); without `count`, as many as there are.

    Raises:
        ValueError: another count, or not whole numbers.
    """
    array: Array = floats(name, labels, ndim=1)
    if count is not None and len(array) != count:
        raise ValueError(f"{name} must hold one label per row: {count}, got {len(array)}")
    if not (array == np.round(array)).all():
        raise ValueError(f"{name} must be whole numbers, got {array[array != np.round(array)][0]}")
    if np.abs(array).max() > 2**53:
        raise ValueError(f"{name} must lie within 2**53, got {array[np.abs(array).argmax()]}")
    return array.astype(np.int64)
