"""Horizontal flip: left becomes right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import generator
from sim_engine.augment._pixels import View, in_range, pixels
from sim_engine.augment._step import Step


def horizontal_flip(image: ArrayLike) -> View:
    r"""Mirror the columns: $x'_{ij} = x_{i, W - 1 - j}$.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].

    Returns:
        The view, shape and dtype of the image, every value exact.

    Raises:
        ValueError: the image is of another dtype, shape or range.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A: after the crop, half of the time.

    Examples:
        >>> horizontal_flip(np.array([[[1, 1, 1], [2, 2, 2]]], np.uint8))[0, :, 0]
        array([2, 1], dtype=uint8)
    """
    p = pixels(image)
    return p.restore(p.x[:, :, ::-1])


@dataclass(frozen=True)
class RandomHorizontalFlip:
    """`horizontal_flip` with probability p.

    Attributes:
        p: in [0, 1]; SimCLR's is 0.5.

    Raises:
        ValueError: p lies outside [0, 1].

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A: after the crop, half of the time.

    Examples:
        >>> RandomHorizontalFlip(0.0).draw(np.random.default_rng(0), 8, 8)
        ()
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        in_range("p", self.p, 0.0, 1.0)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> tuple[Step, ...]:
        """The step, or none.

        Raises:
            ValueError: rng is no generator.
        """
        generator(rng)
        return (Step("horizontal_flip"),) if rng.random() < self.p else ()
