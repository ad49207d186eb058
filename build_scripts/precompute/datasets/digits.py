"""Handwritten digits, 8 x 8 and grey: the book's smallest set, behind the common interface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from build_scripts.precompute import digits as source
from build_scripts.precompute.datasets.base import Dataset, Split, register

__all__ = ["CLASSES", "load", "parts", "to_byte"]

CLASSES = tuple("0123456789")


@register("digits")
def load(held_out: int = 360, seed: int = 0) -> Dataset:
    """Return scikit-learn's digits: uint8 (n, 8, 8, 1), 0 paper to 255 ink.

    Args:
        held_out: images of the test part, 10 to 1787; each digit in its share.
        seed: of the split, >= 0.

    Raises:
        ValueError: an option is out of range, or scikit-learn's copy is another.
    """
    train, test = parts(held_out, seed)
    return Dataset(
        name="digits",
        about="Handwritten digits, 8 x 8 pixels, grey.",
        licence=source.ABOUT["licence"],
        source=source.ABOUT["source"],
        sha256=source.ABOUT["sha256"],
        classes=CLASSES,
        train=_split(train),
        test=_split(test),
        options={"held_out": held_out, "seed": seed},
    )


def parts(held_out: int, seed: int) -> tuple[source.Digits, source.Digits]:
    """Return the training and the test digits, 0 to 16, after a check of the options."""
    digits = source.load()
    count, least = len(digits.labels), len(CLASSES)
    if not least <= held_out <= count - least:
        raise ValueError(
            f"held_out must be {least} to {count - least}, so that each part has every digit, got {held_out}"
        )
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must be 0 to {2**32 - 1}, got {seed}")
    return source.split(digits, held_out, seed)


def to_byte(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return 0 to 255 for 0 to 16: the nearest whole number, halves up."""
    wide = ink.astype(np.int64)
    return ((wide * 255 * 2 + source.WHITE) // (2 * source.WHITE)).astype(np.uint8)


def _split(digits: source.Digits) -> Split:
    return Split(to_byte(digits.images)[..., None], digits.labels.astype(np.int64))
