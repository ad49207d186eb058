"""Random resized crop: a box of random area and shape, brought to one size by bilinear interpolation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import Array, generator, whole
from sim_engine.augment._pixels import View, pixels, span, whole_per_image
from sim_engine.augment._step import Step, uniform

ATTEMPTS = 100  # as in the released code; then the whole image


def resized_crop(
    image: ArrayLike,
    top: ArrayLike,
    left: ArrayLike,
    height: ArrayLike,
    width: ArrayLike,
    *,
    size: tuple[int, int],
    antialias: bool = True,
) -> View:
    r"""Cut a box out and resize it bilinearly.

    Pixel i of the view looks at $c = (i + \tfrac12)\,h/H'$ in the box and takes its pixels j with
    weights $\max(0, 1 - |j + \tfrac12 - c| / w)$, normalised; so along both sides. Without
    antialias $w = 1$: the two nearest pixels a side, and a shrunken box skips the others. With it
    $w = \max(1, h/H')$, and every pixel of a shrunken box counts, as in PIL and in torchvision on
    PIL images; an enlarged box is the same either way. SimCLR's TensorFlow code resizes
    bicubically without antialias.

    Args:
        image: (H, W, 3) or (N, H, W, 3), uint8 or floats in [0, 1].
        top, left: the box's first row and column, in pixels, >= 0; one number or one an image.
        height, width: the box's sides in pixels, >= 1; the box lies within the image.
        size: (H', W'), the view's sides in pixels.
        antialias: whether a shrunken box is averaged.

    Returns:
        The view, (H', W', 3) or (N, H', W', 3), dtype of the image; uint8 rounded to the nearest level.

    Raises:
        ValueError: the image is of another dtype, shape or range, the box is not of whole numbers or
            reaches beyond the image, or a size is < 1.

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A.

    Examples:
        >>> ramp = np.repeat(np.arange(0, 80, 10, dtype=np.uint8)[None, :, None], 3, axis=2)
        >>> resized_crop(ramp, 0, 2, 1, 4, size=(1, 2))[0, :, 0]
        array([27, 43], dtype=uint8)
        >>> resized_crop(ramp, 0, 2, 1, 4, size=(1, 2), antialias=False)[0, :, 0]
        array([25, 45], dtype=uint8)
    """
    p = pixels(image)
    n, full_height, full_width = p.x.shape[:3]
    out_height, out_width = _sides("size", size)
    t, h = _box("top", "height", top, height, n, full_height)
    le, w = _box("left", "width", left, width, n, full_width)
    which = np.arange(n)[:, None]
    index, weight = _taps(t, h, out_height, antialias)
    weight = weight.astype(p.x.dtype)
    rows: Array = p.x[which, index[:, :, 0]] * weight[:, :, 0, None, None]  # (N, H', W, 3)
    for tap in range(1, index.shape[2]):
        rows += p.x[which, index[:, :, tap]] * weight[:, :, tap, None, None]
    index, weight = _taps(le, w, out_width, antialias)
    weight = weight.astype(p.x.dtype)
    which, row = which[:, :, None], np.arange(out_height)[:, None]
    y: Array = rows[which, row, index[:, None, :, 0]] * weight[:, None, :, 0, None]  # (N, H', W', 3)
    for tap in range(1, index.shape[2]):
        y += rows[which, row, index[:, None, :, tap]] * weight[:, None, :, tap, None]
    return p.restore(y)


def _taps(
    start: NDArray[np.int64], length: NDArray[np.int64], size: int, antialias: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return which pixels of one axis each pixel of the view takes, and how much, both (N, size, taps)."""
    scale = length / size
    reach = np.maximum(scale, 1.0)[:, None, None] if antialias else np.ones((len(scale), 1, 1))
    centre = ((np.arange(size) + 0.5) * scale[:, None])[:, :, None]
    first = np.floor(centre - reach - 0.5) + 1  # the first j with j + 1/2 > centre - reach
    j = first + np.arange(math.ceil(2 * float(reach.max())))
    weight = np.maximum(0.0, 1.0 - np.abs(j + 0.5 - centre) / reach)
    last = length[:, None, None] - 1
    weight[(j < 0) | (j > last)] = 0.0
    weight /= weight.sum(axis=2, keepdims=True)
    return start[:, None, None] + np.clip(j, 0, last).astype(np.int64), weight


def _box(
    start_name: str, side_name: str, start: ArrayLike, side: ArrayLike, count: int, full: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first = whole_per_image(start_name, start, count, least=0.0)
    length = whole_per_image(side_name, side, count, least=1.0)
    beyond = first + length > full
    if beyond.any():
        i = int(np.argmax(beyond))
        raise ValueError(
            f"{start_name} + {side_name} must be at most {full}, the image's {side_name}, "
            f"got {first[i]} + {length[i]}"
        )
    return first, length


def _sides(name: str, size: tuple[int, int]) -> tuple[int, int]:
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise ValueError(f"{name} must be (height, width) in pixels, got {size!r}")
    return whole(name, size[0], least=1), whole(name, size[1], least=1)


@dataclass(frozen=True)
class RandomResizedCrop:
    r"""`resized_crop` of a random box: area uniform, aspect ratio log-uniform, place uniform.

    A part $f \sim U(area)$ of the image and $\log q \sim U(\log ratio)$ are drawn until the box of
    height $H\sqrt{f/q}$ and width $W\sqrt{fq}$, rounded to whole pixels, fits; after 100 attempts
    it is the whole image. So q is relative to the image's own aspect ratio, as the paper says;
    torchvision's is absolute, which on a square image is the same. TensorFlow draws q itself
    uniformly; torchvision its logarithm, so that wide and tall boxes are alike. A box that must fit
    is rarely large: above 3/4 of the area only the ratios near 1 remain.

    Attributes:
        size: (H', W') of the view in pixels; None keeps the image's sides.
        area: range of f, within (0, 1]; the paper's is (0.08, 1).
        ratio: range of q, > 0; the paper's is (3/4, 4/3).
        antialias: as `resized_crop`.

    Raises:
        ValueError: a range is not in order or outside its bounds, or a size is < 1.

    Source:
        Szegedy et al. (2015), arXiv:1409.4842, section 6; Chen et al. (2020), arXiv:2002.05709,
        appendix A.

    Examples:
        >>> step, = RandomResizedCrop().draw(np.random.default_rng(0), 96, 96)
        >>> step.name, step.parameters["size"]
        ('resized_crop', (96, 96))
    """

    size: tuple[int, int] | None = None
    area: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    antialias: bool = True

    def __post_init__(self) -> None:
        if self.size is not None:
            _sides("size", self.size)
        span("area", self.area, 1e-6, 1.0)
        span("ratio", self.ratio, 1e-3, 1e3)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> tuple[Step, ...]:
        """One step with its box.

        Raises:
            ValueError: rng is no generator.
        """
        generator(rng)
        low, high = math.log(self.ratio[0]), math.log(self.ratio[1])
        box = (0, 0, height, width)
        for _ in range(ATTEMPTS):
            f, q = uniform(rng, *self.area), math.exp(uniform(rng, low, high))
            h, w = round(height * math.sqrt(f / q)), round(width * math.sqrt(f * q))
            if 1 <= h <= height and 1 <= w <= width:
                box = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1)), h, w
                break
        parameters = dict(zip(("top", "left", "height", "width"), box, strict=True))
        size = (height, width) if self.size is None else (int(self.size[0]), int(self.size[1]))
        return (Step("resized_crop", {**parameters, "size": size, "antialias": self.antialias}),)
