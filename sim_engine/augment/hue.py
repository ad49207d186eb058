"""Hue: colours turn round the circle, each keeps its largest and its smallest channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import generator
from sim_engine.augment import _colour
from sim_engine.augment._pixels import View, column, in_range, per_image, pixels
from sim_engine.augment._step import Step, uniform


def hue(image: ArrayLike, shift: ArrayLike) -> View:
    r"""Turn every hue by a part of the circle: $H' = (H + \delta) \bmod 1$ in HSV, S and V as they are.

    With $v$ the largest channel, $c = v - \min$ and $H$ in sextants, channel $n = 5, 3, 1$ for
    R, G, B is $v - c\max(0, \min(k, 4 - k, 1))$ at $k = (n + H') \bmod 6$. Grey has $c = 0$ and
    stays. Both listings of the paper mean this operation.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].
        shift: delta in turns, one number or one an image; 0 and 1 change nothing, 1/3 takes red to
            green, 1/2 to the complement.

    Returns:
        The view, shape and dtype of the image; uint8 rounded to the nearest level.

    Raises:
        ValueError: the image is of another dtype, shape or range, or a shift is not finite.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A (tf.image.adjust_hue, ColorJitter's hue).

    Examples:
        >>> hue(np.array([[[255, 0, 0]]], np.uint8), 1 / 3)
        array([[[  0, 255,   0]]], dtype=uint8)
    """
    p = pixels(image)
    turns = per_image("shift", shift, len(p.x)) % 1.0
    return p.restore(_colour.turn_hue(p.x, column(turns, p.x)))


@dataclass(frozen=True)
class RandomHue:
    """`hue` with a shift from U(-most, most).

    Attributes:
        most: in turns, from 0 to 0.5, where every hue can become every other; SimCLR's is 0.2 s.

    Raises:
        ValueError: most lies outside [0, 0.5].

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A (tf.image.random_hue, ColorJitter's hue).

    Examples:
        >>> RandomHue(0.0).draw(np.random.default_rng(0), 8, 8)
        (Step(name='hue', parameters={'shift': 0.0}),)
    """

    most: float = 0.2

    def __post_init__(self) -> None:
        in_range("most", self.most, 0.0, 0.5)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> tuple[Step, ...]:
        """One step with its shift.

        Raises:
            ValueError: rng is no generator.
        """
        generator(rng)
        return (Step("hue", {"shift": uniform(rng, -self.most, self.most)}),)
