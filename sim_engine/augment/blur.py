"""Gaussian blur: every pixel becomes a weighted mean of its neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, generator, whole
from sim_engine.augment._pixels import LIMIT, View, column, per_image, pixels, span
from sim_engine.augment._step import Step, uniform

LEAST_SIGMA = 1e-6


def kernel_size(height: int) -> int:
    r"""SimCLR's kernel: 10 % of the side, made odd: $2\lfloor\lfloor H/10\rfloor/2\rfloor + 1$ pixels.

    Of 224 it is 23, of 96 it is 9, of 32 it is 3; below 20 it is 1, and nothing is blurred.

    Args:
        height: the image's side in pixels, >= 1.

    Returns:
        Pixels, an odd number.

    Raises:
        ValueError: height < 1.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, and the rounding of the released code.

    Examples:
        >>> [kernel_size(side) for side in (224, 96, 32, 8)]
        [23, 9, 3, 1]
    """
    return 2 * (whole("height", height, least=1) // 10 // 2) + 1


def gaussian_blur(image: ArrayLike, sigma: ArrayLike, *, kernel: int) -> View:
    r"""Convolve rows and columns with $g_t \propto e^{-t^2/2\sigma^2}$, $|t| \le r$, kernel $2r + 1$.

    Computed as $x_i + \sum_{t=1}^{r} g_t(x_{i+t} + x_{i-t} - 2x_i)$, so that a constant image stays
    exactly what it is. The kernel is cut at r and sums to 1: at SimCLR's largest sigma, 2, its 9
    pixels at side 96 hold 98 % of the bell. At the border the image is mirrored about its last
    pixel (as in torchvision and kornia); the released TensorFlow code pads with black, which
    darkens the rim.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].
        sigma: standard deviation in pixels, at least 1e-6; one number or one an image.
        kernel: odd number of pixels, with (kernel - 1) / 2 less than both sides; `kernel_size`
            gives SimCLR's.

    Returns:
        The view, shape and dtype of the image; uint8 rounded to the nearest level.

    Raises:
        ValueError: the image is of another dtype, shape or range, sigma is too small or not finite,
            or the kernel is even or too large.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, "Gaussian blur".

    Examples:
        >>> point = np.zeros((1, 5, 3), np.uint8)
        >>> point[0, 2] = 255
        >>> gaussian_blur(np.repeat(point, 5, axis=0), 1.0, kernel=3)[0, :, 0]
        array([  0,  70, 115,  70,   0], dtype=uint8)
    """
    p = pixels(image)
    sigmas = per_image("sigma", sigma, len(p.x), least=LEAST_SIGMA)
    radius = whole("kernel", kernel, least=1) // 2
    side = min(p.x.shape[1:3])
    if kernel % 2 == 0 or radius >= side:
        raise ValueError(f"kernel must be odd and at most {2 * side - 1} for this image, got {kernel}")
    bell = np.exp(-0.5 * (np.arange(radius + 1) / sigmas[:, None]) ** 2)  # (N, r + 1)
    bell /= (2 * bell.sum(axis=1) - bell[:, 0])[:, None]
    weights = [column(bell[:, t], p.x) for t in range(radius + 1)]
    return p.restore(_along(_along(p.x, 1, weights), 2, weights))


def _along(x: Array, axis: int, weights: list[Array]) -> Array:
    """Return x convolved along one axis with a symmetric kernel, given from its centre outwards."""
    radius, length = len(weights) - 1, x.shape[axis]
    pad = [(0, 0)] * 4
    pad[axis] = (radius, radius)
    wide = np.pad(x, pad, mode="reflect")

    def moved(t: int) -> Array:
        return wide[:, radius + t :][:, :length] if axis == 1 else wide[:, :, radius + t :][:, :, :length]

    twice, y = 2 * x, x.copy()
    for t in range(1, radius + 1):
        pair = moved(t) + moved(-t)
        pair -= twice
        pair *= weights[t]
        y += pair
    return y


@dataclass(frozen=True)
class RandomGaussianBlur:
    """`gaussian_blur` with sigma from U(sigma) and SimCLR's kernel, 10 % of the height.

    Attributes:
        sigma: range of the standard deviation in pixels; the paper's is (0.1, 2).
        kernel: odd number of pixels; None takes `kernel_size` of the image's smaller side.

    Raises:
        ValueError: the range is not in order or below 1e-6, or the kernel is even.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A, "Gaussian blur".

    Examples:
        >>> step, = RandomGaussianBlur().draw(np.random.default_rng(0), 96, 96)
        >>> step.parameters["kernel"]
        9
    """

    sigma: tuple[float, float] = (0.1, 2.0)
    kernel: int | None = None

    def __post_init__(self) -> None:
        span("sigma", self.sigma, LEAST_SIGMA, LIMIT)
        if self.kernel is not None and whole("kernel", self.kernel, least=1) % 2 == 0:
            raise ValueError(f"kernel must be odd, got {self.kernel}")

    def draw(self, rng: np.random.Generator, height: int, width: int) -> tuple[Step, ...]:
        """One step with its sigma and its kernel.

        Raises:
            ValueError: height or width is not a whole number >= 1, or rng is no generator.
        """
        generator(rng)
        kernel = kernel_size(min(height, width)) if self.kernel is None else int(self.kernel)
        return (Step("gaussian_blur", {"sigma": uniform(rng, *self.sigma), "kernel": kernel}),)
