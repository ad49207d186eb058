"""scikit-learn's digits: 1797 grey images of 8 x 8 pixels, 0 to 16, with a checked checksum."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits  # type: ignore[import-untyped]  # ships no types
from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]  # ships no types

__all__ = ["ABOUT", "WHITE", "Digits", "load", "split"]

WHITE = 16
ABOUT: dict[str, Any] = {
    "name": "Optical Recognition of Handwritten Digits, test part (scikit-learn load_digits)",
    "sha256": "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826",
    "licence": "CC BY 4.0",
    "source": "Alpaydin, E. and Kaynak, C. (1998), UCI Machine Learning Repository, doi:10.24432/C50P49",
}


@dataclass(frozen=True)
class Digits:
    """Images and labels, kept apart so that a function can be given the one without the other.

    Attributes:
        images: uint8 (n, 8, 8), 0 (paper) to 16 (ink).
        labels: uint8 (n,), 0 to 9.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __getitem__(self, rows: NDArray[np.intp]) -> Digits:
        return Digits(self.images[rows], self.labels[rows])


def load() -> Digits:
    """Return all 1797 digits, in scikit-learn's order.

    Raises:
        ValueError: scikit-learn's copy is not the one that the recipes were written for.
    """
    bunch = load_digits()
    digits = Digits(bunch.images.astype(np.uint8), bunch.target.astype(np.uint8))
    got = hashlib.sha256(digits.images.tobytes() + digits.labels.tobytes()).hexdigest()
    if got != ABOUT["sha256"]:
        raise ValueError(
            f"scikit-learn's digits.csv.gz is not the expected one: sha256 of images and labels as uint8 is "
            f"{got}, wanted {ABOUT['sha256']}; reinstall scikit-learn"
        )
    return digits


def split(digits: Digits, held_out: int, seed: int) -> tuple[Digits, Digits]:
    """Return (training, probe): `held_out` probe images, each digit in its share, in the set's order.

    Here alone the labels touch what is trained on: they see to it that every digit is held out in
    proportion.

    Args:
        digits: the whole set.
        held_out: number of probe images.
        seed: of the draw.
    """
    rows = np.arange(len(digits.labels))
    train, probe = train_test_split(rows, test_size=held_out, stratify=digits.labels, random_state=seed)
    return digits[np.sort(train)], digits[np.sort(probe)]
