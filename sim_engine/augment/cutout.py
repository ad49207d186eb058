"""Cutout: a box of the image is painted over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import generator
from sim_engine.augment._pixels import View, in_range, pixels, whole_per_image
from sim_engine.augment._step import Step


def cutout(
    image: ArrayLike,
    top: ArrayLike,
    left: ArrayLike,
    height: ArrayLike,
    width: ArrayLike,
    *,
    fill: float = 0.5,
) -> View:
    r"""Paint a box with one level; the box may reach beyond the image, which then shows less of it.

    $$x'_{ij} = \begin{cases}\text{fill} & t \le i < t + h \text{ and } l \le j < l + w\\
    x_{ij} & \text{else}\end{cases}$$

    for a box of h rows from row t on and w columns from column l on.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].
        top, left: the box's first row and column in pixels, possibly negative; one number or one an image.
        height, width: the box's sides in pixels, >= 0.
        fill: level of the box in [0, 1]. The paper of cutout paints 0 after normalising, which is the
            data's mean; 0.5 is near it without knowing the data.

    Returns:
        The view, shape and dtype of the image; what lies outside the box is exact.

    Raises:
        ValueError: the image is of another dtype, shape or range, the box is not of whole numbers, a
            side is negative, or fill lies outside [0, 1].

    Source:
        DeVries, Taylor (2017), arXiv:1708.04552; Chen et al. (2020), arXiv:2002.05709, figure 4.

    Examples:
        >>> cutout(np.zeros((1, 4, 3), np.uint8), 0, -1, 1, 3, fill=1.0)[0, :, 0]
        array([255, 255,   0,   0], dtype=uint8)
    """
    p = pixels(image)
    n, full_height, full_width = p.x.shape[:3]
    fill = in_range("fill", fill, 0.0, 1.0)
    rows = _within(full_height, *_ends("top", "height", top, height, n))
    columns = _within(full_width, *_ends("left", "width", left, width, n))
    hidden = rows[:, :, None, None] & columns[:, None, :, None]  # (N, H, W, 1)
    return p.restore(np.where(hidden, p.x.dtype.type(fill), p.x))


def _ends(
    start_name: str, side_name: str, start: ArrayLike, side: ArrayLike, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first = whole_per_image(start_name, start, count)
    return first, first + whole_per_image(side_name, side, count, least=0.0)


def _within(full: int, first: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which places of a side lie in [first, end), (N, full)."""
    place = np.arange(full)
    inside: NDArray[np.bool_] = (place >= first[:, None]) & (place < end[:, None])
    return inside


@dataclass(frozen=True)
class RandomCutout:
    """`cutout` of a box with the given part of each side, its centre uniform over the pixels.

    So the box is often cut by the border, as in the paper, which found that this helps.

    Attributes:
        side: the box's sides as a part of the image's, from 0 to 1; the paper uses 1/2 on CIFAR-10
            and 1/4 on CIFAR-100.
        fill: level of the box, in [0, 1].

    Raises:
        ValueError: side or fill lies outside [0, 1].

    Source:
        DeVries, Taylor (2017), arXiv:1708.04552, whose masks too may lie partly outside.

    Examples:
        >>> step, = RandomCutout().draw(np.random.default_rng(0), 32, 32)
        >>> step.parameters["height"], step.parameters["width"]
        (16, 16)
    """

    side: float = 0.5
    fill: float = 0.5

    def __post_init__(self) -> None:
        in_range("side", self.side, 0.0, 1.0)
        in_range("fill", self.fill, 0.0, 1.0)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> tuple[Step, ...]:
        """One step with its box.

        Raises:
            ValueError: rng is no generator.
        """
        generator(rng)
        h, w = round(self.side * height), round(self.side * width)
        box = {
            "top": int(rng.integers(height)) - h // 2,
            "left": int(rng.integers(width)) - w // 2,
            "height": h,
            "width": w,
        }
        return (Step("cutout", {**box, "fill": float(self.fill)}),)
