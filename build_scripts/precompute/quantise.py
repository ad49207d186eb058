"""Arrays made small: floats as 16-bit whole numbers with a scale, an offset and a known largest error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Exported", "quantise"]

_STEPS = 2**15 - 1


@dataclass(frozen=True)
class Exported:
    """One array as it is stored.

    Attributes:
        array: what goes into the file.
        about: one sentence for the manifest.
        unit: of the values after scaling, '' for none.
        scale, offset: value = stored * scale + offset; None for an array stored as it is.
        max_error: largest difference between a value and its stored form, in the value's unit.
    """

    array: NDArray[Any]
    about: str
    unit: str = ""
    scale: float | None = None
    offset: float | None = None
    max_error: float | None = None


def quantise(values: NDArray[np.floating[Any]], about: str, unit: str = "") -> Exported:
    """Store floats as int16 over their own range.

    Args:
        values: any shape, finite.
        about: one sentence for the manifest.
        unit: of the values.

    Returns:
        The stored form; its largest error is at most half a scale (and rounding of float64).

    Raises:
        ValueError: values are empty, NaN or infinite.
    """
    values = np.asarray(values, np.float64)
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError(f"values must be finite and not empty, got shape {values.shape} for {about!r}")
    low, high = float(values.min()), float(values.max())
    offset = (low + high) / 2
    scale = (high - low) / 2 / _STEPS or 1.0
    stored = np.rint((values - offset) / scale).astype(np.int16)
    error = float(np.abs(stored.astype(np.float64) * scale + offset - values).max())
    return Exported(stored, about, unit, scale, offset, error)
