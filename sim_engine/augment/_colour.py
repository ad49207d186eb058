"""The arithmetic of colours: images (N, H, W, 3), parameters (N, 1, 1, 1), nothing clipped."""

from __future__ import annotations

import numpy as np

from sim_engine._check import Array

# Luma of ITU-R BT.601; they sum to 1, so that grey of a grey image is the image.
RED, GREEN, BLUE = 0.299, 0.587, 0.114


def luma(x: Array) -> Array:
    """0.299 R + 0.587 G + 0.114 B, (N, H, W, 1)."""
    y: Array = x[..., :1] * x.dtype.type(RED)
    y += x[..., 1:2] * x.dtype.type(GREEN)
    y += x[..., 2:] * x.dtype.type(BLUE)
    return y


def ends(x: Array) -> tuple[Array, Array]:
    """The largest and the smallest channel of each pixel, both (N, H, W, 1)."""
    # Three slices are several times as fast as a maximum over an axis of length 3.
    red, green, blue = x[..., :1], x[..., 1:2], x[..., 2:]
    return np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)


def blend(x: Array, other: Array, factor: Array) -> Array:
    """Other + factor (x - other): exactly x at factor 1 up to rounding, other at factor 0."""
    result: Array = (x - other) * factor + other
    return result


def mean_luma(x: Array) -> Array:
    """The mean grey of each image, (N, 1, 1, 1)."""
    mean: Array = luma(x).mean(axis=(1, 2, 3), keepdims=True, dtype=np.float64).astype(x.dtype)
    return mean


def mean_colour(x: Array) -> Array:
    """The mean of each channel of each image, (N, 1, 1, 3)."""
    mean: Array = x.mean(axis=(1, 2), keepdims=True, dtype=np.float64).astype(x.dtype)
    return mean


def scale_saturation(x: Array, factor: Array) -> Array:
    """S of HSV times factor, clipped to [0, 1]; hue and the largest channel stay.

    A pixel is v - (v - x), and S = (v - min) / v, so that scaling S scales v - x. It also holds
    for pixels outside [0, 1]: S counts as 0 where the largest channel is not positive.
    """
    largest, smallest = ends(x)
    spread = largest - smallest
    lit = (largest > 0) & (spread > 0)
    s = np.where(lit, spread / np.where(lit, largest, 1), 0)
    ratio = np.where(lit, np.clip(s * factor, 0, 1) / np.where(lit, s, 1), 0)
    result: Array = largest - (largest - x) * ratio.astype(x.dtype)
    return result


def turn_hue(x: Array, shift: Array) -> Array:
    """H of HSV plus shift turns; the largest and the smallest channel keep their values."""
    red, green, blue = x[..., 0], x[..., 1], x[..., 2]
    largest, smallest = (end[..., 0] for end in ends(x))
    spread = largest - smallest
    side = np.where(
        red == largest,
        green - blue,
        np.where(green == largest, blue - red + 2 * spread, red - green + 4 * spread),
    )
    sextant = side / np.where(spread > 0, spread, 1) + 6 * shift[..., 0]
    # Channel n is v - c max(0, min(k, 4 - k, 1)) at k = (n + H) mod 6, n = 5, 3, 1 for R, G, B.
    k = sextant[..., None] + np.array([5, 3, 1], x.dtype)
    k -= 6 * np.floor(k / 6)  # k % 6, twenty times as fast
    below = np.clip(np.minimum(k, 4 - k), 0, 1)
    result: Array = largest[..., None] - spread[..., None] * below
    return result
