"""Images and parameters as they come in, and views as they go out.

Inside, every image is a batch (N, H, W, 3) of floats in [0, 1] and every parameter one number an
image. uint8 is computed in float32. A uint8 view is clipped to [0, 1] and rounded to the nearest
level; a value half-way between two levels may fall to either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import Array, floats

# Beyond this no factor or shift of a colour means anything, and float32 stays far from overflow.
LIMIT = 1e6

View = NDArray[Any]  # uint8 or floats, of the shape that came in


@dataclass(frozen=True)
class Pixels:
    """Images in [0, 1], (N, H, W, 3), and what is needed to give a view the form they came in."""

    x: Array
    is_batch: bool
    is_uint8: bool

    def restore(self, y: Array) -> View:
        """Return `y` (N, H', W', 3) clipped, in the dtype and with the axes of the input."""
        y = np.clip(y, 0.0, 1.0)
        view: View = np.rint(y * 255.0).astype(np.uint8) if self.is_uint8 else y
        return view if self.is_batch else view[0]


def pixels(image: ArrayLike) -> Pixels:
    """Read an image (H, W, 3) or a batch (N, H, W, 3), uint8 or floats in [0, 1].

    Raises:
        ValueError: another dtype or shape, empty, or a float outside [0, 1], NaN or infinite.
    """
    try:
        array = np.asarray(image)
    except ValueError:  # rows of different lengths
        raise ValueError("image must be an array of numbers, got rows of different lengths") from None
    is_uint8 = array.dtype == np.uint8
    if not is_uint8 and array.dtype.kind != "f":
        raise ValueError(f"image must be uint8, or floats in [0, 1], got dtype {array.dtype}")
    if array.ndim not in (3, 4) or array.shape[-1] != 3:
        raise ValueError(f"image must have shape (H, W, 3) or (N, H, W, 3), got {array.shape}")
    if array.size == 0:
        raise ValueError(f"image must not be empty, got shape {array.shape}")
    is_batch = array.ndim == 4
    if not is_batch:
        array = array[None]
    if is_uint8:
        return Pixels(array.astype(np.float32) / np.float32(255), is_batch, True)
    x = floats("image", array)
    low, high = float(x.min()), float(x.max())
    if low < 0 or high > 1:
        wrong = low if low < 0 else high
        raise ValueError(
            f"image must lie in [0, 1] when it holds floats, got {wrong:g}; "
            "divide levels by 255, or give uint8"
        )
    return Pixels(x, is_batch, False)


def per_image(
    name: str, value: ArrayLike, count: int, *, least: float = -LIMIT, most: float = LIMIT
) -> NDArray[np.float64]:
    """Return `value`, one number for all images or one an image, as (count,) floats.

    Raises:
        ValueError: not real numbers, not finite, outside [least, most], or another count.
    """
    array = np.asarray(floats(name, value), dtype=np.float64)
    if array.shape not in ((), (count,)):
        raise ValueError(
            f"{name} must be one number, or one for each of {count} images, got shape {array.shape}"
        )
    outside = array[(array < least) | (array > most)]
    if outside.size:
        raise ValueError(f"{name} must lie in [{least:g}, {most:g}], got {float(outside[0]):g}")
    return np.broadcast_to(array, (count,))


def whole_per_image(
    name: str,
    value: ArrayLike,
    count: int,
    *,
    least: float = -LIMIT,
    most: float = LIMIT,
    what: str = "number of pixels",
) -> NDArray[np.int64]:
    """Return `value`, one whole number for all images or one an image, as (count,) integers.

    Raises:
        ValueError: as `per_image`, or a number is not whole.
    """
    array = per_image(name, value, count, least=least, most=most)
    whole = array.astype(np.int64)
    if (whole != array).any():
        raise ValueError(f"{name} must be a whole {what}, got {float(array[whole != array][0]):g}")
    return whole


def column(values: NDArray[np.float64], x: Array) -> Array:
    """Return (N,) parameters as (N, 1, 1, 1) in the dtype of the images they will meet."""
    result: Array = values.astype(x.dtype)[:, None, None, None]
    return result


def in_range(name: str, value: float, least: float, most: float) -> float:
    """Return one number within [least, most], or raise `ValueError`."""
    return float(per_image(name, value, 1, least=least, most=most)[0])


def span(name: str, ends: tuple[float, float], least: float, most: float) -> tuple[float, float]:
    """Return the two ends of a range that is drawn from, in order, or raise `ValueError`."""
    if len(ends) != 2:
        raise ValueError(f"{name} must be two numbers, (least, most), got {ends!r}")
    low, high = (in_range(name, end, least, most) for end in ends)
    if low > high:
        raise ValueError(f"{name} must be (least, most), got {ends!r}: the first is the larger")
    return low, high
