"""Gaussian noise: every channel of every pixel gets a number of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import generator
from sim_engine.augment._pixels import LIMIT, View, column, per_image, pixels, span, whole_per_image
from sim_engine.augment._step import Step, uniform

SEEDS = 2**32


def noise(image: ArrayLike, sigma: ArrayLike, seed: ArrayLike) -> View:
    r"""Add independent $\sigma\,\mathcal{N}(0, 1)$ to every value.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].
        sigma: standard deviation as a part of the whole range, >= 0; one number or one an image.
        seed: whole number >= 0 from which the noise is made, one for all or one an image; one seed
            for all gives all the same noise.

    Returns:
        The view, shape and dtype of the image; clipped, and uint8 rounded to the nearest level.

    Raises:
        ValueError: the image is of another dtype, shape or range, sigma is negative or not finite,
            or a seed is not a whole number >= 0.

    Source:
        Chen et al. (2020), arXiv:2002.05709, figure 4; the paper gives no sigma.

    Examples:
        >>> noise(np.full((1, 1, 3), 100, np.uint8), 0.1, seed=3)
        array([[[152,  35, 111]]], dtype=uint8)
    """
    p = pixels(image)
    n = len(p.x)
    sigmas = column(per_image("sigma", sigma, n, least=0.0), p.x)
    seeds = whole_per_image("seed", seed, n, least=0.0, most=SEEDS - 1, what="number")
    draws = np.stack([np.random.default_rng(int(s)).standard_normal(p.x.shape[1:]) for s in seeds])
    return p.restore(p.x + sigmas * draws.astype(p.x.dtype))


@dataclass(frozen=True)
class RandomNoise:
    """`noise` with sigma from U(sigma) and a fresh seed.

    Attributes:
        sigma: range of the standard deviation, a part of the whole range, >= 0.

    Raises:
        ValueError: the range is not in order or negative.

    Source:
        Chen et al. (2020), arXiv:2002.05709, figure 4; the paper gives no sigma.

    Examples:
        >>> step, = RandomNoise().draw(np.random.default_rng(0), 8, 8)
        >>> sorted(step.parameters)
        ['seed', 'sigma']
    """

    sigma: tuple[float, float] = (0.0, 0.1)

    def __post_init__(self) -> None:
        span("sigma", self.sigma, 0.0, LIMIT)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> tuple[Step, ...]:
        """One step with its sigma and its seed.

        Raises:
            ValueError: rng is no generator.
        """
        generator(rng)
        sigma = uniform(rng, *self.sigma)
        return (Step("noise", {"sigma": sigma, "seed": int(rng.integers(SEEDS))}),)
