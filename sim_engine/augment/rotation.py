"""Rotation about the centre, bilinear; what comes from outside the image is filled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import generator
from sim_engine.augment._pixels import View, in_range, per_image, pixels
from sim_engine.augment._step import Step, uniform


def rotation(image: ArrayLike, degrees: ArrayLike, *, fill: float = 0.0) -> View:
    r"""Turn the picture counter-clockwise, keeping its sides.

    A pixel of the view at $(u, v)$ from the centre, u to the right and v down, shows the image at
    $(u\cos\theta - v\sin\theta,\; u\sin\theta + v\cos\theta)$, between the four pixels around it. The
    outside of the image has the level `fill` everywhere, so the rim blends into it over one pixel.
    Turns by 90° of a square image are exact.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].
        degrees: theta, one number or one an image; positive is counter-clockwise.
        fill: level of the outside in [0, 1]; 0 is black, as in torchvision and kornia.

    Returns:
        The view, shape and dtype of the image; uint8 rounded to the nearest level.

    Raises:
        ValueError: the image is of another dtype, shape or range, an angle is not finite, or fill
            lies outside [0, 1].

    Source:
        Chen et al. (2020), arXiv:2002.05709, figure 4, there by 90°, 180° and 270°.

    Examples:
        >>> quarter = rotation(np.arange(12, dtype=np.uint8).reshape(2, 2, 3), 90)
        >>> quarter[..., 0]
        array([[3, 9],
               [0, 6]], dtype=uint8)
    """
    p = pixels(image)
    fill = in_range("fill", fill, 0.0, 1.0)
    n, height, width = p.x.shape[:3]
    turns = per_image("degrees", degrees, n) % 360.0
    theta = np.deg2rad(turns)
    # A quarter's sine and cosine are exact, so that a quarter turn moves pixels and mixes none.
    quarter = turns % 90.0 == 0
    cosine = np.where(quarter, np.rint(np.cos(theta)), np.cos(theta))[:, None, None]
    sine = np.where(quarter, np.rint(np.sin(theta)), np.sin(theta))[:, None, None]
    v = np.arange(height)[:, None] - (height - 1) / 2
    u = np.arange(width)[None, :] - (width - 1) / 2
    # Coordinates in the image with a rim of one pixel, (N, H, W); what lies farther out is all fill.
    y = np.clip(u * sine + v * cosine + (height - 1) / 2 + 1, 0, height + 1)
    x = np.clip(u * cosine - v * sine + (width - 1) / 2 + 1, 0, width + 1)
    row = np.minimum(y.astype(np.int64), height)
    col = np.minimum(x.astype(np.int64), width)
    down, right = (y - row)[..., None].astype(p.x.dtype), (x - col)[..., None].astype(p.x.dtype)
    rimmed = np.pad(p.x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=fill)
    which = np.arange(n)[:, None, None]
    above, below = (
        (1 - right) * rimmed[which, r, col] + right * rimmed[which, r, col + 1] for r in (row, row + 1)
    )
    return p.restore((1 - down) * above + down * below)


@dataclass(frozen=True)
class RandomRotation:
    """`rotation` by an angle from U(-most, most), or by one of given angles.

    Attributes:
        most: in degrees, from 0 to 180; without effect where angles are given.
        angles: in degrees, each equally likely; SimCLR's figure 4 has (90, 180, 270).
        fill: level of the outside, in [0, 1].

    Raises:
        ValueError: most lies outside [0, 180], angles are empty or not finite, or fill outside [0, 1].

    Source:
        Chen et al. (2020), arXiv:2002.05709, figure 4, there by 90°, 180° and 270°; a range of angles as
        torchvision's RandomRotation.

    Examples:
        >>> step, = RandomRotation(angles=(90,)).draw(np.random.default_rng(0), 8, 8)
        >>> step.parameters
        {'degrees': 90.0, 'fill': 0.0}
    """

    most: float = 30.0
    angles: tuple[float, ...] | None = None
    fill: float = 0.0

    def __post_init__(self) -> None:
        in_range("most", self.most, 0.0, 180.0)
        in_range("fill", self.fill, 0.0, 1.0)
        if self.angles is not None:
            per_image("angles", np.asarray(self.angles, dtype=np.float64), len(self.angles))

    def draw(self, rng: np.random.Generator, height: int, width: int) -> tuple[Step, ...]:
        """One step with its angle.

        Raises:
            ValueError: rng is no generator.
        """
        generator(rng)
        if self.angles is None:
            degrees = uniform(rng, -self.most, self.most)
        else:
            degrees = float(self.angles[rng.integers(len(self.angles))])
        return (Step("rotation", {"degrees": degrees, "fill": float(self.fill)}),)
