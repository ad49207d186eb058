"""Brightness, contrast, saturation and grey as blends, the way of PIL and torchvision.

`additive.py` has the other way, that of the paper's TensorFlow listing. The two share the names
and the ranges, not the arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import generator
from sim_engine.augment import _colour
from sim_engine.augment._pixels import View, column, in_range, per_image, pixels
from sim_engine.augment._step import FactorDraw, Step


def brightness(image: ArrayLike, factor: ArrayLike) -> View:
    r"""Every channel times a factor, a blend with black: $x' = f x$.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].
        factor: f >= 0, one number or one an image; 1 changes nothing, 0 is black.

    Returns:
        The view, shape and dtype of the image; clipped, and uint8 rounded to the nearest level.

    Raises:
        ValueError: the image is of another dtype, shape or range, or a factor is negative or not finite.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, the PyTorch listing (torchvision's
        ColorJitter); also what the released TensorFlow code does, its "simclrv2".

    Examples:
        >>> brightness(np.full((1, 1, 3), 100, np.uint8), 1.5)
        array([[[150, 150, 150]]], dtype=uint8)
    """
    p = pixels(image)
    return p.restore(p.x * column(per_image("factor", factor, len(p.x), least=0.0), p.x))


def contrast(image: ArrayLike, factor: ArrayLike) -> View:
    r"""The distance from the image's mean grey times a factor: $x' = m + f(x - m)$.

    m is the mean over the pixels of 0.299 R + 0.587 G + 0.114 B. torchvision rounds m to a whole
    level when the image is a PIL image; here m stays exact.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].
        factor: f >= 0, one number or one an image; 1 changes nothing, 0 is the mean grey everywhere.

    Returns:
        The view, shape and dtype of the image; clipped, and uint8 rounded to the nearest level.

    Raises:
        ValueError: as `brightness`.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, the PyTorch listing.

    Examples:
        >>> contrast(np.array([[[0, 0, 0], [200, 200, 200]]], np.uint8), 0.5)[0, :, 0]
        array([ 50, 150], dtype=uint8)
    """
    p = pixels(image)
    f = column(per_image("factor", factor, len(p.x), least=0.0), p.x)
    return p.restore(_colour.blend(p.x, _colour.mean_luma(p.x), f))


def saturation(image: ArrayLike, factor: ArrayLike) -> View:
    r"""The distance from a pixel's own grey times a factor: $x' = y + f(x - y)$.

    y is the pixel's 0.299 R + 0.587 G + 0.114 B, which saturation leaves as it is until a channel
    is clipped.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].
        factor: f >= 0, one number or one an image; 1 changes nothing, 0 is `grey`.

    Returns:
        The view, shape and dtype of the image; clipped, and uint8 rounded to the nearest level.

    Raises:
        ValueError: as `brightness`.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, the PyTorch listing.

    Examples:
        >>> saturation(np.array([[[200, 100, 100]]], np.uint8), 0.5)
        array([[[165, 115, 115]]], dtype=uint8)
    """
    p = pixels(image)
    f = column(per_image("factor", factor, len(p.x), least=0.0), p.x)
    return p.restore(_colour.blend(p.x, _colour.luma(p.x), f))


def grey(image: ArrayLike) -> View:
    r"""All three channels become the luma $y = 0.299 R + 0.587 G + 0.114 B$ of ITU-R BT.601.

    The weights sum to 1, so a grey image stays what it is. TensorFlow and torchvision use .2989
    and .587 and .114, which sum to .9999: less than a fortieth of a level apart.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].

    Returns:
        The view, shape and dtype of the image; uint8 rounded to the nearest level.

    Raises:
        ValueError: the image is of another dtype, shape or range.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, "color drop".

    Examples:
        >>> grey(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8))[0, :, 0]
        array([ 76, 150,  29], dtype=uint8)
    """
    p = pixels(image)
    return p.restore(np.repeat(_colour.luma(p.x), 3, axis=-1))


@dataclass(frozen=True)
class RandomBrightness(FactorDraw):
    """`brightness` with a factor from U(max(0, 1 - most), 1 + most).

    Attributes:
        most: how far the factor may lie from 1; SimCLR's is 0.8 s.

    Raises:
        ValueError: most is not a number from 0 to 100.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, the PyTorch listing.

    Examples:
        >>> RandomBrightness(0.0).draw(np.random.default_rng(0), 8, 8)
        (Step(name='brightness', parameters={'factor': 1.0}),)
    """

    _name = "brightness"


@dataclass(frozen=True)
class RandomContrast(FactorDraw):
    """`contrast` with a factor from U(max(0, 1 - most), 1 + most).

    Attributes:
        most: how far the factor may lie from 1; SimCLR's is 0.8 s.

    Raises:
        ValueError: most is not a number from 0 to 100.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, the PyTorch listing.

    Examples:
        >>> RandomContrast(0.0).draw(np.random.default_rng(0), 8, 8)
        (Step(name='contrast', parameters={'factor': 1.0}),)
    """

    _name = "contrast"


@dataclass(frozen=True)
class RandomSaturation(FactorDraw):
    """`saturation` with a factor from U(max(0, 1 - most), 1 + most).

    Attributes:
        most: how far the factor may lie from 1; SimCLR's is 0.8 s.

    Raises:
        ValueError: most is not a number from 0 to 100.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, the PyTorch listing.

    Examples:
        >>> RandomSaturation(0.0).draw(np.random.default_rng(0), 8, 8)
        (Step(name='saturation', parameters={'factor': 1.0}),)
    """

    _name = "saturation"


@dataclass(frozen=True)
class RandomGrey:
    """`grey` with probability p.

    Attributes:
        p: in [0, 1]; SimCLR's is 0.2.

    Raises:
        ValueError: p lies outside [0, 1].

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, "color drop".

    Examples:
        >>> RandomGrey(1.0).draw(np.random.default_rng(0), 8, 8)
        (Step(name='grey', parameters={}),)
    """

    p: float = 0.2

    def __post_init__(self) -> None:
        in_range("p", self.p, 0.0, 1.0)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> tuple[Step, ...]:
        """The step, or none.

        Raises:
            ValueError: rng is no generator.
        """
        generator(rng)
        return (Step("grey"),) if rng.random() < self.p else ()
